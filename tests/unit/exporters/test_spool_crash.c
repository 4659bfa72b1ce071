/* SPDX-License-Identifier: Apache-2.0
 *
 * A writer that is killed again and again: whoever takes the same work up again
 * finds each batch exactly once, whatever the moment was. */
#include "tests/unit/exporters/spool_helper.h"

#include <signal.h>
#include <sys/wait.h>

enum { KILLS = 50, EPOCH = 77, SEGMENT = 16384, MAX = 64 << 20, BATCHES = 20000 };

TestSuite(spool_crash, .init = make_dir, .fini = remove_dir);

/* The replay: the same batches in the same order, every time. */
static void replay(uint64_t until)
{
	struct spool *s = open_spool(MAX, SEGMENT);

	for (uint64_t i = 1; i <= until; i++) {
		put(s, STREAM_FLOWS, EPOCH, i);
		if (i % 7 == 0)
			put(s, STREAM_ALERTS, EPOCH, i / 7);
		if (i % 50 == 0)
			put(s, STREAM_HEALTH, EPOCH, i / 50);
		if (i % 100 == 0)
			spool_flush(s);
	}
	spool_close(s);
}

static uint64_t newest(enum stream stream)
{
	uint64_t last = 0;
	count_frames(stream, EPOCH, NULL, &last);
	return last;
}

Test(spool_crash, each_batch_is_there_exactly_once, .timeout = 300)
{
	uint64_t reached = 0;

	srand(20260102);
	for (int i = 0; i < KILLS; i++) {
		pid_t child = fork();
		if (child == 0) {
			replay(BATCHES);
			_exit(0);
		}
		usleep(1000 + (unsigned)rand() % 40000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		/* Nothing that a reader could see may go away again. */
		uint64_t now = newest(STREAM_FLOWS);
		cr_assert_geq(now, reached);
		reached = now;
	}
	cr_assert_gt(reached, 0);
	uint64_t until = reached + 100, first;
	replay(until);
	cr_assert_eq(count_frames(STREAM_FLOWS, EPOCH, &first, NULL), until);
	cr_assert_eq(first, 1);
	cr_assert_eq(count_frames(STREAM_ALERTS, EPOCH, NULL, NULL), until / 7);
	cr_assert_eq(count_frames(STREAM_HEALTH, EPOCH, NULL, NULL), until / 50);
}

/* The same with a shipper beside it that deletes what it has read. */
Test(spool_crash, known_batches_stay_known_while_a_reader_trims, .timeout = 300)
{
	struct spool_position at = { 0 };
	uint64_t expected = 0;
	struct spool_frame f;

	srand(7);
	for (int i = 0; i < KILLS; i++) {
		pid_t child = fork();
		if (child == 0) {
			replay(BATCHES);
			_exit(0);
		}
		usleep(1000 + (unsigned)rand() % 20000);
		/* Both while the writer works and after its death. */
		for (int pass = 0; pass < 2; pass++) {
			struct spool_reader *r = open_reader(STREAM_FLOWS, at);
			while (spool_read(r, &f) == 1) {
				cr_assert_eq(f.epoch, EPOCH);
				cr_assert_eq(f.sequence, ++expected);
				if (pass == 0 && expected % 500 == 0)
					break;
			}
			at = spool_reader_position(r);
			spool_reader_close(r);
			spool_trim(dir, STREAM_FLOWS, at);
			if (pass == 0) {
				kill(child, SIGKILL);
				waitpid(child, NULL, 0);
			}
		}
	}
	cr_assert_gt(expected, 0);
}
