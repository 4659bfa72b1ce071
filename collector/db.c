/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/db.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ip.h"
#include "schema/names.h"

struct db {
	sqlite3 *handle;
	struct usec deadline; /* monotonic; 0: none */
};

static sqlite3_stmt *raw(const struct db_stmt *s)
{
	return (sqlite3_stmt *)(uintptr_t)s;
}

static int failure(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		return code == SQLITE_IOERR_NOMEM ? -ENOMEM : -EIO;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_INTERRUPT:
		return -ETIMEDOUT;
	case SQLITE_AUTH:
	case SQLITE_READONLY:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_TOOBIG:
		return -E2BIG;
	default:
		return -EINVAL;
	}
}

/* Functions for the views: what is stored as a number or bytes, in words. */
static void as_ip(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct ip_addr ip;
	char text[IP_TEXT];

	(void)n;
	if (sqlite3_value_bytes(v[0]) != sizeof(ip.bytes))
		return; /* NULL */
	memcpy(ip.bytes, sqlite3_value_blob(v[0]), sizeof(ip.bytes));
	sqlite3_result_text(c, ip_text(&ip, text), -1, SQLITE_TRANSIENT);
}

static void as_mac(sqlite3_context *c, int n, sqlite3_value **v)
{
	char text[18];

	(void)n;
	if (sqlite3_value_bytes(v[0]) != 6)
		return;
	const uint8_t *m = sqlite3_value_blob(v[0]);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	sqlite3_result_text(c, text, -1, SQLITE_TRANSIENT);
}

static void as_time(sqlite3_context *c, int n, sqlite3_value **v)
{
	char text[CLOCK_TEXT];

	(void)n;
	if (sqlite3_value_type(v[0]) == SQLITE_NULL)
		return;
	struct usec t = { sqlite3_value_int64(v[0]) };
	sqlite3_result_text(c, clock_text(t, text), -1, SQLITE_TRANSIENT);
}

static const char *word_of(const char *list, int v)
{
	if (!strcmp(list, "impact"))
		return impact_name((enum impact)v);
	if (!strcmp(list, "verdict"))
		return verdict_name((enum verdict)v);
	if (!strcmp(list, "severity"))
		return severity_name((enum severity)v);
	if (!strcmp(list, "end_reason"))
		return end_reason_name((enum end_reason)v);
	if (!strcmp(list, "orientation"))
		return orientation_name((enum orientation)v);
	if (!strcmp(list, "app_source"))
		return app_source_name((enum app_source)v);
	if (!strcmp(list, "confidence"))
		return confidence_name((enum confidence)v);
	return stream_name((enum stream)v);
}

/* word('verdict', 3): the word of a stored enumeration; NULL for the empty one. */
static void as_word(sqlite3_context *c, int n, sqlite3_value **v)
{
	char number[4];

	(void)n;
	const char *list = (const char *)sqlite3_value_text(v[0]);
	if (!list || sqlite3_value_type(v[1]) == SQLITE_NULL)
		return;
	int value = sqlite3_value_int(v[1]);
	const char *word = !strcmp(list, "protocol") ? protocol_name((unsigned)value, number)
						     : word_of(list, value);
	if (*word)
		sqlite3_result_text(c, word, -1, SQLITE_TRANSIENT);
}

static int add_functions(sqlite3 *handle)
{
	static const struct {
		const char *name;
		int arguments;
		void (*call)(sqlite3_context *, int, sqlite3_value **);
	} functions[] = {
		{ "ip_text", 1, as_ip },
		{ "mac_text", 1, as_mac },
		{ "time_text", 1, as_time },
		{ "word", 2, as_word },
	};
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		int code =
			sqlite3_create_function(handle, functions[i].name, functions[i].arguments,
						flags, NULL, functions[i].call, NULL, NULL);
		if (code != SQLITE_OK)
			return failure(code);
	}
	return 0;
}

static int open_handle(const char *path, int flags, struct db **out)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return -ENOMEM;
	*out = db;
	int code = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return failure(code);
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, 5000);
	return add_functions(db->handle);
}

int db_open_writer(const char *path, bool sync, struct db **out, char why[256])
{
	*out = NULL;
	int error = open_handle(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, out);
	/* A writer alone with its file: pages of the tree's upper part stay cached;
	 * checkpoints come seldom enough that each page is written back once. */
	if (!error)
		error = db_exec(
			*out,
			"PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA cache_size=-65536;"
			"PRAGMA wal_autocheckpoint=4096;"
			"PRAGMA journal_size_limit=67108864;"
			"PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY");
	if (!error)
		error = db_exec(*out,
				sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
	if (error) {
		snprintf(why, 256, "%s: %s", path,
			 *out && (*out)->handle ? sqlite3_errmsg((*out)->handle)
						: strerror(-error));
		db_close(*out);
		*out = NULL;
	}
	return error;
}

int db_open_reader(struct db **out)
{
	*out = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_URI;
	int error = open_handle(":memory:", flags, out);
	if (!error)
		error = db_exec(*out, "PRAGMA trusted_schema=OFF; PRAGMA cache_size=-8192;"
				      "PRAGMA temp_store=FILE");
	if (error) {
		db_close(*out);
		*out = NULL;
	}
	return error;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	int code = sqlite3_close(db->handle);
	assert(code == SQLITE_OK); /* else a statement was left */
	(void)code;
	free(db);
}

/* As a file: URI, whose path may hold anything but %, ? and # unescaped. */
static void append_uri(struct buf *out, const char *path)
{
	buf_text(out, "file:");
	for (const char *p = path; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("/._-", *p))
			buf_char(out, *p);
		else
			buf_format(out, "%%%02x", (unsigned char)*p);
	}
	buf_text(out, "?mode=ro");
}

