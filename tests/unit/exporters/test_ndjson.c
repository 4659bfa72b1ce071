/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/exporters/spool_helper.h"

#include <errno.h>

#include "base/file.h"
#include "exporters/exporter.h"

TestSuite(ndjson, .init = make_dir, .fini = remove_dir);

struct session {
	struct yaml *yaml;
	struct problems problems;
	void *state;
};

static const struct exporter *ndjson(void)
{
	return exporter_find("ndjson");
}

static void open_session(struct session *s)
{
	char path[128], why[256];
	struct buf text = { 0 };

	snprintf(path, sizeof(path), "%s/destination.yaml", dir);
	buf_format(&text, "path: %s/out.json\n", dir);
	cr_assert_eq(file_replace(path, text.data, text.len, 0600), 0);
	buf_finish(&text);
	*s = (struct session){ .state = calloc(1, ndjson()->state_size) };
	s->yaml = yaml_open(path, &s->problems);
	ndjson()->configure(s->state, yaml_root(s->yaml), "span-1");
	cr_assert_eq(s->problems.count, 0);
	cr_assert_eq(ndjson()->open(s->state, why), 0, "%s", why);
}

static void close_session(struct session *s)
{
	ndjson()->close(s->state);
	free(s->state);
	yaml_close(s->yaml);
	problems_finish(&s->problems);
}

static unsigned delivered, refused;
static char reason[256];

static void done(void *context, const struct delivery_report *r)
{
	(void)context;
	delivered += r->outcome == DELIVERED;
	refused += r->outcome == REFUSED;
	snprintf(reason, sizeof(reason), "%s", r->reason ? r->reason : "");
}

static void work(struct session *s)
{
	cr_assert_eq(ndjson()->poll(s->state, (struct usec){ 0 }, done, NULL), 0);
}

/* Submits the frames of a stream from a sequence on, without a poll. */
static void submit_from(struct session *s, enum stream stream, uint64_t from)
{
	struct spool_reader *r = open_reader(stream, (struct spool_position){ 0 });
	struct spool_frame f;

	while (spool_read(r, &f) == 1)
		if (f.sequence >= from)
			cr_assert_eq(ndjson()->submit(s->state, f.sequence, &f), 0);
	spool_reader_close(r);
}

static void make_spool(unsigned batches)
{
	struct spool *s = open_spool(0, 0);
	for (uint64_t i = 1; i <= batches; i++)
		put(s, STREAM_FLOWS, 5, i);
	spool_close(s);
}

static size_t lines(void)
{
	char path[128];
	struct buf text = { 0 };
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/out.json", dir);
	cr_assert_eq(file_read(path, 16 << 20, &text), 0);
	for (size_t i = 0; i < text.len; i++)
		n += text.data[i] == '\n';
	if (text.len) {
		cr_assert_eq(strncmp(text.data, "{\"type\":\"flow\"", 14), 0);
		cr_assert_eq(text.data[text.len - 1], '\n');
	}
	buf_finish(&text);
	return n;
}

Test(ndjson, records_become_lines)
{
	struct session s;

	make_spool(10);
	open_session(&s);
	submit_from(&s, STREAM_FLOWS, 1);
	work(&s);
	cr_assert_eq(delivered, 10);
	close_session(&s);
	cr_assert_eq(lines(), 10);
}

Test(ndjson, what_was_not_reported_is_written_again_once)
{
	struct session s;
	char path[128];
	struct buf text = { 0 };

	make_spool(10);
	open_session(&s);
	submit_from(&s, STREAM_FLOWS, 6);
	work(&s);
	close_session(&s);
	/* As if killed between the lines and the report: a part of a line too much. */
	snprintf(path, sizeof(path), "%s/out.json", dir);
	cr_assert_eq(file_read(path, 16 << 20, &text), 0);
	buf_text(&text, "{\"type\":\"flow\",\"id\":\"ha");
	cr_assert_eq(file_replace(path, text.data, text.len, 0640), 0);
	buf_finish(&text);
	open_session(&s);
	cr_assert_eq(lines(), 5);
	close_session(&s);
}

/* Killed behind the very first lines, before any report. */
Test(ndjson, first_lines_are_not_doubled_either)
{
	struct session s;
	char path[128];

	make_spool(3);
	open_session(&s);
	snprintf(path, sizeof(path), "%s/out.json", dir);
	FILE *f = fopen(path, "w");
	fputs("{\"type\":\"flow\"}\n", f);
	fclose(f);
	close_session(&s);
	open_session(&s);
	submit_from(&s, STREAM_FLOWS, 1);
	work(&s);
	close_session(&s);
	cr_assert_eq(lines(), 3);
}

Test(ndjson, lines_of_others_stay)
{
	struct session s;
	char path[128];

	make_spool(3);
	snprintf(path, sizeof(path), "%s/out.json", dir);
	FILE *f = fopen(path, "w");
	fputs("{\"type\":\"flow\"}\n", f);
	fclose(f);
	open_session(&s);
	submit_from(&s, STREAM_FLOWS, 1);
	work(&s);
	close_session(&s);
	cr_assert_eq(lines(), 4);
}

Test(ndjson, what_was_reported_is_not_written_twice)
{
	struct session s;

	make_spool(10);
	for (int i = 0; i < 3; i++) {
		open_session(&s);
		submit_from(&s, STREAM_FLOWS, 1);
		work(&s);
		close_session(&s);
	}
	cr_assert_eq(delivered, 30);
	cr_assert_eq(lines(), 10);
}

Test(ndjson, new_file_is_filled_from_the_beginning)
{
	struct session s;
	char path[128];

	make_spool(4);
	open_session(&s);
	submit_from(&s, STREAM_FLOWS, 1);
	work(&s);
	close_session(&s);
	snprintf(path, sizeof(path), "%s/out.json", dir);
	cr_assert_eq(remove(path), 0);
	open_session(&s);
	submit_from(&s, STREAM_FLOWS, 1);
	work(&s);
	close_session(&s);
	cr_assert_eq(lines(), 4);
}

Test(ndjson, batch_that_is_none_is_refused_and_leaves_no_line)
{
	struct session s;
	struct spool_frame f = { .stream = STREAM_FLOWS,
				 .epoch = 1,
				 .sequence = 1,
				 .payload = "not zstd",
				 .length = 8 };

	make_spool(1);
	open_session(&s);
	cr_assert_eq(ndjson()->submit(s.state, 1, &f), 0);
	work(&s);
	cr_assert_eq(refused, 1);
	cr_assert(strstr(reason, "zstd"), "%s", reason);
	close_session(&s);
	cr_assert_eq(lines(), 0);
}

Test(ndjson, file_that_cannot_be_written_is_named)
{
	char why[256];
	void *state = calloc(1, ndjson()->state_size);
	struct problems problems = { 0 };
	char path[128];
	static const char text[] = "path: /proc/none/out.json\n";

	snprintf(path, sizeof(path), "%s/destination.yaml", dir);
	cr_assert_eq(file_replace(path, text, sizeof(text) - 1, 0600), 0);
	struct yaml *y = yaml_open(path, &problems);
	ndjson()->configure(state, yaml_root(y), "span-1");
	cr_assert_neq(ndjson()->open(state, why), 0);
	cr_assert(strstr(why, "/proc/none/out.json"), "%s", why);
	ndjson()->close(state);
	free(state);
	yaml_close(y);
	problems_finish(&problems);
}
