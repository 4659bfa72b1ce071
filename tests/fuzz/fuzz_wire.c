/* SPDX-License-Identifier: Apache-2.0
 *
 * What the collector and the shipper do with a batch's bytes. */
#include <stddef.h>
#include <stdint.h>

#include "schema/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int show(void *context, const struct record *record)
{
	record_json(record, context);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct buf json = { 0 };
	struct batch_identity identity;
	const char *why;

	wire_unpack(data, size, &arena, &identity, show, &json, &why);
	buf_finish(&json);
	arena_finish(&arena);
	return 0;
}
