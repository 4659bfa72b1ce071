/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/params.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 256 };

struct reading {
	struct params *to;
	struct usec now;
	struct reply *reply;
};

/* What has to follow the name in the sentence; NULL when the value is right. */
typedef const char *read_value(struct reading *r, const char *value);

/* A point in time, or how long ago; that is rounded down to the minute, where
 * the rollups' rows begin. */
static const char *read_time(const char *value, struct usec now, struct usec *out, bool *has)
{
	const int64_t minute = 60LL * USEC_PER_SECOND;
	struct usec span;

	*has = true;
	if (clock_parse(value, out))
		return NULL;
	if (!clock_parse_span(value, &span))
		return "is no time; write 2026-01-02T03:04:05Z, or a span back from now such as 1h";
	out->v = span.v > now.v ? 0 : (now.v - span.v) / minute * minute;
	return NULL;
}

static const char *since(struct reading *r, const char *value)
{
	return read_time(value, r->now, &r->to->filter.since, &r->to->filter.has_since);
}

static const char *until(struct reading *r, const char *value)
{
	return read_time(value, r->now, &r->to->filter.until, &r->to->filter.has_until);
}

static const char *read_text(const char *value, const char **to)
{
	if (strlen(value) > TEXT_MOST)
		return "is longer than 256 characters";
	*to = value;
	return NULL;
}

#define TEXT(name, member) \
	static const char *name(struct reading *r, const char *value) \
	{ \
		return read_text(value, &r->to->member); \
	}
TEXT(segment, filter.segment)
TEXT(client_segment, filter.client_segment)
TEXT(server_segment, filter.server_segment)
TEXT(app, filter.app)
TEXT(vendor, filter.vendor)
TEXT(sensor, filter.sensor)
TEXT(role, filter.role)
TEXT(exercise, filter.exercise)
TEXT(cursor, cursor)
#undef TEXT

static const char *ip(struct reading *r, const char *value)
{
	r->to->filter.has_ip = true;
	return ip_prefix_parse(value, &r->to->filter.ip);
}

static bool read_number(const char *value, unsigned long most, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)*value) || strlen(value) > 9)
		return false;
	*out = strtoul(value, &end, 10);
	return !*end && *out <= most;
}

static const char *port(struct reading *r, const char *value)
{
	unsigned long n;

	if (!read_number(value, 65535, &n))
		return "is no port; write 0 to 65535";
	r->to->filter.has_port = true;
	r->to->filter.port = (uint16_t)n;
	return NULL;
}

static const char *verdict(struct reading *r, const char *value)
{
	int v = verdict_of(value);

	if (v < 0)
		return "is no verdict; write for instance cross-segment or unknown-third-party";
	r->to->filter.has_verdict = true;
	r->to->filter.verdict = (enum verdict)v;
	return NULL;
}

static const char *severity(struct reading *r, const char *value)
{
	int v = severity_of(value);

	if (v < 0)
		return "is no severity; write info, low, high or critical";
	r->to->filter.severity = (enum severity)v;
	return NULL;
}

static const char *limit(struct reading *r, const char *value)
{
	unsigned long n;

	if (!read_number(value, 999999999, &n) || n == 0)
		return "is no number of rows; write 1 or more";
	r->to->limit = n;
	return NULL;
}

static const char *by(struct reading *r, const char *value)
{
	int v = store_by_of(value);

	if (v < 0)
		return "is unknown; write client, server, app, segment, pair, vendor or verdict";
	r->to->by = (enum store_by)v;
	return NULL;
}

static const char *order(struct reading *r, const char *value)
{
	int v = store_order_of(value);

	if (v < 0)
		return "is unknown; write bytes, packets or flows";
	r->to->order = (enum store_order)v;
	return NULL;
}

static const char *sql(struct reading *r, const char *value)
{
	r->to->sql = value;
	return NULL;
}

static const char *format(struct reading *r, const char *value)
{
	static const char *const words[] = { "json", "ndjson", "csv" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], value))
			continue;
		r->to->format = (enum format)i;
		return NULL;
	}
	return "is unknown; write json, ndjson or csv";
}

enum { FILTER = 64, TIME = 128, ALWAYS = 256, LIMIT = 512 };

static const struct {
	const char *name;
	unsigned when;
	read_value *read;
} known[] = {
	{ "since", FILTER | TIME, since },
	{ "until", FILTER | TIME, until },
	{ "segment", FILTER, segment },
	{ "client-segment", FILTER, client_segment },
	{ "server-segment", FILTER, server_segment },
	{ "ip", FILTER, ip },
	{ "port", FILTER, port },
	{ "app", FILTER, app },
	{ "verdict", FILTER, verdict },
	{ "severity", FILTER, severity },
	{ "vendor", FILTER, vendor },
	{ "sensor", FILTER, sensor },
	{ "role", FILTER, role },
	{ "exercise", FILTER, exercise },
	{ "limit", LIMIT, limit },
	{ "format", ALWAYS, format },
	{ "cursor", PARAMS_CURSOR, cursor },
	{ "by", PARAMS_BY, by },
	{ "order", PARAMS_BY, order },
	{ "q", PARAMS_SQL, sql },
};

static unsigned accepted(unsigned extra)
{
	if (extra & PARAMS_NONE)
		return 0;
	if (extra & PARAMS_SQL)
		return extra | TIME | ALWAYS | LIMIT;
	return extra | FILTER | ALWAYS | LIMIT;
}

static void list_known(unsigned accept, struct buf *out)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].when & accept)
			buf_format(out, "%s%s", out->len ? ", " : "", known[i].name);
}

static bool refuse_unknown(const char *name, unsigned accept, struct reply *reply)
{
	struct buf list = { 0 };

	list_known(accept, &list);
	reply_error(reply, 400, "there is no parameter %.40s here; %s%s", name,
		    list.len ? "there are " : "there are none", list.data ? list.data : "");
	buf_finish(&list);
	return false;
}

static bool read_one(struct reading *r, const struct request_param *p, unsigned accept)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!(known[i].when & accept) || strcmp(known[i].name, p->name))
			continue;
		const char *wrong = known[i].read(r, p->value);
		if (wrong)
			reply_error(r->reply, 400, "%s: %.60s %s", p->name, p->value, wrong);
		return !wrong;
	}
	return refuse_unknown(p->name, accept, r->reply);
}

static bool stood_before(const struct request *q, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!strcmp(q->params[i].name, q->params[at].name))
			return true;
	return false;
}

bool params_read(const struct request *q, unsigned extra, struct usec now, struct params *out,
		 struct reply *reply)
{
	struct reading r = { .to = out, .now = now, .reply = reply };

	*out = (struct params){ 0 };
	for (size_t i = 0; i < q->param_count; i++) {
		if (stood_before(q, i)) {
			reply_error(reply, 400, "%.40s stands twice; once is enough",
				    q->params[i].name);
			return false;
		}
		if (!read_one(&r, &q->params[i], accepted(extra)))
			return false;
	}
	const struct store_filter *f = &out->filter;
	if (f->has_since && f->has_until && f->since.v >= f->until.v) {
		reply_error(reply, 400, "until is not after since; nothing can lie between");
		return false;
	}
	return true;
}
