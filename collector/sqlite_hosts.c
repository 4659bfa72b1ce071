/* SPDX-License-Identifier: Apache-2.0
 *
 * Hosts: a row per exercise, realm, address and MAC in main.db, with a row for each role
 * and each fact. What was told of an address without its MAC belongs to the tenant who was
 * there at that time; what is known by a MAC alone, to the address that has it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/sqlite_where.h"
#include "collector/store_sqlite.h"

const char hosts_tables[] =
	"CREATE TABLE IF NOT EXISTS hosts (id INTEGER PRIMARY KEY, exercise TEXT NOT NULL,"
	" realm TEXT NOT NULL, ip BLOB NOT NULL, mac BLOB NOT NULL, mac_vendor TEXT NOT NULL,"
	" segment TEXT NOT NULL, impact INTEGER NOT NULL, sensor TEXT NOT NULL,"
	" site_revision TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
	" received INTEGER NOT NULL, UNIQUE (exercise, realm, ip, mac));"
	"CREATE INDEX IF NOT EXISTS hosts_mac ON hosts (mac);"
	"CREATE INDEX IF NOT EXISTS hosts_received ON hosts (received);"
	"CREATE TABLE IF NOT EXISTS host_roles (host INTEGER NOT NULL, role TEXT NOT NULL,"
	" confidence INTEGER NOT NULL, source TEXT NOT NULL, PRIMARY KEY (host, role))"
	" WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS host_facts (host INTEGER NOT NULL, name TEXT NOT NULL,"
	" source TEXT NOT NULL, value TEXT NOT NULL, confidence INTEGER NOT NULL,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" PRIMARY KEY (host, name, source, value)) WITHOUT ROWID;"
	/* However a host goes, what is known of it goes with it. */
	"CREATE TRIGGER IF NOT EXISTS hosts_gone AFTER DELETE ON hosts BEGIN"
	" DELETE FROM host_roles WHERE host = old.id;"
	" DELETE FROM host_facts WHERE host = old.id; END;";

#define ADD_ROLE \
	" ON CONFLICT DO UPDATE SET" \
	" source = iif(excluded.confidence > confidence, excluded.source, source)," \
	" confidence = max(confidence, excluded.confidence)"
#define ADD_FACT \
	" ON CONFLICT DO UPDATE SET confidence = max(confidence, excluded.confidence)," \
	" first = min(first, excluded.first), last = max(last, excluded.last)"
#define NEWER(column) \
	column " = iif(excluded.last_seen >= last_seen, excluded." column ", " column ")"

/* ?1 exercise, ?2 realm, ?3 ip, ?4 and ?5 a span of time */
#define AT_ADDRESS " WHERE exercise = ?1 AND realm = ?2 AND ip = ?3"
#define THEN " AND first_seen <= ?5 AND last_seen >= ?4"

/* In the order of enum host_statement. */
static const char *const statements[HOST_STATEMENTS] = {
	[HOST_TENANT] = "SELECT id FROM hosts" AT_ADDRESS " AND mac <> x''" THEN
			" ORDER BY last_seen DESC LIMIT 1",
	[HOST_STRAY] = "SELECT id FROM hosts" AT_ADDRESS " AND mac = x''" THEN,
	[HOST_PUT] =
		"INSERT INTO hosts (exercise, realm, ip, first_seen, last_seen, mac,"
		" mac_vendor, segment, impact, sensor, site_revision, received)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (exercise, realm, ip, mac) DO UPDATE SET"
		" mac_vendor = iif(excluded.mac_vendor = '', mac_vendor,"
		"  excluded.mac_vendor)," NEWER("segment") "," NEWER("impact") "," NEWER(
			"sensor") "," NEWER("site_revision") ","
							     " first_seen = min(first_seen, "
							     "excluded.first_seen),"
							     " last_seen = max(last_seen, "
							     "excluded.last_seen),"
							     " received = excluded.received "
							     "RETURNING id, first_seen, last_seen",
	/* The begin of one who has other tenants before it is its own. */
	[HOST_WIDEN] = "UPDATE hosts SET last_seen = max(last_seen, ?5), received = ?7,"
		       " first_seen = iif((SELECT count(*) FROM hosts" AT_ADDRESS ") > 1,"
		       "  first_seen, min(first_seen, ?4)) WHERE id = ?6",
	[HOST_ROLE] = "INSERT INTO host_roles (host, role, confidence, source)"
		      " VALUES (?, ?, ?, ?)" ADD_ROLE,
	[HOST_FACT] = "INSERT INTO host_facts (host, name, source, value, confidence, first, last)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?)" ADD_FACT,
	/* Of what changes all the time the newest are enough. */
	[HOST_FEWER] = "DELETE FROM host_facts WHERE host = ?1 AND name = ?2 AND source = ?3 AND"
		       " value NOT IN (SELECT value FROM host_facts WHERE host = ?1 AND name = ?2"
		       " AND source = ?3 ORDER BY last DESC, value LIMIT 8)",
	[HOST_GIVE_ROLES] = "INSERT INTO host_roles SELECT ?1, role, confidence, source"
			    " FROM host_roles WHERE host = ?2" ADD_ROLE,
	[HOST_GIVE_FACTS] = "INSERT INTO host_facts SELECT ?1, name, source, value, confidence,"
			    " first, last FROM host_facts WHERE host = ?2" ADD_FACT,
	[HOST_GIVE_TIME] = "UPDATE hosts SET"
			   " first_seen = min(first_seen, (SELECT first_seen FROM hosts"
			   "  WHERE id = ?2)),"
			   " last_seen = max(last_seen, (SELECT last_seen FROM hosts"
			   "  WHERE id = ?2)) WHERE id = ?1",
	[HOST_FORGET] = "DELETE FROM hosts WHERE id = ?",
};

