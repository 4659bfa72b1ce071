/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/sqlite_where.h"

enum { COLUMNS_MOST = 256 };

int query_failed(const struct db *db, int error, struct store_answer *answer)
{
	if (answer->why[0])
		return error;
	if (error == -ETIMEDOUT)
		snprintf(
			answer->why, sizeof(answer->why),
			"the question took too long; narrow it, for instance with since and until");
	else if (error == -EACCES)
		snprintf(answer->why, sizeof(answer->why),
			 "only one SELECT over the views is allowed");
	else if (error == -E2BIG)
		snprintf(answer->why, sizeof(answer->why),
			 "more than one statement, or too large a value; send one SELECT");
	else if (db)
		snprintf(answer->why, sizeof(answer->why), "%s", db_error(db));
	else
		snprintf(answer->why, sizeof(answer->why), "%s", strerror(-error));
	return error;
}

void partition_failed(const struct db *db, const char *path, struct store_answer *answer)
{
	snprintf(answer->why, sizeof(answer->why), "%.150s: %.90s", path, db_error(db));
}

void partitions_touched(const struct sqlite_store *s, bool has_since, struct usec since,
			bool has_until, struct usec until, const int64_t *keys, size_t count,
			size_t *from, size_t *to)
{
	*from = 0;
	*to = count;
	if (has_since)
		while (*from < count && keys[*from] < partition_key(s, since))
			(*from)++;
	if (has_until)
		while (*to > *from &&
		       (keys[*to - 1] > partition_key(s, (struct usec){ until.v - 1 })))
			(*to)--;
}

int partitions_each(struct sqlite_store *s, struct db *db, const struct store_filter *f,
		    partition_read *read, void *context, struct store_answer *answer)
{
	char path[PATH_MAX];
	int64_t *keys;
	size_t count, from, to;
	int error = partition_list(s, &keys, &count);

	if (error)
		return error;
	partitions_touched(s, f->has_since, f->since, f->has_until, f->until, keys, count, &from,
			   &to);
	for (size_t i = from; i < to && !error; i++) {
		partition_path(s, keys[i], path);
		error = db_attach(db, path, "p");
		if (!error)
			error = read(context);
		if (error && error != -ETIMEDOUT)
			partition_failed(db, path, answer);
		if (!error)
			error = db_detach(db, "p");
	}
	free(keys);
	return error;
}

static void hex_of(struct buf *out, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_format(out, "%02x", bytes[i]);
}

static void value_of(const struct db_stmt *from, int at, bool json, struct buf *hex,
		     struct store_value *out)
{
	const uint8_t *bytes;
	size_t n;

	*out = (struct store_value){ 0 };
	switch (db_column_type(from, at)) {
	case DB_NULL:
		break;
	case DB_INTEGER:
		out->type = STORE_INTEGER;
		out->integer = db_column_int(from, at);
		break;
	case DB_REAL:
		out->type = STORE_REAL;
		out->real = db_column_real(from, at);
		break;
	case DB_TEXT:
		out->type = json ? STORE_JSON : STORE_TEXT;
		out->text = db_column_text(from, at);
		break;
	case DB_BLOB: /* only SQL can ask for one */
		bytes = db_column_blob(from, at, &n);
		buf_clear(hex);
		hex_of(hex, bytes, n);
		out->type = STORE_TEXT;
		out->text = hex->data && !hex->failed ? hex->data : "";
		break;
	}
}

static int emit_row(struct db_stmt *from, int columns, uint64_t json, struct buf *hexes,
		    const struct store_sink *sink)
{
	struct store_value values[COLUMNS_MOST];

	for (int i = 0; i < columns; i++)
		value_of(from, i, i < 64 && (json >> i & 1), &hexes[i], &values[i]);
	return sink->row(sink->context, values, (size_t)columns);
}

int rows_emit(struct db_stmt *from, uint64_t json, size_t limit, const struct store_sink *sink,
	      bool *more)
{
	const char *names[COLUMNS_MOST];
	int columns = db_columns(from);

	*more = false;
	if (columns > COLUMNS_MOST)
		return -E2BIG;
	for (int i = 0; i < columns; i++)
		names[i] = db_column_name(from, i);
	int error = sink->columns(sink->context, names, (size_t)columns);
	struct buf *hexes = calloc((size_t)columns + 1, sizeof(*hexes));
	if (!hexes)
		return -ENOMEM;
	for (size_t n = 0; !error; n++) {
		int got = db_step(from);
		if (got <= 0) {
			error = got;
			break;
		}
		*more = n == limit;
		if (*more)
			break;
		error = emit_row(from, columns, json, hexes, sink);
	}
	for (int i = 0; i < columns; i++)
		buf_finish(&hexes[i]);
	free(hexes);
	return error;
}

