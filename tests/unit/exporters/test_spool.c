/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/exporters/spool_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/file.h"
#include "exporters/spool_format.h"
#include "exporters/spool_tools.h"

TestSuite(spool, .init = make_dir, .fini = remove_dir);

enum { SEGMENT = 4096, MAX = 1 << 20 };

static const struct spool_position beginning;

Test(spool, what_is_written_is_read)
{
	struct spool *s = open_spool(MAX, SEGMENT);

	for (uint64_t i = 1; i <= 100; i++)
		for (int stream = 0; stream < STREAM_COUNT; stream++)
			cr_assert_eq(put(s, (enum stream)stream, 9, i), 0);
	cr_assert_eq(spool_flush(s), 0);
	struct spool_stats stats = spool_stats(s);
	cr_assert_eq(stats.batches, 300);
	cr_assert_eq(stats.records, 300);
	for (int stream = 0; stream < STREAM_COUNT; stream++)
		cr_assert_eq(count_frames((enum stream)stream, 9, NULL, NULL), 100);
	cr_assert_gt(segment_count(STREAM_FLOWS), 5);
	spool_close(s);
	for (int stream = 0; stream < STREAM_COUNT; stream++)
		cr_assert_eq(count_frames((enum stream)stream, 9, NULL, NULL), 100);
}

Test(spool, reader_follows_the_writer)
{
	struct spool *s = open_spool(MAX, SEGMENT);
	struct spool_reader *r = open_reader(STREAM_FLOWS, beginning);
	struct spool_frame f;

	for (uint64_t i = 1; i <= 60; i++) {
		cr_assert_eq(spool_read(r, &f), 0);
		cr_assert_eq(put(s, STREAM_FLOWS, 1, i), 0);
		cr_assert_eq(spool_read(r, &f), 1);
		cr_assert_eq(f.sequence, i);
		check_frame(&f);
	}
	spool_close(s);
	s = open_spool(MAX, SEGMENT);
	cr_assert_eq(spool_read(r, &f), 0);
	put(s, STREAM_FLOWS, 1, 61);
	cr_assert_eq(spool_read(r, &f), 1);
	cr_assert_eq(f.sequence, 61);
	cr_assert_eq(spool_reader_stats(r).damaged + spool_reader_stats(r).torn, 0);
	spool_reader_close(r);
	spool_close(s);
}

Test(spool, frame_larger_than_a_segment_gets_one_of_its_size)
{
	struct spool *s = open_spool(64 << 20, SEGMENT);
	size_t n = 3 << 20;
	unsigned char *noise = malloc(n);
	const struct batch_identity id = { "span-1", STREAM_FLOWS, 1, 1, NULL, NULL };
	struct spool_reader *r = open_reader(STREAM_FLOWS, beginning);
	struct spool_frame f;
	struct buf back = { 0 };
	const char *why;

	srand(1);
	for (size_t i = 0; i < n; i++)
		noise[i] = (unsigned char)rand();
	cr_assert_eq(spool_write(s, &id, 5, noise, n), 0);
	cr_assert_eq(spool_read(r, &f), 1);
	cr_assert_eq(f.records, 5);
	cr_assert_eq(spool_unpack(&f, &back, &why), 0);
	cr_assert_eq(back.len, n);
	cr_assert_eq(memcmp(back.data, noise, n), 0);
	buf_finish(&back);
	spool_reader_close(r);
	spool_close(s);
	free(noise);
}

Test(spool, one_writer_at_a_time)
{
	struct spool *s = open_spool(MAX, SEGMENT), *second;
	const struct spool_options options = { .dir = dir };
	char why[256];

	cr_assert_eq(spool_open(&options, &second, why), -EBUSY);
	cr_assert_null(second);
	cr_assert(strstr(why, "another sensor"), "%s", why);
	put(s, STREAM_FLOWS, 1, 1);
	spool_close(s);
	spool_close(open_spool(MAX, SEGMENT));
	cr_assert_eq(count_frames(STREAM_FLOWS, 1, NULL, NULL), 1);
}