int hosts_prepare(struct sqlite_store *s)
{
	int error = 0;

	for (size_t i = 0; i < HOST_STATEMENTS && !error; i++)
		error = db_prepare(s->main, statements[i], &s->stmt.host[i]);
	return error;
}

void hosts_finalize(struct sqlite_store *s)
{
	for (size_t i = 0; i < HOST_STATEMENTS; i++)
		db_finalize(s->stmt.host[i]);
}

/* --- to the tables --- */

static void bind_place(struct db_stmt *s, const struct record_asset *a)
{
	db_bind_text(s, 1, a->exercise);
	db_bind_text(s, 2, a->realm);
	db_bind_blob(s, 3, a->ip.bytes, a->has_ip ? sizeof(a->ip.bytes) : 0);
	db_bind_int(s, 4, a->first_seen.v);
	db_bind_int(s, 5, a->last_seen.v);
}

/* 1 with the first column of the first row, 0 when there is none, or -errno. */
static int first_of(struct db_stmt *s, int64_t *out)
{
	int got = db_step(s);

	if (got == 1)
		*out = db_column_int(s, 0);
	db_reset(s);
	return got;
}

static int put_host(struct sqlite_store *store, const struct record_asset *a, struct usec now,
		    int64_t *id)
{
	struct db_stmt *s = store->stmt.host[HOST_PUT];

	bind_place(s, a);
	db_bind_blob(s, 6, a->mac, a->has_mac ? sizeof(a->mac) : 0);
	db_bind_text(s, 7, a->mac_vendor);
	db_bind_text(s, 8, a->segment);
	db_bind_int(s, 9, a->impact);
	db_bind_text(s, 10, a->sensor);
	db_bind_text(s, 11, a->site_revision);
	db_bind_int(s, 12, now.v);
	int got = first_of(s, id);
	return got < 0 ? got : got ? 0 : -EUCLEAN;
}

static int widen(struct sqlite_store *store, const struct record_asset *a, struct usec now,
		 int64_t id)
{
	struct db_stmt *s = store->stmt.host[HOST_WIDEN];

	bind_place(s, a);
	db_bind_int(s, 6, id);
	db_bind_int(s, 7, now.v);
	return db_run(s);
}

static int give(struct sqlite_store *store, enum host_statement what, int64_t to, int64_t from)
{
	db_bind_int(store->stmt.host[what], 1, to);
	db_bind_int(store->stmt.host[what], 2, from);
	return db_run(store->stmt.host[what]);
}

/* What was told of the address before its MAC was known. */
static int take_stray(struct sqlite_store *store, const struct record_asset *a, int64_t id)
{
	struct db_stmt *forget = store->stmt.host[HOST_FORGET];
	int64_t stray = 0;

	bind_place(store->stmt.host[HOST_STRAY], a);
	int got = first_of(store->stmt.host[HOST_STRAY], &stray);
	if (got <= 0)
		return got;
	int error = give(store, HOST_GIVE_ROLES, id, stray);
	if (!error)
		error = give(store, HOST_GIVE_FACTS, id, stray);
	if (!error)
		error = give(store, HOST_GIVE_TIME, id, stray);
	db_bind_int(forget, 1, stray);
	return error ? error : db_run(forget);
}

/* The row that a record belongs to. */
static int find_row(struct sqlite_store *store, const struct record_asset *a, struct usec now,
		    int64_t *id)
{
	if (a->has_ip && !a->has_mac) {
		bind_place(store->stmt.host[HOST_TENANT], a);
		int got = first_of(store->stmt.host[HOST_TENANT], id);
		if (got)
			return got < 0 ? got : widen(store, a, now, *id);
	}
	int error = put_host(store, a, now, id);
	if (!error && a->has_ip && a->has_mac)
		error = take_stray(store, a, *id);
	return error;
}