/* How records of one question are read. */
struct listing {
	enum table table;
	const char *name, *order, *after; /* `after`: what comes behind the cursor */
	int keys;                         /* leading columns that make the cursor */
	void (*columns)(struct buf *, bool);
	int (*read)(const struct db_stmt *, int, struct arena *, struct record *);
};

static const struct listing listings[] = {
	[STORE_FLOWS] = { TABLE_FLOWS, "flows", "start DESC, rowid DESC", "(start, rowid) < (?, ?)",
			  2, flow_columns_text, flow_read },
	[STORE_ALERTS] = { TABLE_ALERTS, "alerts", "severity DESC, last_seen DESC, rowid DESC",
			   "(severity, last_seen, rowid) < (?, ?, ?)", 3, alert_columns_text,
			   alert_read },
	[STORE_COVERAGE] = { TABLE_COVERAGE, "coverage", "minute DESC, rowid DESC",
			     "(minute, rowid) < (?, ?)", 2, coverage_columns_text, coverage_read },
};

static const char *const listing_keys[] = {
	[STORE_FLOWS] = "start, rowid",
	[STORE_ALERTS] = "severity, last_seen, rowid",
	[STORE_COVERAGE] = "minute, rowid",
};

/* One run of a listing over its files. */
struct walk {
	struct sqlite_store *store;
	struct db *db;
	const struct store_query *query;
	const struct listing *kind;
	const struct store_sink *sink;
	struct store_answer *answer;
	int64_t cursor[3], last[3];
	bool has_cursor;
	size_t left;
	bool more;
	struct arena arena;
};

static bool parse_cursor(struct walk *w, const char *text)
{
	if (!text || !*text)
		return true;
	for (int i = 0; i < w->kind->keys; i++) {
		char *end;
		errno = 0;
		w->cursor[i] = strtoll(text, &end, 10);
		if (end == text || errno || *end != (i + 1 < w->kind->keys ? '.' : '\0'))
			return false;
		text = end + 1;
	}
	w->has_cursor = true;
	return true;
}

static void write_cursor(const struct walk *w, char out[STORE_CURSOR])
{
	int n = 0;

	for (int i = 0; i < w->kind->keys; i++)
		n += snprintf(out + n, STORE_CURSOR - (size_t)n, "%s%" PRId64, i ? "." : "",
			      w->last[i]);
}

static int prepare_listing(struct walk *w, const char *schema, struct where *where,
			   struct db_stmt **out)
{
	struct buf sql = { 0 };
	int error = -ENOMEM;

	where_filter(where, w->kind->table, &w->query->filter);
	if (w->has_cursor) {
		where_and(where, w->kind->after);
		for (int i = 0; i < w->kind->keys; i++)
			where_int(where, w->cursor[i]);
	}
	buf_format(&sql, "SELECT %s, ", listing_keys[w->query->question]);
	w->kind->columns(&sql, false);
	buf_format(&sql, " FROM %s.%s%s ORDER BY %s LIMIT %zu", schema, w->kind->name,
		   where->sql.failed ? "" : where->sql.data, w->kind->order, w->left + 1);
	if (!sql.failed && !where->sql.failed)
		error = db_prepare(w->db, sql.data, out);
	buf_finish(&sql);
	return error;
}

static int emit_records(struct walk *w, struct db_stmt *s)
{
	for (;;) {
		struct record r;
		int got = db_step(s);
		if (got <= 0)
			return got;
		if (!w->left) {
			w->more = true;
			return 0;
		}
		for (int i = 0; i < w->kind->keys; i++)
			w->last[i] = db_column_int(s, i);
		arena_reset(&w->arena);
		int error = w->kind->read(s, w->kind->keys, &w->arena, &r);
		if (!error)
			error = w->sink->record(w->sink->context, &r);
		if (error)
			return error;
		w->left--;
	}
}

static int walk_file(struct walk *w, const char *schema)
{
	struct where where = { 0 };
	struct db_stmt *s = NULL;
	int error = prepare_listing(w, schema, &where, &s);

	if (!error) {
		where_apply(&where, s, 1);
		error = emit_records(w, s);
	}
	if (error)
		query_failed(w->db, error, w->answer);
	db_finalize(s);
	where_finish(&where);
	return error;
}

