/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/exporters/spool_helper.h"
#include "tests/unit/exporters/https_server.h"

#include <errno.h>

#include "exporters/exporter.h"

static struct yaml *yaml;
static struct problems problems;
static void *state;
static const struct exporter *exporter;

static void prepare(void)
{
	make_dir();
	make_certificates(dir);
	exporter = exporter_find("collector");
	state = calloc(1, exporter->state_size);
}

static void clean(void)
{
	exporter->close(state);
	free(state);
	yaml_close(yaml);
	problems_finish(&problems);
	server_stop();
	remove_dir();
}

TestSuite(collector, .init = prepare, .fini = clean, .timeout = 120);

/* Reads a destination and, unless it has mistakes, opens it. */
static void configure(const char *url, const char *ca, const char *more)
{
	char path[128], why[256];
	struct buf text = { 0 };

	snprintf(path, sizeof(path), "%s/destination.yaml", dir);
	buf_format(&text,
		   "url: %s\nca: %s/%s\ncertificate: %s/span-1.crt\nkey: %s/span-1.key\n%s\n", url,
		   dir, ca, dir, dir, more);
	cr_assert_eq(file_replace(path, text.data, text.len, 0600), 0);
	buf_finish(&text);
	yaml = yaml_open(path, &problems);
	cr_assert_not_null(yaml);
	exporter->configure(state, yaml_root(yaml), "span-1");
	if (problems.count == 0)
		cr_assert_eq(exporter->open(state, why), 0, "%s", why);
}

static void configure_port(uint16_t port)
{
	char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u", port);
	configure(url, "ca.crt", "");
	cr_assert_eq(problems.count, 0);
}

static struct outcome {
	unsigned delivered, delayed, refused;
	struct usec retry_after;
	char reason[600];
	bool seen[256];
} outcome;

static void done(void *context, const struct delivery_report *r)
{
	(void)context;
	cr_assert_lt(r->ticket, 256);
	cr_assert_not(outcome.seen[r->ticket], "one report per ticket");
	outcome.seen[r->ticket] = true;
	outcome.delivered += r->outcome == DELIVERED;
	outcome.delayed += r->outcome == DELAYED;
	outcome.refused += r->outcome == REFUSED;
	outcome.retry_after = r->retry_after;
	cr_assert_eq(r->reason == NULL, r->outcome == DELIVERED);
	snprintf(outcome.reason, sizeof(outcome.reason), "%s", r->reason ? r->reason : "");
}

/* Sends `count` frames and waits for a report about each. */
static void ship(unsigned count)
{
	memset(&outcome, 0, sizeof(outcome));
	for (unsigned i = 0; i < count;) {
		char payload[32];
		struct spool_frame f = {
			.stream = STREAM_ALERTS,
			.epoch = UINT64_MAX,
			.sequence = i + 1,
			.records = 1,
			.payload = payload,
		};
		f.length = (size_t)snprintf(payload, sizeof(payload), "payload %u", i);
		int error = exporter->submit(state, i, &f);
		memset(payload, 'x', sizeof(payload)); /* it was only lent */
		if (!error)
			i++;
		else
			cr_assert_eq(error, -EAGAIN);
		cr_assert_eq(exporter->poll(state, (struct usec){ 1000 }, done, NULL), 0);
	}
	while (outcome.delivered + outcome.delayed + outcome.refused < count)
		cr_assert_eq(exporter->poll(state, (struct usec){ 100000 }, done, NULL), 0);
}

Test(collector, batches_arrive_as_they_are)
{
	server_start(dir, 0, tls13);
	configure_port(server.port);
	ship(100);
	cr_assert_eq(outcome.delivered, 100);
	cr_assert_eq(server.stored_count, 100);
	cr_assert_eq(server.unlike, 0);
	for (size_t i = 0; i < 100; i++) {
		unsigned long long sequence;
		char expected[32];
		cr_assert_eq(sscanf(server.stored[i].url,
				    "/v1/sensors/span-1/alerts/18446744073709551615/%llu",
				    &sequence),
			     1, "%s", server.stored[i].url);
		snprintf(expected, sizeof(expected), "payload %llu", sequence - 1);
		cr_assert_eq(server.stored[i].body.len, strlen(expected));
		cr_assert_eq(memcmp(server.stored[i].body.data, expected, strlen(expected)), 0);
	}
	/* The same again: idempotent, and told so. */
	ship(100);
	cr_assert_eq(outcome.delivered, 100);
	cr_assert_eq(server.repeats, 100);
	cr_assert_eq(server.unlike, 0);
}

static struct answer busy(unsigned n, const char *url)
{
	(void)n;
	(void)url;
	return (struct answer){ 503, "7", "{\"error\":\"the store is full; make room\"}" };
}

static struct answer bad(unsigned n, const char *url)
{
	(void)n;
	(void)url;
	return (struct answer){ 422, NULL, "{\"error\":\"not \\\"good\\\" \x1b[2J\"}" };
}