static int put_role(struct sqlite_store *store, int64_t id, const struct record_role *r)
{
	struct db_stmt *s = store->stmt.host[HOST_ROLE];

	db_bind_int(s, 1, id);
	db_bind_text(s, 2, r->role);
	db_bind_int(s, 3, r->confidence);
	db_bind_text(s, 4, r->from);
	return db_run(s);
}

static int put_fact(struct sqlite_store *store, int64_t id, const struct record_fact *f)
{
	struct db_stmt *s = store->stmt.host[HOST_FACT], *fewer = store->stmt.host[HOST_FEWER];

	db_bind_int(s, 1, id);
	db_bind_text(s, 2, f->name);
	db_bind_text(s, 3, f->from);
	db_bind_text(s, 4, f->value);
	db_bind_int(s, 5, f->confidence);
	db_bind_int(s, 6, f->first_seen.v);
	db_bind_int(s, 7, f->last_seen.v);
	int error = db_run(s);
	if (error)
		return error;
	db_bind_int(fewer, 1, id);
	db_bind_text(fewer, 2, f->name);
	db_bind_text(fewer, 3, f->from);
	return db_run(fewer);
}

int hosts_put(struct sqlite_store *store, const struct record_asset *a, struct usec now)
{
	int64_t id = 0;
	int error = find_row(store, a, now, &id);

	for (size_t i = 0; i < a->role_count && !error; i++)
		error = put_role(store, id, &a->roles[i]);
	for (size_t i = 0; i < a->fact_count && !error; i++)
		error = put_fact(store, id, &a->facts[i]);
	return error;
}

/* --- from the tables --- */

/* Tenants of an address stand together, in the order of time; what has no address comes
 * last, and not at all when an address has its MAC. */
#define ORDER "ip = x'', ip, realm, first_seen, id"
#define NOT_SAID_TWICE \
	"NOT (ip = x'' AND EXISTS (SELECT 1 FROM m.hosts o WHERE o.mac = h.mac AND o.ip <> x''" \
	" AND o.exercise = h.exercise AND o.realm = h.realm))"

static const char host_columns[] = "id, realm, ip, mac, mac_vendor, segment, impact, first_seen,"
				   " last_seen, sensor, site_revision, exercise";

/* ?1 the row, ?2 exercise, ?3 realm, ?4 mac: with what is known by the MAC alone. */
#define OF_HOST \
	" WHERE host = ?1 OR host = (SELECT id FROM m.hosts WHERE exercise = ?2 AND realm = ?3" \
	" AND ip = x'' AND mac = ?4)"

static const char roles_sql[] = "SELECT role, max(confidence), source FROM m.host_roles" OF_HOST
				" GROUP BY role ORDER BY 2 DESC, 1 LIMIT ?5";
static const char facts_sql[] =
	"SELECT name, value, max(confidence), source, min(first), max(last) FROM "
	"m.host_facts" OF_HOST
	" GROUP BY name, source, value ORDER BY name, 6 DESC, source, value LIMIT ?5";

/* One question. */
struct reading {
	struct db *db;
	struct db_stmt *hosts, *roles, *facts;
	struct where where; /* what is bound lives here */
	struct arena arena;
	struct record_role role_list[WIRE_ROLES_MOST];
	struct record_fact fact_list[WIRE_FACTS_MOST];
	const struct store_query *query;
};

static int prepare(struct reading *r, int64_t cursor)
{
	struct buf sql = { 0 };
	int error = -ENOMEM;

	where_filter(&r->where, TABLE_HOSTS, &r->query->filter);
	where_and(&r->where, NOT_SAID_TWICE);
	if (cursor) {
		where_and(&r->where, "(" ORDER ") > (SELECT " ORDER " FROM m.hosts WHERE id = ?)");
		where_int(&r->where, cursor);
	}
	buf_format(&sql, "SELECT %s FROM m.hosts h%s ORDER BY " ORDER " LIMIT %zu", host_columns,
		   r->where.sql.failed ? "" : r->where.sql.data, r->query->limit + 1);
	if (!sql.failed && !r->where.sql.failed)
		error = db_prepare(r->db, sql.data, &r->hosts);
	if (!error)
		where_apply(&r->where, r->hosts, 1);
	if (!error)
		error = db_prepare(r->db, roles_sql, &r->roles);
	if (!error)
		error = db_prepare(r->db, facts_sql, &r->facts);
	buf_finish(&sql);
	return error;
}

