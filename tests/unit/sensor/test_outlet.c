/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "sensor/outlet.h"

enum { BATCHES = 500, GIVERS = 4 };

static struct outlet *outlet;
static int memory;

static void open_to(int fd)
{
	char why[256] = "";

	cr_assert(dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	outlet = outlet_open(&(struct outlet_options){ .json = true, .sensor = "s" }, why);
	cr_assert(outlet, "%s", why);
}

static void begin(void)
{
	memory = memfd_create("out", 0);
	open_to(memory);
}

static void *give(void *line)
{
	struct buf bytes = { 0 };

	for (int i = 0; i < BATCHES; i++) {
		buf_text(&bytes, line);
		outlet_put(outlet, &(struct outlet_batch){ .bytes = &bytes, .records = 1 });
		cr_assert_eq(bytes.len, 0u, "an empty one stands there");
	}
	buf_finish(&bytes);
	return NULL;
}

static void give_from_threads(void)
{
	pthread_t threads[GIVERS];
	static char lines[GIVERS][32];

	for (int i = 0; i < GIVERS; i++) {
		snprintf(lines[i], sizeof(lines[i]), "giver %d\n", i);
		cr_assert_eq(pthread_create(&threads[i], NULL, give, lines[i]), 0);
	}
	for (int i = 0; i < GIVERS; i++)
		pthread_join(threads[i], NULL);
}

static int lines_of(int giver)
{
	char wanted[32], line[64];
	int n = 0;
	FILE *f = fdopen(dup(memory), "r");

	rewind(f);
	snprintf(wanted, sizeof(wanted), "giver %d\n", giver);
	while (fgets(line, sizeof(line), f))
		n += !strcmp(line, wanted);
	fclose(f);
	return n;
}

Test(outlet, a_thread_writes_all_that_others_give, .init = begin)
{
	cr_assert_eq(outlet_start(outlet), 0);
	give_from_threads();
	outlet_settle(outlet);
	for (int i = 0; i < GIVERS; i++)
		cr_expect_eq(lines_of(i), BATCHES);
	cr_expect_eq(outlet_stats(outlet).fill, 0u);
	outlet_close(outlet);
}

Test(outlet, closing_writes_what_waits, .init = begin)
{
	char line[] = "giver 0\n";

	cr_assert_eq(outlet_start(outlet), 0);
	give(line);
	outlet_close(outlet);
	cr_expect_eq(lines_of(0), BATCHES);
}

Test(outlet, without_a_thread_it_writes_at_once, .init = begin)
{
	char line[] = "giver 0\n";

	give(line);
	cr_expect_eq(lines_of(0), BATCHES);
	outlet_close(outlet);
}

Test(outlet, what_cannot_be_written_is_counted)
{
	char line[] = "giver 0\n";

	open_to(open("/dev/full", O_WRONLY));
	cr_assert_eq(outlet_start(outlet), 0);
	give(line);
	outlet_settle(outlet);
	cr_expect_eq(outlet_problem(outlet), -ENOSPC);
	cr_expect_eq(outlet_stats(outlet).refused, BATCHES);
	outlet_close(outlet);
}

enum { LARGE = 128 * 1024, LARGE_ONES = 100, PATIENCE = 500 };

static void *give_large(void *unused)
{
	struct buf bytes = { 0 };

	for (int i = 0; i < LARGE_ONES; i++) {
		buf_reserve(&bytes, LARGE);
		memset(bytes.data, 'x', LARGE);
		bytes.len = LARGE;
		outlet_put(outlet, &(struct outlet_batch){ .bytes = &bytes, .records = 1 });
	}
	buf_finish(&bytes);
	return unused;
}

static size_t read_all(int fd, size_t most)
{
	static char room[LARGE];
	size_t all = 0;
	ssize_t n;

	while (all < most && (n = read(fd, room, sizeof(room))) > 0)
		all += (size_t)n;
	return all;
}

Test(outlet, who_finds_no_room_waits, .timeout = 30)
{
	pthread_t giver;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	open_to(ends[1]);
	cr_assert_eq(outlet_start(outlet), 0);
	cr_assert_eq(pthread_create(&giver, NULL, give_large, NULL), 0);
	for (int i = 0; i < PATIENCE && outlet_stats(outlet).fill < 100; i++)
		usleep(10000);
	cr_expect_eq(outlet_stats(outlet).fill, 100u, "nobody reads, and all room is taken");
	cr_expect_eq(read_all(ends[0], (size_t)LARGE * LARGE_ONES), (size_t)LARGE * LARGE_ONES);
	pthread_join(giver, NULL);
	outlet_settle(outlet);
	cr_expect_eq(outlet_stats(outlet).fill, 0u);
	cr_expect_eq(outlet_stats(outlet).refused, 0u, "nothing was lost");
	outlet_close(outlet);
}