Test(spool, sizes_that_cannot_work_are_refused)
{
	struct spool_options options = { .dir = dir, .max_bytes = 65536, .segment_bytes = 65536 };
	struct spool *s;
	char why[256];

	cr_assert_eq(spool_open(&options, &s, why), -EINVAL);
	cr_assert(strstr(why, "quarter"), "%s", why);
	options.segment_bytes = 100;
	cr_assert_eq(spool_open(&options, &s, why), -EINVAL);
	options.dir = "/proc/nothing/here";
	options.segment_bytes = 0;
	cr_assert_neq(spool_open(&options, &s, why), 0);
	cr_assert(strstr(why, "cannot be used as spool"), "%s", why);
}

Test(spool, replay_is_known_even_after_trimming)
{
	struct spool *s = open_spool(MAX, SEGMENT);

	for (uint64_t i = 1; i <= 80; i++)
		put(s, STREAM_FLOWS, 7, i);
	spool_close(s);
	s = open_spool(MAX, SEGMENT);
	for (uint64_t i = 1; i <= 90; i++)
		cr_assert_eq(put(s, STREAM_FLOWS, 7, i), 0);
	cr_assert_eq(spool_stats(s).known, 80);
	cr_assert_eq(spool_stats(s).batches, 10);
	/* Another stream and another epoch know nothing of it. */
	put(s, STREAM_ALERTS, 7, 1);
	put(s, STREAM_FLOWS, 8, 1);
	cr_assert_eq(spool_stats(s).batches, 12);
	spool_close(s);
	cr_assert_eq(count_frames(STREAM_FLOWS, 7, NULL, NULL), 90);
	cr_assert_eq(spool_trim(dir, STREAM_FLOWS, (struct spool_position){ UINT64_MAX, 0 }), 0);
	cr_assert_eq(segment_count(STREAM_FLOWS), 0);
	s = open_spool(MAX, SEGMENT);
	for (uint64_t i = 1; i <= 91; i++)
		put(s, STREAM_FLOWS, 7, i);
	cr_assert_eq(spool_stats(s).known, 90);
	spool_close(s);
	uint64_t first;
	cr_assert_eq(count_frames(STREAM_FLOWS, 7, &first, NULL), 1);
	cr_assert_eq(first, 91);
}

Test(spool, without_its_memory_the_segments_tell)
{
	struct spool *s = open_spool(MAX, SEGMENT);
	char path[PATH_MAX];

	for (uint64_t i = 1; i <= 50; i++)
		put(s, STREAM_FLOWS, 7, i);
	spool_close(s);
	spool_join(path, "%s/flows/known", dir);
	cr_assert_eq(truncate(path, 20), 0);
	s = open_spool(MAX, SEGMENT);
	for (uint64_t i = 1; i <= 50; i++)
		put(s, STREAM_FLOWS, 7, i);
	cr_assert_eq(spool_stats(s).known, 50);
	spool_close(s);
}