int db_attach(struct db *db, const char *path, const char *name)
{
	struct buf uri = { 0 }, sql = { 0 };
	struct db_stmt *s = NULL;
	int error = -ENOMEM;

	append_uri(&uri, path);
	buf_format(&sql, "ATTACH ? AS \"%s\"", name);
	if (uri.failed || sql.failed)
		goto out;
	error = access(path, F_OK) ? -errno : db_prepare(db, sql.data, &s);
	if (error)
		goto out;
	db_bind_text(s, 1, uri.data);
	error = db_run(s);
out:
	db_finalize(s);
	buf_finish(&uri);
	buf_finish(&sql);
	return error;
}

int db_detach(struct db *db, const char *name)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "DETACH \"%s\"", name);
	return db_exec(db, sql);
}

static int only_select(void *context, int action, const char *a, const char *b, const char *c,
		       const char *d)
{
	(void)context;
	(void)a;
	(void)c;
	(void)d;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return b && !sqlite3_stricmp(b, "load_extension") ? SQLITE_DENY : SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

void db_guard(struct db *db)
{
	(void)db_exec(db, "PRAGMA query_only=ON");
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, 4 << 20);
	sqlite3_limit(db->handle, SQLITE_LIMIT_SQL_LENGTH, 64 << 10);
	sqlite3_limit(db->handle, SQLITE_LIMIT_EXPR_DEPTH, 200);
	sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_set_authorizer(db->handle, only_select, NULL);
}

static int past_deadline(void *context)
{
	const struct db *db = context;
	return clock_monotonic().v >= db->deadline.v;
}

void db_deadline(struct db *db, struct usec at)
{
	db->deadline = at;
	sqlite3_progress_handler(db->handle, 2000, past_deadline, db);
}

const char *db_library(void)
{
	return sqlite3_libversion();
}

const char *db_error(const struct db *db)
{
	return sqlite3_errmsg(db->handle);
}

int db_exec(struct db *db, const char *sql)
{
	return failure(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static bool is_blank(const char *p)
{
	while (*p && (isspace((unsigned char)*p) || *p == ';'))
		p++;
	return *p == '\0';
}

int db_prepare(struct db *db, const char *sql, struct db_stmt **out)
{
	const char *rest = NULL;
	sqlite3_stmt *s = NULL;

	*out = NULL;
	int error = failure(
		sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, &rest));
	if (!error && !s)
		return -EINVAL;
	if (!error && !is_blank(rest)) {
		sqlite3_finalize(s);
		return -E2BIG;
	}
	*out = (struct db_stmt *)s;
	return error;
}

void db_finalize(struct db_stmt *s)
{
	sqlite3_finalize(raw(s));
}

/* A bind fails only for a wrong index, which is our bug, or for want of memory,
 * which these static bindings do not ask for. */
static void bound(int code)
{
	assert(code == SQLITE_OK);
	(void)code;
}

void db_bind_null(struct db_stmt *s, int at)
{
	bound(sqlite3_bind_null(raw(s), at));
}

void db_bind_int(struct db_stmt *s, int at, int64_t v)
{
	bound(sqlite3_bind_int64(raw(s), at, v));
}

void db_bind_count(struct db_stmt *s, int at, uint64_t v)
{
	bound(sqlite3_bind_int64(raw(s), at, v > INT64_MAX ? INT64_MAX : (int64_t)v));
}

void db_bind_text(struct db_stmt *s, int at, const char *text)
{
	bound(sqlite3_bind_text(raw(s), at, text ? text : "", -1, SQLITE_STATIC));
}

void db_bind_blob(struct db_stmt *s, int at, const void *bytes, size_t n)
{
	bound(sqlite3_bind_blob(raw(s), at, bytes, (int)n, SQLITE_STATIC));
}

int db_step(struct db_stmt *s)
{
	int code = sqlite3_step(raw(s));
	return code == SQLITE_ROW ? 1 : failure(code);
}

void db_reset(struct db_stmt *s)
{
	sqlite3_reset(raw(s));
}

int db_run(struct db_stmt *s)
{
	int code;

	do
		code = sqlite3_step(raw(s));
	while (code == SQLITE_ROW);
	sqlite3_reset(raw(s));
	return failure(code);
}

int db_changes(const struct db *db)
{
	return sqlite3_changes(db->handle);
}

int db_columns(const struct db_stmt *s)
{
	return sqlite3_column_count(raw(s));
}

const char *db_column_name(const struct db_stmt *s, int at)
{
	const char *name = sqlite3_column_name(raw(s), at);
	return name ? name : "";
}

enum db_type db_column_type(const struct db_stmt *s, int at)
{
	switch (sqlite3_column_type(raw(s), at)) {
	case SQLITE_INTEGER:
		return DB_INTEGER;
	case SQLITE_FLOAT:
		return DB_REAL;
	case SQLITE_TEXT:
		return DB_TEXT;
	case SQLITE_BLOB:
		return DB_BLOB;
	default:
		return DB_NULL;
	}
}

int64_t db_column_int(const struct db_stmt *s, int at)
{
	return sqlite3_column_int64(raw(s), at);
}

double db_column_real(const struct db_stmt *s, int at)
{
	return sqlite3_column_double(raw(s), at);
}

const char *db_column_text(const struct db_stmt *s, int at)
{
	const unsigned char *text = sqlite3_column_text(raw(s), at);
	return text ? (const char *)text : "";
}

const void *db_column_blob(const struct db_stmt *s, int at, size_t *n)
{
	const void *bytes = sqlite3_column_blob(raw(s), at);
	*n = bytes ? (size_t)sqlite3_column_bytes(raw(s), at) : 0;
	return bytes;
}
