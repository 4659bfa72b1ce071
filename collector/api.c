/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "collector/audit.h"
#include "collector/params.h"

enum { ROWS = 100, QUERY_SECONDS = 30, SQL_SECONDS = 10, EXPORT_PAGE = 1000, SQL_TEXT = 65536 };

struct route {
	const char *path;
	enum role role; /* at least */
	bool post;      /* POST may ask, too */
	unsigned extra; /* of params_read() */
	int question;   /* of the store, or -1 */
	void (*answer)(struct api *a, const struct route *route, const struct request *q,
		       struct reply *reply);
};

static void ask(struct api *a, const struct route *route, const struct request *q,
		struct reply *reply);
static void ask_sql(struct api *a, const struct route *route, const struct request *q,
		    struct reply *reply);
static void ask_status(struct api *a, const struct route *route, const struct request *q,
		       struct reply *reply);

static const struct route routes[] = {
	{ "/v1/flows", ROLE_VIEWER, false, PARAMS_CURSOR, STORE_FLOWS, ask },
	{ "/v1/alerts", ROLE_VIEWER, false, PARAMS_CURSOR, STORE_ALERTS, ask },
	{ "/v1/coverage", ROLE_VIEWER, false, PARAMS_CURSOR, STORE_COVERAGE, ask },
	{ "/v1/hosts", ROLE_VIEWER, false, PARAMS_CURSOR, STORE_HOSTS, ask },
	{ "/v1/coverage/segments", ROLE_VIEWER, false, 0, STORE_SEGMENTS, ask },
	{ "/v1/top", ROLE_VIEWER, false, PARAMS_BY, STORE_TOP, ask },
	{ "/v1/matrix", ROLE_VIEWER, false, 0, STORE_MATRIX, ask },
	{ "/v1/sensors", ROLE_VIEWER, false, 0, STORE_SENSORS, ask },
	{ "/v1/sql", ROLE_ANALYST, true, PARAMS_SQL, -1, ask_sql },
	{ "/v1/status", ROLE_VIEWER, false, PARAMS_NONE, -1, ask_status },
};

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (!strcmp(routes[i].path, path))
			return &routes[i];
	return NULL;
}

static struct usec in_seconds(int n)
{
	return (struct usec){ clock_monotonic().v + n * (int64_t)USEC_PER_SECOND };
}

static const char *type_of(enum format f)
{
	static const char *const types[] = { NULL, "application/x-ndjson",
					     "text/csv; charset=utf-8" };
	return types[f];
}

static void refuse(struct reply *reply, int error, const struct store_answer *answer)
{
	static struct log_limit limit = { .interval = { 60LL * USEC_PER_SECOND }, .burst = 6 };

	switch (error) {
	case -EINVAL:
	case -EACCES:
	case -E2BIG:
		reply_error(reply, 400, "%s", answer->why);
		break;
	case -ETIMEDOUT:
		reply_error(reply, 503, "%s", answer->why);
		break;
	default:
		log_limited(&limit, LOG_ERROR, "a query failed: %s", answer->why);
		reply_error(reply, 500, "the store could not answer; the collector's log says why");
		break;
	}
}

/* ---- answers in lines: page after page, made while they are sent ---- */

struct lines {
	struct api *api;
	struct store_query query;
	struct store_answer answer;
	char cursor[STORE_CURSOR];
	enum format format;
	size_t left; /* rows still wanted; 0: all there are */
	bool bounded, header_done;
	struct arena memory;
};

static int next_page(struct lines *l, struct buf *out)
{
	struct presenter p = { .format = l->format, .out = out, .started = l->header_done };

	l->query.limit = l->bounded && l->left < EXPORT_PAGE ? l->left : EXPORT_PAGE;
	l->query.cursor = l->cursor;
	l->query.deadline = in_seconds(QUERY_SECONDS);
	present_open(&p, l->query.question);
	struct store_sink sink = present_sink(&p);
	int error = l->api->driver->query(l->api->store, &l->query, &sink, &l->answer);
	l->header_done = true;
	l->left -= l->bounded ? p.rows : 0;
	memcpy(l->cursor, l->answer.next, sizeof(l->cursor));
	present_finish(&p);
	return error;
}

static bool has_more(const struct lines *l)
{
	return l->cursor[0] && (!l->bounded || l->left);
}

static int more_lines(void *context, struct buf *out)
{
	struct lines *l = context;

	if (!has_more(l))
		return 0;
	int error = next_page(l, out);
	return error ? error : 1;
}

static void close_lines(void *context)
{
	struct lines *l = context;
	arena_finish(&l->memory);
	free(l);
}

