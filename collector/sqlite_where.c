/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/sqlite_where.h"

#include <assert.h>
#include <string.h>

static bool is_set(const char *text)
{
	return text && *text;
}

/* What each table can be asked by, beside exercise. */
enum {
	BY_TIME = 1,
	BY_SEGMENT = 2,
	BY_SIDES = 4,
	BY_IP = 8,
	BY_PORT = 16,
	BY_APP = 32,
	BY_VENDOR = 64,
	BY_SENSOR = 128,
	BY_VERDICT = 256,
	BY_SEVERITY = 512,
	BY_ALL = 1023, /* of flows and alerts */
	BY_ROLE = 1024,
};

static const unsigned fits[] = {
	[TABLE_FLOWS] = BY_ALL,
	[TABLE_ALERTS] = BY_ALL,
	[TABLE_COVERAGE] = BY_TIME | BY_SEGMENT | BY_SENSOR,
	[TABLE_MINUTE] = BY_TIME | BY_SEGMENT | BY_SIDES | BY_VERDICT,
	[TABLE_HOUR] = BY_TIME | BY_SEGMENT | BY_SIDES | BY_IP | BY_APP,
	[TABLE_SENSORS] = BY_SENSOR,
	[TABLE_HOSTS] = BY_TIME | BY_SEGMENT | BY_IP | BY_SENSOR | BY_ROLE,
};

const char *where_misfit(enum table table, const struct store_filter *f)
{
	const struct {
		unsigned bit;
		bool asked;
		const char *name;
	} rows[] = {
		{ BY_TIME, f->has_since, "since" },
		{ BY_TIME, f->has_until, "until" },
		{ BY_SEGMENT, is_set(f->segment), "segment" },
		{ BY_SIDES, is_set(f->client_segment), "client-segment" },
		{ BY_SIDES, is_set(f->server_segment), "server-segment" },
		{ BY_IP, f->has_ip, "ip" },
		{ BY_PORT, f->has_port, "port" },
		{ BY_APP, is_set(f->app), "app" },
		{ BY_VENDOR, is_set(f->vendor), "vendor" },
		{ BY_SENSOR, is_set(f->sensor), "sensor" },
		{ BY_VERDICT, f->has_verdict, "verdict" },
		{ BY_SEVERITY, f->severity > SEVERITY_INFO, "severity" },
		{ BY_ROLE, is_set(f->role), "role" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].asked && !(fits[table] & rows[i].bit))
			return rows[i].name;
	return NULL;
}

void where_and(struct where *w, const char *text)
{
	buf_text(&w->sql, w->sql.len ? " AND " : " WHERE ");
	buf_text(&w->sql, text);
}

static struct where_bind *bind(struct where *w, enum db_type type)
{
	assert(w->count < WHERE_BINDS);
	struct where_bind *b = &w->binds[w->count++];
	b->type = type;
	return b;
}

void where_int(struct where *w, int64_t v)
{
	bind(w, DB_INTEGER)->integer = v;
}

static void text(struct where *w, const char *v)
{
	bind(w, DB_TEXT)->text = v;
}

static void text_is(struct where *w, const char *clause, const char *v)
{
	if (!is_set(v))
		return;
	where_and(w, clause);
	text(w, v);
}

static void time_is(struct where *w, enum table table, const struct store_filter *f)
{
	static const char *const since[] = {
		[TABLE_FLOWS] = "start >= ?",     [TABLE_ALERTS] = "last_seen >= ?",
		[TABLE_COVERAGE] = "minute >= ?", [TABLE_MINUTE] = "minute >= ?",
		[TABLE_HOUR] = "hour >= ?",       [TABLE_HOSTS] = "last_seen >= ?",
	};
	static const char *const until[] = {
		[TABLE_FLOWS] = "start < ?",     [TABLE_ALERTS] = "first_seen < ?",
		[TABLE_COVERAGE] = "minute < ?", [TABLE_MINUTE] = "minute < ?",
		[TABLE_HOUR] = "hour < ?",       [TABLE_HOSTS] = "first_seen < ?",
	};

	if (f->has_since) {
		where_and(w, since[table]);
		where_int(w, f->since.v);
	}
	if (f->has_until) {
		where_and(w, until[table]);
		where_int(w, f->until.v);
	}
}

static void segments_are(struct where *w, enum table table, const struct store_filter *f)
{
	if (table == TABLE_COVERAGE || table == TABLE_HOSTS) {
		text_is(w, "segment = ?", f->segment);
	} else if (is_set(f->segment)) {
		where_and(w, "(client_segment = ? OR server_segment = ?)");
		text(w, f->segment);
		text(w, f->segment);
	}
	text_is(w, "client_segment = ?", f->client_segment);
	text_is(w, "server_segment = ?", f->server_segment);
}

/* IPv4 is stored in its mapped form, so that one comparison of bytes serves both. */
static void ip_is_in(struct where *w, enum table table, const struct ip_prefix *prefix)
{
	uint8_t last[16];

	memcpy(last, prefix->addr.bytes, 16);
	for (unsigned bit = prefix->length; bit < 128; bit++)
		last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	where_and(w, table == TABLE_HOSTS
			     ? "ip BETWEEN ? AND ?"
			     : "(client_ip BETWEEN ? AND ? OR server_ip BETWEEN ? AND ?)");
	for (int i = 0; i < (table == TABLE_HOSTS ? 1 : 2); i++) {
		memcpy(bind(w, DB_BLOB)->bytes, prefix->addr.bytes, 16);
		memcpy(bind(w, DB_BLOB)->bytes, last, 16);
	}
}

void where_filter(struct where *w, enum table table, const struct store_filter *f)
{
	assert(!where_misfit(table, f));
	where_and(w, "exercise = ?");
	text(w, f->exercise ? f->exercise : "");
	time_is(w, table, f);
	segments_are(w, table, f);
	if (f->has_ip)
		ip_is_in(w, table, &f->ip);
	if (f->has_port) {
		where_and(w, "server_port = ?");
		where_int(w, f->port);
	}
	text_is(w, "app = ?", f->app);
	text_is(w, "vendor = ?", f->vendor);
	text_is(w, "sensor = ?", f->sensor);
	text_is(w, "EXISTS (SELECT 1 FROM m.host_roles WHERE host = h.id AND role = ?)", f->role);
	if (f->has_verdict && table == TABLE_ALERTS) {
		text_is(w, "kind = ?", verdict_name(f->verdict));
	} else if (f->has_verdict) {
		where_and(w, "verdict = ?");
		where_int(w, f->verdict);
	}
	if (f->severity > SEVERITY_INFO) {
		/* The second half is what the partial index asks for. */
		where_and(w, table == TABLE_FLOWS ? "severity >= ? AND severity > 0"
						  : "severity >= ?");
		where_int(w, f->severity);
	}
}

int where_apply(const struct where *w, struct db_stmt *s, int at)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct where_bind *b = &w->binds[i];
		if (b->type == DB_INTEGER)
			db_bind_int(s, at++, b->integer);
		else if (b->type == DB_TEXT)
			db_bind_text(s, at++, b->text);
		else
			db_bind_blob(s, at++, b->bytes, sizeof(b->bytes));
	}
	return at;
}

void where_finish(struct where *w)
{
	buf_finish(&w->sql);
	w->count = 0;
}