static void bind_host(struct reading *r, struct db_stmt *s, int most)
{
	size_t n;
	const void *mac = db_column_blob(r->hosts, 3, &n);

	db_bind_int(s, 1, db_column_int(r->hosts, 0));
	db_bind_text(s, 2, db_column_text(r->hosts, 11));
	db_bind_text(s, 3, db_column_text(r->hosts, 1));
	db_bind_blob(s, 4, mac ? mac : "", n);
	db_bind_int(s, 5, most);
}

static const char *keep(struct reading *r, const char *text)
{
	const char *kept = arena_text(&r->arena, text, strlen(text));
	return kept ? kept : "";
}

static int read_roles(struct reading *r, struct record_asset *a)
{
	int got;

	bind_host(r, r->roles, WIRE_ROLES_MOST);
	while ((got = db_step(r->roles)) == 1)
		r->role_list[a->role_count++] = (struct record_role){
			.role = keep(r, db_column_text(r->roles, 0)),
			.confidence = (enum confidence)db_column_int(r->roles, 1),
			.from = keep(r, db_column_text(r->roles, 2)),
		};
	db_reset(r->roles);
	a->roles = r->role_list;
	return got;
}

static int read_facts(struct reading *r, struct record_asset *a)
{
	int got;

	bind_host(r, r->facts, WIRE_FACTS_MOST);
	while ((got = db_step(r->facts)) == 1)
		r->fact_list[a->fact_count++] = (struct record_fact){
			.name = keep(r, db_column_text(r->facts, 0)),
			.value = keep(r, db_column_text(r->facts, 1)),
			.confidence = (enum confidence)db_column_int(r->facts, 2),
			.from = keep(r, db_column_text(r->facts, 3)),
			.first_seen = { db_column_int(r->facts, 4) },
			.last_seen = { db_column_int(r->facts, 5) },
		};
	db_reset(r->facts);
	a->facts = r->fact_list;
	return got;
}

static bool take_bytes(const struct db_stmt *s, int at, void *out, size_t want)
{
	size_t n;
	const void *bytes = db_column_blob(s, at, &n);

	if (n == want)
		memcpy(out, bytes, n);
	return n == want;
}

static int read_host(struct reading *r, struct record *out)
{
	struct record_asset *a = &out->asset;

	*out = (struct record){ .type = RECORD_ASSET };
	a->realm = db_column_text(r->hosts, 1);
	a->has_ip = take_bytes(r->hosts, 2, a->ip.bytes, sizeof(a->ip.bytes));
	a->has_mac = take_bytes(r->hosts, 3, a->mac, sizeof(a->mac));
	a->mac_vendor = db_column_text(r->hosts, 4);
	a->segment = db_column_text(r->hosts, 5);
	a->impact = (enum impact)db_column_int(r->hosts, 6);
	a->first_seen.v = db_column_int(r->hosts, 7);
	a->last_seen.v = db_column_int(r->hosts, 8);
	a->sensor = db_column_text(r->hosts, 9);
	a->site_revision = db_column_text(r->hosts, 10);
	a->exercise = db_column_text(r->hosts, 11);
	int error = read_roles(r, a);
	return error ? error : read_facts(r, a);
}

/* Rows of the listing, until one more than are wanted. */
static int emit_hosts(struct reading *r, const struct store_sink *sink, struct store_answer *answer)
{
	int64_t last = 0;

	for (size_t n = 0;; n++) {
		struct record record;
		int got = db_step(r->hosts);
		if (got <= 0)
			return got;
		if (n == r->query->limit) {
			snprintf(answer->next, sizeof(answer->next), "%" PRId64, last);
			return 0;
		}
		last = db_column_int(r->hosts, 0);
		arena_reset(&r->arena);
		int error = read_host(r, &record);
		if (!error)
			error = sink->record(sink->context, &record);
		if (error)
			return error;
	}
}

/* 0 for none, -1 for what is no cursor of ours. */
static int64_t read_cursor(const char *text)
{
	char *end;

	if (!text || !*text)
		return 0;
	errno = 0;
	int64_t v = strtoll(text, &end, 10);
	return *end || errno || v <= 0 ? -1 : v;
}

int hosts_query(struct db *db, const struct store_query *q, const struct store_sink *sink,
		struct store_answer *answer)
{
	struct reading *r = calloc(1, sizeof(*r));
	int64_t cursor = read_cursor(q->cursor);

	if (!r)
		return -ENOMEM;
	r->db = db;
	r->query = q;
	int error = cursor < 0 ? -EINVAL : prepare(r, cursor);
	if (cursor < 0)
		snprintf(answer->why, sizeof(answer->why),
			 "cursor is not one of ours; give `next` of the answer before");
	if (!error)
		error = emit_hosts(r, sink, answer);
	db_finalize(r->hosts);
	db_finalize(r->roles);
	db_finalize(r->facts);
	where_finish(&r->where);
	arena_finish(&r->arena);
	free(r);
	return error;
}
