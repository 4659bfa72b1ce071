/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_query.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "collector/cli_config.h"
#include "collector/cli_http.h"
#include "collector/cli_text.h"
#include "collector/cli_views.h"

enum {
	DONE = 0,
	FOUND = 1,
	WRONG_USAGE = 2,
	NOT_WHOLE = 3,
	ANSWER_MOST = 256 << 20,
	STATEMENT_MOST = 1 << 20,
	TABLE_ROWS = 50,
	SQL_ROWS = 1000,
	PAGES_MOST = 1000,
};

struct query {
	const struct cli_arguments *arguments;
	struct connection connection;
	struct arena memory;
	const char *statement; /* of `sql`, or NULL */
	const char *format;
	const char *path;
	size_t limit; /* 0: none */
};

static int complain(const struct buf *problem, int code)
{
	log_error("%s", problem->data && !problem->failed ? problem->data : "out of memory");
	return code;
}

static int code_of(enum http_outcome outcome)
{
	return outcome == HTTP_DONE || outcome == HTTP_STOPPED ? DONE
	       : outcome == HTTP_FAILED                        ? NOT_WHOLE
							       : WRONG_USAGE;
}

static struct style find_style(void)
{
	const char *columns = getenv("COLUMNS"), *none = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO);
	struct style style = { .width = 0 };
	struct winsize size;

	if (columns && strtoul(columns, NULL, 10) >= 20)
		style.width = strtoul(columns, NULL, 10);
	else if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 20)
		style.width = size.ws_col;
	style.colour = terminal && !(none && *none) && !(term && !strcmp(term, "dumb"));
	return style;
}

static enum http_outcome fetch(const struct query *q, const char *format, size_t limit,
			       const char *cursor, http_sink *sink, void *context,
			       struct buf *problem)
{
	struct buf target = { 0 };

	buf_format(&target, "%s?format=%s", q->path, format);
	cli_put_query(q->arguments, &target);
	if (limit)
		buf_format(&target, "&limit=%zu", limit);
	if (cursor) {
		buf_text(&target, "&cursor=");
		cli_put_encoded(cursor, &target);
	}
	enum http_outcome outcome = HTTP_FAILED;
	if (target.failed)
		buf_text(problem, "out of memory");
	else
		outcome = http_fetch(&q->connection, target.data, q->statement, sink, context,
				     problem);
	buf_finish(&target);
	return outcome;
}

static bool gather(void *context, const char *bytes, size_t n)
{
	struct buf *out = context;

	buf_bytes(out, bytes, n);
	return !out->failed && out->len <= ANSWER_MOST;
}

/* One page as JSON; NULL with the exit code and a sentence. */
static json_t *fetch_page(const struct query *q, size_t limit, const char *cursor, int *code,
			  struct buf *problem)
{
	struct buf body = { 0 };
	json_t *page = NULL;
	enum http_outcome outcome = fetch(q, "json", limit, cursor, gather, &body, problem);

	*code = code_of(outcome);
	if (outcome == HTTP_STOPPED) {
		*code = NOT_WHOLE;
		buf_text(problem,
			 "the answer is too large for a table; use --limit, or --format ndjson");
	} else if (outcome == HTTP_DONE) {
		page = json_loadb(body.data ? body.data : "", body.len, 0, NULL);
		if (!json_is_array(json_object_get(page, "rows"))) {
			json_decref(page);
			page = NULL;
			*code = NOT_WHOLE;
			buf_format(problem,
				   "%s does not answer like a Vigie collector; check the address",
				   q->connection.url);
		}
	}
	buf_finish(&body);
	return page;
}

/* All pages up to the limit as one answer; its "next" is the last page's. */
static json_t *fetch_rows(const struct query *q, int *code, struct buf *problem)
{
	json_t *answer =
		fetch_page(q, q->limit, q->arguments->values[OPTION_CURSOR], code, problem);
	json_t *rows = json_object_get(answer, "rows");

	for (int i = 0; answer && i < PAGES_MOST; i++) {
		const char *next = row_text(answer, "next");
		size_t have = json_array_size(rows);
		if (!*next || (q->limit && have >= q->limit))
			break;
		json_t *page = fetch_page(q, q->limit ? q->limit - have : 0, next, code, problem);
		json_t *more = json_object_get(page, "rows");
		bool good = page && json_array_extend(rows, more) == 0;
		size_t count = json_array_size(more);
		if (good && count && json_object_get(page, "next"))
			json_object_set(answer, "next", json_object_get(page, "next"));
		else if (good)
			json_object_del(answer, "next");
		json_decref(page);
		if (!good) {
			json_decref(answer);
			return NULL;
		}
	}
	return answer;
}

static bool is_by_minute(const struct query *q)
{
	return q->arguments->values[OPTION_MINUTES];
}

/* `hosts --ip ADDRESS`, and no prefix. */
static bool is_of_one_address(const struct query *q)
{
	const char *ip = q->arguments->values[OPTION_IP];

	return ip && !strchr(ip, '/') && !strcmp(q->arguments->command->name, "hosts");
}

