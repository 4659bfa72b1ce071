/* SPDX-License-Identifier: Apache-2.0
 *
 * How far destinations are behind, while the spool is written. */
#include "tests/unit/exporters/spool_helper.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"

TestSuite(spool_gauge, .init = make_dir, .fini = remove_dir);

enum { SEGMENT = 4096, MAX = 1 << 20 };

static struct spool_lag lags[4];
static uint64_t bytes;

static size_t measure(struct spool_gauge *g)
{
	return spool_gauge_read(g, lags, 4, &bytes);
}

/* Bytes of all frames, by reading them. */
static uint64_t frames(enum stream stream, struct spool_position *half, unsigned at)
{
	struct spool_reader *r = open_reader(stream, (struct spool_position){ 0 });
	struct spool_frame f;
	uint64_t sum = 0;

	for (unsigned i = 0; spool_read(r, &f) == 1; i++) {
		if (half && i == at)
			*half = (struct spool_position){ f.segment, f.offset };
		sum += 32 + f.length;
	}
	spool_reader_close(r);
	return sum;
}

Test(spool_gauge, there_is_nothing_yet)
{
	struct spool_gauge *g = spool_gauge_create("/nonexistent/vigie");

	bytes = 1;
	cr_assert_eq(measure(g), 0);
	cr_assert_eq(bytes, 0);
	spool_gauge_destroy(g);
	spool_gauge_destroy(NULL);
}

Test(spool_gauge, frames_count_and_room_set_aside_does_not)
{
	struct spool *s = open_spool(MAX, SEGMENT);
	struct spool_gauge *g = spool_gauge_create(dir);
	uint64_t before = 0;

	for (uint64_t i = 1; i <= 40; i++) {
		cr_assert_eq(put(s, STREAM_FLOWS, 1, i), 0);
		cr_assert_eq(measure(g), 0, "no destination");
		cr_assert_eq(bytes, frames(STREAM_FLOWS, NULL, 0));
		cr_assert_gt(bytes, before);
		before = bytes;
	}
	cr_assert_gt(segment_count(STREAM_FLOWS), 2);
	spool_close(s);
	measure(g);
	cr_assert_eq(bytes, before);
	spool_gauge_destroy(g);
}

Test(spool_gauge, each_destination_by_its_position)
{
	struct spool *s = open_spool(MAX, SEGMENT);
	struct spool_gauge *g = spool_gauge_create(dir);
	struct spool_position half = { 0 }, all = { 99, 0 };

	for (uint64_t i = 1; i <= 40; i++) {
		cr_assert_eq(put(s, STREAM_FLOWS, 1, i), 0);
		cr_assert_eq(put(s, STREAM_ALERTS, 1, i), 0);
	}
	uint64_t flows = frames(STREAM_FLOWS, &half, 20), alerts = frames(STREAM_ALERTS, NULL, 0);
	cr_assert_eq(spool_store_position(dir, "second", STREAM_FLOWS, all), 0);
	cr_assert_eq(spool_store_position(dir, "second", STREAM_ALERTS, all), 0);
	cr_assert_eq(spool_store_position(dir, "first", STREAM_FLOWS, half), 0);
	cr_assert_eq(measure(g), 2);
	cr_assert_eq(bytes, flows + alerts);
	cr_assert_str_eq(lags[0].destination, "first");
	cr_assert(lags[0].known && lags[1].known);
	cr_assert_gt(lags[0].bytes, alerts);
	cr_assert_lt(lags[0].bytes, alerts + flows);
	cr_assert_str_eq(lags[1].destination, "second");
	cr_assert_eq(lags[1].bytes, 0);
	cr_assert_eq(lags[1].seconds, 0);
	spool_close(s);
	spool_gauge_destroy(g);
}

Test(spool_gauge, how_old_what_waits_is_at_least)
{
	struct spool *s = open_spool(MAX, SEGMENT);
	struct spool_gauge *g = spool_gauge_create(dir);
	struct spool_position start = { 1, 0 };
	char path[PATH_MAX];

	for (uint64_t i = 1; i <= 40; i++)
		cr_assert_eq(put(s, STREAM_FLOWS, 1, i), 0);
	cr_assert_eq(spool_store_position(dir, "collector", STREAM_FLOWS, start), 0);
	segment_file(path, STREAM_FLOWS, 0);
	struct timespec past[2] = { { time(NULL) - 500, 0 }, { time(NULL) - 500, 0 } };
	cr_assert_eq(utimensat(AT_FDCWD, path, past, 0), 0);
	cr_assert_eq(measure(g), 1);
	cr_assert(lags[0].seconds >= 500 && lags[0].seconds < 560, "%llu",
		  (unsigned long long)lags[0].seconds);
	spool_close(s);
	spool_gauge_destroy(g);
}

Test(spool_gauge, a_damaged_position_is_at_the_beginning)
{
	struct spool *s = open_spool(MAX, SEGMENT);
	struct spool_gauge *g = spool_gauge_create(dir);
	char path[PATH_MAX];

	for (uint64_t i = 1; i <= 3; i++)
		cr_assert_eq(put(s, STREAM_HEALTH, 1, i), 0);
	spool_join(path, "%s/acks", dir);
	cr_assert_eq(file_make_dirs(path, 0750), 0);
	spool_join(path, "%s/acks/collector", dir);
	cr_assert_eq(file_replace(path, "health 9", 8, 0640), 0);
	cr_assert_eq(measure(g), 1);
	cr_assert(lags[0].known);
	cr_assert_eq(lags[0].bytes, bytes);
	cr_assert_gt(bytes, 0);
	spool_close(s);
	spool_gauge_destroy(g);
}