/* Leaves a spool as a killed writer does: nothing is closed. */
static void write_and_die(uint64_t from, uint64_t to)
{
	pid_t child = fork();

	if (child == 0) {
		struct spool *s = open_spool(MAX, 65536);
		for (uint64_t i = from; i <= to; i++)
			put(s, STREAM_FLOWS, 3, i);
		_exit(0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

/* Where the bytes of the only segment end. */
static size_t end_of_frames(const struct buf *bytes, size_t *last_frame)
{
	struct spool_walk w = spool_walk_of(bytes->data, bytes->len, STREAM_FLOWS);
	struct spool_header h;
	const uint8_t *payload;
	size_t offset;

	while (spool_walk_next(&w, &h, &payload, &offset))
		*last_frame = offset;
	return w.offset;
}

Test(spool, walk_ends_before_every_cut)
{
	char path[PATH_MAX];
	struct buf bytes = { 0 };
	size_t last = 0;

	write_and_die(1, 3);
	segment_file(path, STREAM_FLOWS, 0);
	cr_assert_eq(file_read(path, MAX, &bytes), 0);
	cr_assert_eq(bytes.len, 65536);
	size_t end = end_of_frames(&bytes, &last);
	for (size_t keep = last; keep < end; keep++) {
		struct spool_header h;
		const uint8_t *payload;
		size_t offset;
		unsigned frames = 0;
		char *exact = malloc(keep); /* so that the sanitizer sees the end */
		memcpy(exact, bytes.data, keep);
		struct spool_walk w = spool_walk_of(exact, keep, STREAM_FLOWS);
		while (spool_walk_next(&w, &h, &payload, &offset))
			frames++;
		cr_assert_eq(frames, 2);
		cr_assert_eq(w.offset, last);
		cr_assert_eq(w.torn, keep > last);
		free(exact);
	}
	buf_finish(&bytes);
}

Test(spool, torn_tail_is_cut)
{
	static const size_t cuts[] = { 1, 4, 31, 32, 33, 200 };

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		char path[PATH_MAX];
		struct buf bytes = { 0 };
		size_t last = 0;
		remove_dir();
		make_dir();
		write_and_die(1, 3);
		segment_file(path, STREAM_FLOWS, 0);
		cr_assert_eq(file_read(path, MAX, &bytes), 0);
		end_of_frames(&bytes, &last);
		cr_assert_eq(truncate(path, (off_t)(last + cuts[i])), 0);
		struct spool *s = open_spool(MAX, SEGMENT);
		cr_assert_eq(spool_stats(s).torn, 1);
		/* The torn batch is not known: it is written again. */
		for (uint64_t k = 1; k <= 4; k++)
			put(s, STREAM_FLOWS, 3, k);
		cr_assert_eq(spool_stats(s).known, 2);
		spool_close(s);
		cr_assert_eq(count_frames(STREAM_FLOWS, 3, NULL, NULL), 4);
		buf_finish(&bytes);
	}
}

Test(spool, damaged_frame_is_skipped_and_counted)
{
	struct spool *s = open_spool(MAX, 65536);
	char path[PATH_MAX];
	struct buf out = { 0 };
	struct spool_frame f;

	for (uint64_t i = 1; i <= 10; i++)
		put(s, STREAM_FLOWS, 3, i);
	spool_close(s);
	segment_file(path, STREAM_FLOWS, 0);
	int fd = open(path, O_RDWR);
	cr_assert_eq(pwrite(fd, "damage", 6, 1000), 6);
	close(fd);
	struct spool_reader *r = open_reader(STREAM_FLOWS, beginning);
	unsigned n = 0;
	/* A newer segment tells the reader that this one is complete. */
	s = open_spool(MAX, 65536);
	put(s, STREAM_FLOWS, 3, 11);
	while (spool_read(r, &f) == 1) {
		check_frame(&f);
		n++;
	}
	cr_assert_eq(n, 10);
	cr_assert_eq(spool_reader_stats(r).damaged, 1);
	spool_reader_close(r);
	spool_close(s);
	cr_assert_eq(spool_verify(dir, &out), 1);
	cr_assert(strstr(out.data, "bytes before this frame are damaged"), "%s", out.data);
	buf_finish(&out);
}

/* Zeroes between frames, as a power cut leaves them. */
Test(spool, hole_is_skipped_although_it_looks_like_the_end)
{
	struct spool *s = open_spool(MAX, 65536);
	static const char zeroes[600];
	char path[PATH_MAX];

	for (uint64_t i = 1; i <= 10; i++)
		put(s, STREAM_FLOWS, 3, i);
	spool_close(s);
	segment_file(path, STREAM_FLOWS, 0);
	int fd = open(path, O_RDWR);
	cr_assert_eq(pwrite(fd, zeroes, sizeof(zeroes), 0), sizeof(zeroes));
	/* Left alone for long, so that it is worth a search. */
	const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	cr_assert_eq(futimens(fd, old), 0);
	close(fd);
	cr_assert_geq(count_frames(STREAM_FLOWS, 3, NULL, NULL), 8);
}

Test(spool, full_spool_throws_flows_away_first_and_tells_it)
{
	struct spool *s = open_spool(16 * SEGMENT, SEGMENT);
	uint64_t first, last;

	for (uint64_t i = 1; i <= 20; i++)
		put(s, STREAM_ALERTS, 5, i);
	for (uint64_t i = 1; i <= 500; i++)
		cr_assert_eq(put(s, STREAM_FLOWS, 5, i), 0);
	struct spool_stats stats = spool_stats(s);
	cr_assert_gt(stats.lost, 0);
	spool_close(s);
	cr_assert_eq(count_frames(STREAM_ALERTS, 5, NULL, NULL), 20);
	unsigned kept = count_frames(STREAM_FLOWS, 5, &first, &last);
	cr_assert_eq(last, 500);
	cr_assert_eq(kept, 501 - first);
	cr_assert_eq(stats.lost, first - 1);
}

static int sum_lost(void *context, const struct record *record)
{
	uint64_t *sum = context;

	for (size_t i = 0; i < record->health.counter_count; i++) {
		const struct record_counter *c = &record->health.counters[i];
		if (!strcmp(c->name, "lost.flows.records"))
			sum[0] += c->value;
		if (!strcmp(c->name, "lost.flows.first") && (sum[1] == 0 || c->value < sum[1]))
			sum[1] = c->value;
		if (!strcmp(c->name, "lost.flows.last") && c->value > sum[2])
			sum[2] = c->value;
		if (!strcmp(c->name, "lost.flows.epoch"))
			cr_assert_eq(c->value, 5);
	}
	return 0;
}

/* Sums up all loss reports: records, first and last sequence. */
static void read_losses(uint64_t sum[3])
{
	struct spool_reader *r = open_reader(STREAM_HEALTH, beginning);
	struct arena arena = { 0 };
	struct batch_identity id;
	struct spool_frame f;
	const char *why;

	memset(sum, 0, 3 * sizeof(*sum));
	while (spool_read(r, &f) == 1) {
		struct buf batch = { 0 };
		cr_assert_eq(spool_unpack(&f, &batch, &why), 0);
		cr_assert_eq(wire_unpack(batch.data, batch.len, &arena, &id, sum_lost, sum, &why),
			     0, "%s", why ? why : "");
		buf_finish(&batch);
	}
	arena_finish(&arena);
	spool_reader_close(r);
}

Test(spool, loss_reports_have_the_exact_range)
{
	struct spool *s = open_spool(24 * SEGMENT, SEGMENT);
	uint64_t sum[3];

	for (uint64_t i = 1; i <= 400; i++)
		cr_assert_eq(put(s, STREAM_FLOWS, 5, i), 0);
	uint64_t lost = spool_stats(s).lost;
	cr_assert_gt(lost, 0);
	spool_close(s);
	read_losses(sum);
	cr_assert_eq(sum[0], lost);
	cr_assert_eq(sum[1], 1);
	cr_assert_eq(sum[2], lost);
}

Test(spool, acknowledged_batches_are_no_loss)
{
	struct spool *s = open_spool(16 * SEGMENT, SEGMENT);

	cr_assert_eq(spool_store_position(dir, "soc", STREAM_FLOWS,
					  (struct spool_position){ UINT64_MAX, 0 }),
		     0);
	for (uint64_t i = 1; i <= 300; i++)
		cr_assert_eq(put(s, STREAM_FLOWS, 5, i), 0);
	cr_assert_eq(spool_stats(s).lost, 0);
	spool_close(s);
	cr_assert_eq(count_frames(STREAM_HEALTH, 5, NULL, NULL), 0);
}

Test(spool, flows_never_push_out_the_others)
{
	struct spool *s = open_spool(8 * SEGMENT, SEGMENT);
	uint64_t i = 1;

	/* Alerts may fill the spool, and then push out their own oldest. */
	for (; i <= 300; i++)
		cr_assert_eq(put(s, STREAM_ALERTS, 5, i), 0);
	unsigned alerts = count_frames(STREAM_ALERTS, 5, NULL, NULL);
	cr_assert_eq(put(s, STREAM_FLOWS, 5, 1), -ENOSPC);
	cr_assert_eq(put(s, STREAM_HEALTH, 5, 1), -ENOSPC);
	cr_assert_eq(spool_stats(s).refused, 2);
	cr_assert_eq(count_frames(STREAM_ALERTS, 5, NULL, NULL), alerts);
	spool_close(s);
	struct buf losses = { 0 };
	char path[PATH_MAX];
	spool_join(path, "%s/losses", dir);
	cr_assert_eq(file_read(path, MAX, &losses), 0);
	cr_assert(strstr(losses.data, "flows 0000000000000005 1 1 1\n"), "%s", losses.data);
	cr_assert(strstr(losses.data, "health 0000000000000005 1 1 1\n"), "%s", losses.data);
	buf_finish(&losses);
}

Test(spool, losses_are_told_after_a_restart)
{
	struct spool *s = open_spool(8 * SEGMENT, SEGMENT);
	uint64_t sum[3];

	for (uint64_t i = 1; i <= 300; i++)
		put(s, STREAM_ALERTS, 5, i);
	cr_assert_eq(put(s, STREAM_FLOWS, 5, 4), -ENOSPC);
	spool_close(s);
	s = open_spool(MAX, SEGMENT);
	put(s, STREAM_FLOWS, 5, 5);
	spool_close(s);
	read_losses(sum);
	cr_assert_eq(sum[0], 1);
	cr_assert_eq(sum[1], 4);
	cr_assert_eq(sum[2], 4);
}

/* A file size limit stands for a full disk: the same calls fail half-way. */
Test(spool, full_disk_costs_the_new_batch_alone)
{
	pid_t child = fork();

	if (child == 0) {
		struct spool *s = open_spool(MAX, SEGMENT);
		put(s, STREAM_FLOWS, 5, 1);
		signal(SIGXFSZ, SIG_IGN);
		struct rlimit limit = { 2000, RLIM_INFINITY };
		setrlimit(RLIMIT_FSIZE, &limit);
		int error = 0;
		uint64_t i = 2;
		for (; !error && i < 20; i++)
			error = put(s, STREAM_FLOWS, 5, i);
		if (error != -EFBIG)
			_exit(1);
		limit.rlim_cur = RLIM_INFINITY;
		setrlimit(RLIMIT_FSIZE, &limit);
		if (spool_stats(s).refused != 1 || put(s, STREAM_FLOWS, 5, i))
			_exit(2);
		spool_close(s);
		_exit(0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(WEXITSTATUS(status), 0);
	uint64_t sum[3], last;
	unsigned n = count_frames(STREAM_FLOWS, 5, NULL, &last);
	cr_assert_eq(n, last - 1);
	read_losses(sum);
	cr_assert_eq(sum[0], 1);
	cr_assert_eq(sum[1], last - 1);
}

/* The replay that is started again writes what the first one could not. */
Test(spool, replay_ends_at_the_first_batch_that_is_refused)
{
	const struct spool_options options = {
		.dir = dir, .max_bytes = MAX, .segment_bytes = SEGMENT, .replay = true
	};
	pid_t child = fork();
	char why[256];
	struct spool *s;

	if (child == 0) {
		struct rlimit limit = { 2000, RLIM_INFINITY };
		if (spool_open(&options, &s, why))
			_exit(1);
		put(s, STREAM_FLOWS, 5, 1);
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		uint64_t i = 2;
		while (i < 20 && !put(s, STREAM_FLOWS, 5, i))
			i++;
		limit.rlim_cur = RLIM_INFINITY;
		setrlimit(RLIMIT_FSIZE, &limit);
		if (put(s, STREAM_FLOWS, 5, i + 1) != -EFBIG ||
		    put(s, STREAM_ALERTS, 5, 1) != -EFBIG || spool_stats(s).refused != 3)
			_exit(2);
		spool_close(s);
		_exit(0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(WEXITSTATUS(status), 0);
	cr_assert_eq(spool_open(&options, &s, why), 0, "%s", why);
	for (uint64_t i = 1; i <= 20; i++)
		cr_assert_eq(put(s, STREAM_FLOWS, 5, i), 0);
	cr_assert_eq(put(s, STREAM_ALERTS, 5, 1), 0);
	spool_close(s);
	uint64_t sum[3], last;
	cr_assert_eq(count_frames(STREAM_FLOWS, 5, NULL, &last), 20);
	cr_assert_eq(count_frames(STREAM_ALERTS, 5, NULL, &last), 1);
	read_losses(sum);
	cr_assert_eq(sum[0], 0);
}

Test(spool, positions_are_kept_apart)
{
	struct spool_position p = { 3, 4 }, q;

	cr_assert_eq(spool_load_position(dir, "soc", STREAM_FLOWS, &q), 0);
	cr_assert_eq(q.segment, 0);
	cr_assert_eq(spool_store_position(dir, "soc", STREAM_FLOWS, p), 0);
	p.segment = 9;
	cr_assert_eq(spool_store_position(dir, "soc", STREAM_ALERTS, p), 0);
	cr_assert_eq(spool_load_position(dir, "soc", STREAM_FLOWS, &q), 0);
	cr_assert_eq(q.segment, 3);
	cr_assert_eq(q.offset, 4);
	cr_assert_eq(spool_load_position(dir, "file", STREAM_FLOWS, &q), 0);
	cr_assert_eq(q.segment, 0);
	cr_assert_eq(spool_store_position(dir, "../x", STREAM_FLOWS, p), -EINVAL);
	cr_assert_eq(spool_least_position(dir, STREAM_ALERTS, &q), true);
	cr_assert_eq(q.segment, 9);
}

/* Any changed or missing byte is noticed: a wrong position would skip batches. */
Test(spool, damaged_positions_are_the_beginning)
{
	const struct spool_position p = { 3, 4 };
	struct spool_position q;
	struct buf good = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/acks/soc", dir);
	cr_assert_eq(spool_store_position(dir, "soc", STREAM_FLOWS, p), 0);
	cr_assert_eq(file_read(path, 4096, &good), 0);
	for (size_t i = 0; i < good.len; i++) {
		cr_assert_eq(file_replace(path, good.data, i, 0640), 0);
		cr_assert_eq(spool_load_position(dir, "soc", STREAM_FLOWS, &q), -EBADMSG, "%zu", i);
		cr_assert_eq(q.segment, 0);
		good.data[i] ^= 1;
		cr_assert_eq(file_replace(path, good.data, good.len, 0640), 0);
		/* A blank or the line's end in the seal itself may be any other. */
		if (i < good.len - 1 && i != good.len - 10)
			cr_assert_eq(spool_load_position(dir, "soc", STREAM_FLOWS, &q), -EBADMSG,
				     "%zu", i);
		good.data[i] ^= 1;
	}
	cr_assert_eq(spool_store_position(dir, "soc", STREAM_FLOWS, p), 0);
	cr_assert_eq(spool_load_position(dir, "soc", STREAM_FLOWS, &q), 0);
	cr_assert_eq(q.segment, 3);
	buf_finish(&good);
}

Test(spool, without_known_numbers_go_on_behind_positions)
{
	struct spool *s = open_spool(MAX, SEGMENT);
	const struct spool_position p = { 1000, 0 };
	struct spool_position q;
	struct spool_reader *r;
	struct spool_frame f;
	char path[128];

	put(s, STREAM_FLOWS, 1, 1);
	spool_close(s);
	cr_assert_eq(spool_store_position(dir, "soc", STREAM_FLOWS, p), 0);
	cr_assert_eq(spool_trim(dir, STREAM_FLOWS, p), 0);
	snprintf(path, sizeof(path), "%s/flows/known", dir);
	cr_assert_eq(unlink(path), 0);
	s = open_spool(MAX, SEGMENT);
	put(s, STREAM_FLOWS, 1, 2);
	spool_close(s);
	cr_assert_eq(spool_load_position(dir, "soc", STREAM_FLOWS, &q), 0);
	r = open_reader(STREAM_FLOWS, q);
	cr_assert_eq(spool_read(r, &f), 1);
	cr_assert_eq(f.sequence, 2);
	cr_assert_gt(f.segment, 1000);
	spool_reader_close(r);
}

Test(spool, reader_goes_on_where_it_stood)
{
	struct spool *s = open_spool(MAX, SEGMENT);
	struct spool_position p = beginning;
	struct spool_frame f;

	for (uint64_t i = 1; i <= 30; i++)
		put(s, STREAM_FLOWS, 1, i);
	for (uint64_t i = 1; i <= 30; i++) {
		struct spool_reader *r = open_reader(STREAM_FLOWS, p);
		cr_assert_eq(spool_read(r, &f), 1);
		cr_assert_eq(f.sequence, i);
		p = spool_reader_position(r);
		spool_reader_close(r);
		cr_assert_eq(spool_trim(dir, STREAM_FLOWS, p), 0);
	}
	cr_assert_leq(segment_count(STREAM_FLOWS), 2);
	spool_close(s);
}

Test(spool, tools_tell_what_is_there)
{
	struct buf out = { 0 };

	cr_assert_eq(spool_list(dir, &out), 2);
	cr_assert(strstr(out.data, "no spool here"), "%s", out.data);
	struct spool *s = open_spool(MAX, SEGMENT);
	for (uint64_t i = 1; i <= 12; i++)
		put(s, STREAM_FLOWS, 1, i);
	spool_store_position(dir, "soc", STREAM_FLOWS, beginning);
	buf_clear(&out);
	cr_assert_eq(spool_list(dir, &out), 0);
	cr_assert(strstr(out.data, "soc                    0, 0, 12\n"), "%s", out.data);
	buf_clear(&out);
	cr_assert_eq(spool_verify(dir, &out), 0);
	cr_assert(strstr(out.data, "no damage"), "%s", out.data);
	spool_close(s);
	buf_finish(&out);
}