static struct answer stranger(unsigned n, const char *url)
{
	(void)n;
	(void)url;
	return (struct answer){ 403, NULL, "no" };
}

Test(collector, busy_answer_delays_for_as_long_as_it_says)
{
	server.script = busy;
	server_start(dir, 0, tls13);
	configure_port(server.port);
	ship(1);
	cr_assert_eq(outcome.delayed, 1);
	cr_assert_eq(outcome.retry_after.v, 7 * USEC_PER_SECOND);
	cr_assert(strstr(outcome.reason, "the store is full; make room"), "%s", outcome.reason);
}

Test(collector, bad_batch_is_refused_with_the_reason)
{
	server.script = bad;
	server_start(dir, 0, tls13);
	configure_port(server.port);
	ship(3);
	cr_assert_eq(outcome.refused, 3);
	cr_assert_str_eq(outcome.reason, "422 not \"good\"  [2J");
}

/* Who is not let in loses nothing: it is no judgement of the batch. */
Test(collector, stranger_waits)
{
	server.script = stranger;
	server_start(dir, 0, tls13);
	configure_port(server.port);
	ship(1);
	cr_assert_eq(outcome.delayed, 1);
	cr_assert(strstr(outcome.reason, "must name the sensor"), "%s", outcome.reason);
}

Test(collector, nobody_there_backs_off_longer_and_longer)
{
	int64_t before = 0;

	configure_port(free_port());
	for (unsigned i = 0; i < 9; i++) {
		ship(1);
		cr_assert_eq(outcome.delayed, 1);
		cr_assert(strstr(outcome.reason, "nobody answers"), "%s", outcome.reason);
		int64_t most = i < 6 ? INT64_C(1) << i : 60;
		cr_assert_leq(outcome.retry_after.v, most * USEC_PER_SECOND);
		cr_assert_geq(outcome.retry_after.v, most * USEC_PER_SECOND / 2);
		cr_assert(i >= 6 || outcome.retry_after.v >= before);
		before = outcome.retry_after.v;
	}
}

Test(collector, several_that_fail_together_are_one_failure)
{
	struct spool_frame f = { .stream = STREAM_FLOWS, .payload = "x", .length = 1 };

	configure_port(free_port());
	for (f.sequence = 1; f.sequence <= 4; f.sequence++)
		cr_assert_eq(exporter->submit(state, f.sequence, &f), 0);
	cr_assert_eq(exporter->submit(state, 5, &f), -EAGAIN);
	while (outcome.delayed < 4)
		exporter->poll(state, (struct usec){ 100000 }, done, NULL);
	cr_assert_leq(outcome.retry_after.v, USEC_PER_SECOND);
}

Test(collector, wrong_authority_is_named)
{
	char url[64];

	server_start(dir, 0, tls13);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u", server.port);
	configure(url, "other.crt", "");
	ship(1);
	cr_assert_eq(outcome.delayed, 1);
	cr_assert(strstr(outcome.reason, "check `ca`"), "%s", outcome.reason);
	cr_assert_eq(server.requests, 0);
}

Test(collector, nothing_below_tls_1_3)
{
	server_start(dir, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
	configure_port(server.port);
	ship(1);
	cr_assert_eq(outcome.delayed, 1);
	cr_assert_eq(server.requests, 0);
}

Test(collector, next_address_is_used_when_one_is_dead)
{
	char urls[128];

	server_start(dir, 0, tls13);
	snprintf(urls, sizeof(urls), "[\"https://127.0.0.1:%u\", \"https://127.0.0.1:%u/\"]",
		 free_port(), server.port);
	configure(urls, "ca.crt", "");
	ship(1);
	cr_assert_eq(outcome.delayed, 1);
	cr_assert_eq(outcome.retry_after.v, 0);
	ship(20);
	cr_assert_eq(outcome.delivered, 20);
}

Test(collector, mistakes_have_places)
{
	struct buf text = { 0 };

	configure("http://127.0.0.1:1/", "none.crt", "parallel: 0\ntimeout: 1ms");
	problems_print(&problems, &text);
	cr_assert(strstr(text.data, "destination.yaml:1:"), "%s", text.data);
	cr_assert(strstr(text.data, "https://HOST:PORT"), "%s", text.data);
	cr_assert(strstr(text.data, "No such file"), "%s", text.data);
	cr_assert(strstr(text.data, "from 1 to 64"), "%s", text.data);
	cr_assert(strstr(text.data, "too short"), "%s", text.data);
	buf_finish(&text);
}

Test(collector, addresses)
{
	static const char *const bad_ones[] = {
		"ftp://x",     "https://", "https://h/path", "https://h?q",
		"https://u@h", "h:1",      "\"\"",
	};
	for (size_t i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++) {
		size_t before = problems.count;
		yaml_close(yaml);
		yaml = NULL;
		memset(state, 0, exporter->state_size);
		configure(bad_ones[i], "ca.crt", "");
		cr_expect_eq(problems.count, before + 1, "%s", bad_ones[i]);
	}
}
