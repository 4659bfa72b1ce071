/* SPDX-License-Identifier: Apache-2.0
 *
 * What a sensor's certificate lets a stranger send: the bytes as a zstd body,
 * and again as a path. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ingest.h"

static int look(void *context, const struct record *r)
{
	struct buf *text = context;

	buf_clear(text);
	record_json(r, text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct batch_identity id;
	struct ingest_target target;
	struct buf text = { 0 };
	const char *why;
	char *path = malloc(size + 1);

	memcpy(path, data, size);
	path[size] = '\0';
	(void)ingest_target_parse(path, &target);
	(void)ingest_unpack(path, size, &arena, &id, look, &text, &why);
	free(path);
	buf_finish(&text);
	arena_finish(&arena);
	return 0;
}
