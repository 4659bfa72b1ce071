/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment's bytes: the walk over frames, then what the shipper does with each. */
#include <stddef.h>
#include <stdint.h>

#include "exporters/spool.h"
#include "exporters/spool_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore(void *context, const struct record *record)
{
	(void)context;
	(void)record;
	return 0;
}

static void unpack(const struct spool_frame *frame)
{
	struct buf batch = { 0 };
	struct arena arena = { 0 };
	struct batch_identity id;
	const char *why;

	if (!spool_unpack(frame, &batch, &why))
		wire_unpack(batch.data, batch.len, &arena, &id, ignore, NULL, &why);
	buf_finish(&batch);
	arena_finish(&arena);
}

/* The fuzzer does not find checksums: every input is a payload as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spool_walk w = spool_walk_of(data, size, STREAM_FLOWS);
	struct spool_header h;
	const uint8_t *payload;
	size_t offset;

	while (spool_walk_next(&w, &h, &payload, &offset))
		unpack(&(struct spool_frame){ .payload = payload, .length = h.length });
	unpack(&(struct spool_frame){ .payload = data, .length = size });
	return 0;
}