static void render(const struct query *q, const json_t *answer, struct buf *out)
{
	const struct {
		const char *command;
		void (*view)(const json_t *, const struct style *, struct buf *);
	} views[] = {
		{ "flows", view_flows },
		{ "alerts", view_alerts },
		{ "matrix", view_matrix },
		{ "coverage", view_coverage },
		{ "sensors", view_sensors },
		{ "sql", view_exact },
		{ "hosts", is_of_one_address(q) ? view_tenants : view_hosts },
	};
	struct style style = find_style();

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (strcmp(views[i].command, q->arguments->command->name) || is_by_minute(q))
			continue;
		views[i].view(answer, &style, out);
		return;
	}
	view_rows(answer, &style, out);
}

/* A reader that went away (`| head`) is content with what it has. */
static bool put_out(void *context, const char *bytes, size_t n)
{
	(void)context;
	return file_write_all(STDOUT_FILENO, bytes, n) == 0;
}

static bool is_of_coverage(const struct query *q)
{
	return !strcmp(q->arguments->command->name, "coverage");
}

/* Any alert is a finding; of coverage, what is not well seen. */
static int found(const struct query *q, const json_t *rows)
{
	const json_t *row;
	size_t i;

	if (!q->arguments->values[OPTION_EXIT_CODE])
		return DONE;
	json_array_foreach(rows, i, row)
	{
		if (!is_of_coverage(q) || !row_is_healthy(row))
			return FOUND;
	}
	return DONE;
}

static int show_table(const struct query *q)
{
	struct buf problem = { 0 }, out = { 0 };
	int code = DONE;
	json_t *answer = fetch_rows(q, &code, &problem);

	if (!answer) {
		code = complain(&problem, code);
		goto done;
	}
	size_t count = json_array_size(json_object_get(answer, "rows"));
	render(q, answer, &out);
	if (*row_text(answer, "next") || json_is_true(json_object_get(answer, "truncated")))
		buf_format(&out, "... more than these %zu: use --limit\n", count);
	if (out.failed)
		code = complain(&out, NOT_WHOLE);
	else
		put_out(NULL, out.data ? out.data : "", out.len);
	if (code == DONE)
		code = found(q, json_object_get(answer, "rows"));
done:
	json_decref(answer);
	buf_finish(&problem);
	buf_finish(&out);
	return code;
}

/* Other formats go through as they come; only --exit-code needs to know what
 * is in them, and asks first. */
static int pass_through(const struct query *q)
{
	struct buf problem = { 0 };
	int code = DONE;

	if (q->arguments->values[OPTION_EXIT_CODE]) {
		json_t *answer = fetch_page(q, is_of_coverage(q) ? q->limit : 1,
					    q->arguments->values[OPTION_CURSOR], &code, &problem);
		if (answer)
			code = found(q, json_object_get(answer, "rows"));
		json_decref(answer);
		if (!answer) {
			complain(&problem, code);
			buf_finish(&problem);
			return code;
		}
	}
	const char *cursor = q->arguments->values[OPTION_CURSOR];
	enum http_outcome outcome = fetch(q, q->format, q->limit, cursor, put_out, NULL, &problem);
	if (code_of(outcome) != DONE)
		code = complain(&problem, code_of(outcome));
	buf_finish(&problem);
	return code;
}

static int run(struct query *q, size_t table_rows)
{
	const char *const *values = q->arguments->values;
	struct buf problem = { 0 };
	int code;

	q->path = is_by_minute(q) ? "/v1/coverage" : q->arguments->command->path;
	q->format = values[OPTION_FORMAT] ? values[OPTION_FORMAT] : "table";
	bool table = !strcmp(q->format, "table");
	q->limit = values[OPTION_LIMIT] ? strtoul(values[OPTION_LIMIT], NULL, 10)
		   : table              ? table_rows
					: 0;
	if (is_by_minute(q) && values[OPTION_EXIT_CODE]) {
		buf_text(&problem, "--exit-code does not go with --minutes; leave one of them out");
		code = complain(&problem, WRONG_USAGE);
	} else if (!connection_find(q->arguments, &q->memory, &q->connection, &problem))
		code = complain(&problem, WRONG_USAGE);
	else
		code = table ? show_table(q) : pass_through(q);
	buf_finish(&problem);
	arena_finish(&q->memory);
	return code;
}

int query_run(const struct cli_arguments *arguments)
{
	struct query q = { .arguments = arguments };
	/* Half a matrix is none, and what is worst seen must not be left out. */
	bool whole = !strcmp(arguments->command->name, "matrix") ||
		     (is_of_coverage(&q) && !is_by_minute(&q));
	return run(&q, whole ? 0 : TABLE_ROWS);
}

int query_run_sql(const struct cli_arguments *arguments)
{
	struct query q = { .arguments = arguments, .statement = arguments->words[0] };
	struct buf statement = { 0 };
	int code = WRONG_USAGE;

	if (!strcmp(q.statement, "-")) {
		if (file_read("/dev/stdin", STATEMENT_MOST, &statement)) {
			log_error("cannot read the statement from standard input, or it is over 1 "
				  "MiB");
			goto out;
		}
		q.statement = statement.data ? statement.data : "";
	}
	code = run(&q, SQL_ROWS);
out:
	buf_finish(&statement);
	return code;
}