/* The request will be gone while the answer is still being made. */
static struct lines *open_lines(struct api *a, const struct route *route, const struct request *q,
				struct reply *reply)
{
	struct lines *l = calloc(1, sizeof(*l));
	struct request own = *q;
	struct params p;

	if (!l)
		return NULL;
	for (size_t i = 0; i < q->param_count; i++) {
		own.params[i].name = q->params[i].name;
		own.params[i].value =
			arena_text(&l->memory, q->params[i].value, strlen(q->params[i].value));
		if (!own.params[i].value)
			goto fail;
	}
	if (!params_read(&own, route->extra, clock_wall(), &p, reply))
		goto fail;
	l->api = a;
	l->format = p.format;
	l->left = p.limit;
	l->bounded = p.limit != 0;
	l->query = (struct store_query){ .question = (enum store_question)route->question,
					 .filter = p.filter };
	snprintf(l->cursor, sizeof(l->cursor), "%s", p.cursor ? p.cursor : "");
	return l;
fail:
	close_lines(l);
	return NULL;
}

static void ask_lines(struct api *a, const struct route *route, const struct request *q,
		      struct reply *reply)
{
	struct lines *l = open_lines(a, route, q, reply);

	if (!l) {
		if (!reply->status)
			reply_error(reply, 503, "out of memory; try again");
		return;
	}
	int error = next_page(l, &reply->body);
	if (error) {
		refuse(reply, error, &l->answer);
		close_lines(l);
		return;
	}
	reply->status = 200;
	reply->type = type_of(l->format);
	if (l->bounded && l->cursor[0] && !l->left)
		memcpy(reply->next, l->cursor, sizeof(reply->next));
	if (has_more(l))
		reply->rest = (struct reply_rest){ more_lines, close_lines, l };
	else
		close_lines(l);
}

/* ---- answers in one piece ---- */

static bool is_listing(int question)
{
	return question == STORE_FLOWS || question == STORE_ALERTS || question == STORE_COVERAGE ||
	       question == STORE_HOSTS;
}

static size_t limit_of(const struct params *p, size_t otherwise)
{
	size_t n = p->limit ? p->limit : otherwise;
	return n < STORE_LIMIT_MOST ? n : STORE_LIMIT_MOST;
}

static void finish(struct reply *reply, struct presenter *p, int error,
		   const struct store_answer *answer)
{
	if (error) {
		refuse(reply, error, answer);
	} else {
		present_close(p, answer);
		reply->status = 200;
		reply->type = type_of(p->format);
		memcpy(reply->next, answer->next, sizeof(reply->next));
		reply->cut = answer->cut;
		if (reply->body.failed)
			reply_error(reply, 503, "out of memory; ask for fewer rows");
	}
	present_finish(p);
}

static void ask(struct api *a, const struct route *route, const struct request *q,
		struct reply *reply)
{
	struct params p;
	struct store_answer answer;

	if (!params_read(q, route->extra, clock_wall(), &p, reply))
		return;
	if (is_listing(route->question) && p.format != FORMAT_JSON) {
		ask_lines(a, route, q, reply);
		return;
	}
	bool whole = route->question == STORE_MATRIX || route->question == STORE_SEGMENTS;
	size_t otherwise = whole ? STORE_LIMIT_MOST : ROWS;
	struct store_query query = {
		.question = (enum store_question)route->question,
		.filter = p.filter,
		.by = p.by,
		.order = p.order,
		.limit = limit_of(&p, otherwise),
		.cursor = p.cursor,
		.deadline = in_seconds(QUERY_SECONDS),
		.now = clock_wall(),
	};
	struct presenter present = { .format = p.format, .out = &reply->body };
	present_open(&present, query.question);
	struct store_sink sink = present_sink(&present);
	int error = a->driver->query(a->store, &query, &sink, &answer);
	finish(reply, &present, error, &answer);
}

/* The statement: in the body, or in the parameter q. NULL with the refusal. */
static char *statement_of(const struct request *q, const struct params *p, struct reply *reply)
{
	if (q->length && p->sql)
		reply_error(reply, 400, "there is a statement in q and one in the body; send one");
	else if (q->length > SQL_TEXT)
		reply_error(reply, 413, "the statement is longer than 64 KiB");
	else if (q->length && memchr(q->body, 0, q->length))
		reply_error(reply, 400, "the statement holds a NUL byte");
	else if (q->length)
		return strndup(q->body, q->length);
	else if (p->sql)
		return strdup(p->sql);
	else
		reply_error(reply, 400, "there is no statement; send one SELECT in q, or POST it");
	return NULL;
}

