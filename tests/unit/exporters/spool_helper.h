/* SPDX-License-Identifier: Apache-2.0
 *
 * A spool in a folder of its own, and batches that tell what they should hold. */
#pragma once

#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/spool.h"
#include "exporters/spool_files.h"

static char dir[64];

static inline void make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/vigie-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void remove_dir(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct spool *open_spool(uint64_t max, uint64_t segment)
{
	struct spool *s;
	char why[256];
	const struct spool_options options = { .dir = dir,
					       .max_bytes = max,
					       .segment_bytes = segment };

	cr_assert_eq(spool_open(&options, &s, why), 0, "%s", why);
	return s;
}

/* A batch with one record whose rule is text that does not compress well. */
static inline void pack_batch(struct buf *out, enum stream stream, uint64_t epoch,
			      uint64_t sequence)
{
	const struct batch_identity id = { "span-1", stream, epoch, sequence, "rev", NULL };
	struct record r = { .type = stream == STREAM_FLOWS    ? RECORD_FLOW
				    : stream == STREAM_ALERTS ? RECORD_ALERT
							      : RECORD_COVERAGE };
	char noise[401];
	uint64_t v = epoch * 1000003 + sequence * 7919 + stream + 1;

	for (size_t i = 0; i < sizeof(noise) - 1; i++) {
		v = v * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		noise[i] = (char)('0' + (v >> 33) % 75);
	}
	noise[sizeof(noise) - 1] = '\0';
	if (r.type == RECORD_FLOW) {
		r.flow.id = "f";
		r.flow.reason = noise;
	} else if (r.type == RECORD_ALERT) {
		r.alert.id = "a";
		r.alert.kind = "test";
		r.alert.reason = noise;
	} else {
		r.coverage.segment = noise;
	}
	buf_clear(out);
	cr_assert_eq(wire_append_identity(out, &id), 0);
	struct wire_shared shared = { 0 };
	cr_assert_eq(wire_append_record(out, &shared, &r), 0);
	cr_assert_eq(wire_append_shared(out, &shared), 0);
	wire_shared_finish(&shared);
}

static inline int put(struct spool *s, enum stream stream, uint64_t epoch, uint64_t sequence)
{
	const struct batch_identity id = { "span-1", stream, epoch, sequence, "rev", NULL };
	struct buf batch = { 0 };

	pack_batch(&batch, stream, epoch, sequence);
	int error = spool_write(s, &id, 1, batch.data, batch.len);
	buf_finish(&batch);
	return error;
}

/* Asserts that a frame holds exactly the batch that put() wrote under its name. */
static inline void check_frame(const struct spool_frame *f)
{
	struct buf got = { 0 }, expected = { 0 };
	const char *why;

	cr_assert_eq(spool_unpack(f, &got, &why), 0, "%s", why ? why : "");
	pack_batch(&expected, f->stream, f->epoch, f->sequence);
	cr_assert_eq(got.len, expected.len);
	cr_assert_eq(memcmp(got.data, expected.data, got.len), 0);
	buf_finish(&got);
	buf_finish(&expected);
}

static inline struct spool_reader *open_reader(enum stream stream, struct spool_position from)
{
	struct spool_reader *r;
	char why[256];

	cr_assert_eq(spool_reader_open(dir, stream, from, &r, why), 0, "%s", why);
	return r;
}

/* Reads the frames of one epoch from the beginning: their count, each checked;
 * asserts that sequences rise. */
static inline unsigned count_frames(enum stream stream, uint64_t epoch, uint64_t *first,
				    uint64_t *last)
{
	struct spool_reader *r = open_reader(stream, (struct spool_position){ 0 });
	struct spool_frame f;
	unsigned n = 0;
	uint64_t newest = 0;

	while (spool_read(r, &f) == 1) {
		if (f.epoch != epoch)
			continue;
		check_frame(&f);
		cr_assert_gt(f.sequence, newest);
		newest = f.sequence;
		if (n++ == 0 && first)
			*first = f.sequence;
	}
	if (last)
		*last = newest;
	spool_reader_close(r);
	return n;
}

static inline void segment_file(char path[PATH_MAX], enum stream stream, size_t index)
{
	struct spool_segments list = { 0 };

	cr_assert_eq(spool_segments_list(dir, stream, &list), 0);
	cr_assert_lt(index, list.count);
	spool_segment_path(dir, stream, list.list[index].number, path);
	spool_segments_finish(&list);
}

static inline size_t segment_count(enum stream stream)
{
	struct spool_segments list = { 0 };

	cr_assert_eq(spool_segments_list(dir, stream, &list), 0);
	size_t n = list.count;
	spool_segments_finish(&list);
	return n;
}