/* From the newest file to the oldest: files hold disjoint times, so the order
 * of rows is that of the files first. */
static int walk_partitions(struct walk *w)
{
	const struct store_filter *f = &w->query->filter;
	char path[PATH_MAX];
	int64_t *keys;
	size_t count, from, to;
	int error = partition_list(w->store, &keys, &count);

	if (error)
		return error;
	partitions_touched(w->store, f->has_since, f->since, f->has_until, f->until, keys, count,
			   &from, &to);
	int64_t newest =
		w->has_cursor ? partition_key(w->store, (struct usec){ w->cursor[0] }) : INT64_MAX;
	while (to > from && !error && !w->more) {
		int64_t key = keys[--to];
		if (key > newest)
			continue;
		partition_path(w->store, key, path);
		error = db_attach(w->db, path, "p");
		if (error) {
			partition_failed(w->db, path, w->answer);
			break;
		}
		error = walk_file(w, "p");
		int detached = db_detach(w->db, "p");
		error = error ? error : detached;
	}
	free(keys);
	return error;
}

static int listing_query(struct sqlite_store *s, struct db *db, const struct store_query *q,
			 const struct store_sink *sink, struct store_answer *answer)
{
	struct walk w = { .store = s,
			  .db = db,
			  .query = q,
			  .kind = &listings[q->question],
			  .sink = sink,
			  .answer = answer,
			  .left = q->limit };
	int error;

	if (!parse_cursor(&w, q->cursor)) {
		snprintf(answer->why, sizeof(answer->why),
			 "cursor is not one of ours; give `next` of the answer before");
		return -EINVAL;
	}
	error = q->question == STORE_ALERTS ? walk_file(&w, "m") : walk_partitions(&w);
	if (!error && w.more)
		write_cursor(&w, answer->next);
	arena_finish(&w.arena);
	return error;
}

static int check_filter(const struct store_query *q, struct store_answer *answer)
{
	static const enum table tables[] = {
		[STORE_FLOWS] = TABLE_FLOWS,       [STORE_ALERTS] = TABLE_ALERTS,
		[STORE_COVERAGE] = TABLE_COVERAGE, [STORE_TOP] = TABLE_FLOWS,
		[STORE_MATRIX] = TABLE_FLOWS,      [STORE_SENSORS] = TABLE_SENSORS,
		[STORE_SEGMENTS] = TABLE_COVERAGE, [STORE_HOSTS] = TABLE_HOSTS,
	};
	const char *misfit = where_misfit(tables[q->question], &q->filter);

	if (!misfit)
		return 0;
	snprintf(answer->why, sizeof(answer->why), "%s cannot filter these; leave it out", misfit);
	return -EINVAL;
}

static int answer_query(struct sqlite_store *s, struct db *db, const struct store_query *q,
			const struct store_sink *sink, struct store_answer *answer)
{
	switch (q->question) {
	case STORE_TOP:
	case STORE_MATRIX:
		return aggregate_query(s, db, q, sink, answer);
	case STORE_SENSORS:
		return sensors_query(db, q, sink, answer);
	case STORE_SEGMENTS:
		return coverage_query(s, db, q, sink, answer);
	case STORE_HOSTS:
		return hosts_query(db, q, sink, answer);
	case STORE_FLOWS:
	case STORE_ALERTS:
	case STORE_COVERAGE:
		break;
	}
	return listing_query(s, db, q, sink, answer);
}

int sqlite_query(void *state, const struct store_query *q, const struct store_sink *sink,
		 struct store_answer *answer)
{
	struct sqlite_store *s = state;
	char path[PATH_MAX];
	struct db *db = NULL;

	*answer = (struct store_answer){ 0 };
	int error = check_filter(q, answer);
	if (error)
		return error;
	pthread_rwlock_rdlock(&s->files);
	error = db_open_reader(&db);
	if (!error) {
		db_deadline(db, q->deadline);
		snprintf(path, sizeof(path), "%s/main.db", s->dir);
		error = db_attach(db, path, "m");
	}
	if (!error)
		error = answer_query(s, db, q, sink, answer);
	if (error)
		query_failed(db, error, answer);
	db_close(db);
	pthread_rwlock_unlock(&s->files);
	return error;
}