static void ask_sql(struct api *a, const struct route *route, const struct request *q,
		    struct reply *reply)
{
	struct params p;
	struct store_answer answer;

	if (!params_read(q, route->extra, clock_wall(), &p, reply))
		return;
	char *text = statement_of(q, &p, reply);
	if (!text)
		return;
	struct store_sql sql = {
		.text = text,
		.has_since = p.filter.has_since,
		.since = p.filter.since,
		.has_until = p.filter.has_until,
		.until = p.filter.until,
		.limit = limit_of(&p, STORE_LIMIT_MOST),
		.deadline = in_seconds(SQL_SECONDS),
	};
	struct presenter present = { .format = p.format, .out = &reply->body };
	struct store_sink sink = present_sink(&present);
	int error = a->driver->sql(a->store, &sql, &sink, &answer);
	finish(reply, &present, error, &answer);
	free(text);
}

static void describe_ingest(struct json *j, struct api *a)
{
	json_open(j, "ingest", '{');
	json_u64(j, "batches", a->counts.batches);
	json_u64(j, "records", a->counts.records);
	json_u64(j, "known", a->counts.known);
	json_u64(j, "refused", a->counts.refused);
	json_u64(j, "delayed", a->counts.delayed);
	json_u64(j, "waiting", writer_depth(a->writer));
	json_close(j, '}');
}

static void ask_status(struct api *a, const struct route *route, const struct request *q,
		       struct reply *reply)
{
	struct json j = { .out = &reply->body };
	struct store_stats stats;
	struct params none;

	if (!params_read(q, route->extra, clock_wall(), &none, reply))
		return;
	if (a->driver->stats(a->store, &stats)) {
		reply_error(reply, 500, "the store's folder cannot be read");
		return;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "version", VIGIE_VERSION);
	json_u64(&j, "uptime_s",
		 (uint64_t)((clock_monotonic().v - a->started.v) / USEC_PER_SECOND));
	json_open(&j, "store", '{');
	json_text(&j, "driver", a->driver->name);
	json_u64(&j, "files", stats.partitions);
	json_u64(&j, "bytes", stats.bytes);
	if (stats.partitions) {
		json_text(&j, "from", stats.oldest);
		json_text(&j, "until", stats.newest);
	}
	json_close(&j, '}');
	describe_ingest(&j, a);
	json_close(&j, '}');
	buf_char(&reply->body, '\n');
	reply->status = 200;
}

/* ---- who may ---- */

static bool is_put(const struct request *q)
{
	return !strcmp(q->method, "PUT");
}

static bool may_ask(const struct request *q, const struct route *route, struct reply *reply)
{
	static const char *const words[] = { "", "sensor", "viewer", "analyst", "admin" };
	bool method = !strcmp(q->method, "GET") || (route->post && !strcmp(q->method, "POST"));

	if (!method)
		reply_error(reply, 405, "%s takes %s", route->path,
			    route->post ? "GET or POST" : "GET only");
	else if (q->caller->role < route->role)
		reply_error(reply, 403,
			    "the certificate of %s is not one for questions like this; "
			    "it needs OU=%s or more",
			    q->caller->name, words[route->role]);
	else
		return true;
	return false;
}

bool api_may(const struct request *q, struct reply *reply)
{
	if (is_put(q))
		return ingest_may(q, reply);
	const struct route *route = find_route(q->path);
	if (route)
		return may_ask(q, route, reply);
	reply_error(reply, 404, "there is nothing at this path; docs/api.md lists all");
	return false;
}

/* What was asked is on record before it is answered; refused questions too. */
static void audit(struct api *a, const struct request *q, struct reply *reply)
{
	static struct log_limit limit = { .interval = { 60LL * USEC_PER_SECOND } };
	int error = audit_note(a->audit, q, reply);

	if (!error)
		return;
	log_limited(&limit, LOG_ERROR, "cannot write the audit log: %s; questions are refused",
		    strerror(-error));
	reply_finish(reply);
	reply_error(reply, 503, "the audit log cannot be written, so no question is answered");
}

void api_answer(struct api *a, const struct request *q, struct reply *reply)
{
	if (is_put(q)) {
		if (!reply->status)
			ingest_put(a->writer, &a->counts, q, reply);
		else
			atomic_fetch_add(&a->counts.refused, 1);
		return;
	}
	const struct route *route = find_route(q->path);
	if (!reply->status && route)
		route->answer(a, route, q, reply);
	audit(a, q, reply);
}
