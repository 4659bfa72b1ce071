/* SPDX-License-Identifier: Apache-2.0
 *
 * Exactly once, whatever happens: a child ingests and is killed at any moment,
 * and another one sends everything that was not acknowledged again. */
#include "collector/store.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/collector/sample.h"

enum { BATCHES = 400, FLOWS = 30, ROUNDS = 60 };

static void *open_store(const char *dir)
{
	struct store_options options = { .dir = dir };
	char why[256] = "";
	void *state = calloc(1, store_sqlite.state_size);

	cr_assert_eq(store_sqlite.open(state, &options, why), 0, "%s", why);
	return state;
}

static void close_store(void *state)
{
	store_sqlite.close(state);
	free(state);
}

/* Each batch has flows of three days and an alert, so it touches four files. */
static void send_batch(void *state, uint64_t sequence)
{
	static const char *const days[] = { "2026-01-02T03:04:05Z", "2026-01-03T03:04:05Z",
					    "2026-01-05T03:04:05Z" };
	struct record r[FLOWS + 1];
	char ids[FLOWS][32];

	for (int i = 0; i < FLOWS; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%d-%d", (int)sequence, i);
		r[i] = sample_flow(ids[i], days[i % 3]);
	}
	r[FLOWS] = (struct record){
		.type = RECORD_ALERT,
		.alert = { .id = "a", .kind = "k", .sensor = "span-1", .count = 1 }
	};
	struct store_batch b = sample_batch(sequence, r, FLOWS + 1);
	cr_assert_eq(store_sqlite.ingest(state, &b, 1, sample_time("2026-01-10")), 0);
}

/* Acknowledges each batch through the pipe after it was ingested. */
static void child(const char *dir, uint64_t from, int acknowledge)
{
	void *state = open_store(dir);

	for (uint64_t i = from; i <= BATCHES; i++) {
		send_batch(state, i);
		if (write(acknowledge, "+", 1) != 1)
			abort();
	}
	close_store(state);
	_exit(0);
}

/* One life of the child; how many batches it acknowledged. */
static uint64_t live(const char *dir, uint64_t from, long nanoseconds)
{
	char got[BATCHES];
	int ends[2];
	ssize_t n;
	uint64_t count = 0;

	cr_assert_eq(pipe(ends), 0);
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		close(ends[0]);
		child(dir, from, ends[1]);
	}
	close(ends[1]);
	if (nanoseconds) {
		nanosleep(&(struct timespec){ .tv_nsec = nanoseconds }, NULL);
		kill(pid, SIGKILL);
	}
	waitpid(pid, NULL, 0);
	while ((n = read(ends[0], got, sizeof(got))) > 0)
		count += (uint64_t)n;
	close(ends[0]);
	return count;
}

static void check(const char *dir)
{
	static const struct {
		const char *sql, *want;
	} rows[] = {
		{ "SELECT count(*) AS n, count(DISTINCT id) AS ids FROM flows",
		  "n=12000 ids=12000 \n" },
		{ "SELECT sum(flows) AS n FROM rollup_minute", "n=12000 \n" },
		{ "SELECT sum(flows) AS n FROM rollup_hour", "n=12000 \n" },
		{ "SELECT count AS n FROM alerts", "n=400 \n" },
	};
	void *state = open_store(dir);
	struct answer_text got = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_answer answer;
		struct store_sink sink = sample_sink(&got);
		struct store_sql q = { .text = rows[i].sql, .limit = 10, .deadline = soon() };
		cr_assert_eq(store_sqlite.sql(state, &q, &sink, &answer), 0, "%s", answer.why);
		cr_assert_str_eq(got.text.data, rows[i].want, "%s", rows[i].sql);
	}
	buf_finish(&got.text);
	close_store(state);
}

Test(store_kill, every_flow_exactly_once)
{
	char dir[64];
	uint64_t done = 0, killed = 0;

	sample_dir(dir);
	srandom(20260102);
	for (int i = 0; i < ROUNDS && done < BATCHES; i++) {
		done += live(dir, done + 1, 1000000 + random() % 20000000);
		killed++;
	}
	done += live(dir, done + 1, 0);
	cr_assert_eq(done, BATCHES);
	cr_assert_gt(killed, 2, "the child was too fast to be killed");
	check(dir);
	sample_remove(dir);
}
