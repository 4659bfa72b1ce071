/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the SQLite store: store_sqlite.c (files), sqlite_schema.c (tables and
 * views), sqlite_rows.c (records to columns and back), sqlite_ingest.c,
 * sqlite_hosts.c, sqlite_query.c, sqlite_sql.c.
 *
 *   DIR/main.db               batches known, alerts, hosts, sensors
 *   DIR/flows-2026-01-02.db   flows, coverage, health, rollups of that day, and
 *                             the batches that they came from (or by the hour:
 *                             flows-2026-01-02T03.db)
 *
 * Each file notes in its own transaction which batches it has, so a batch that
 * touches several files and is cut short by a crash is completed, not doubled,
 * when it is sent again. main.db commits last: what it knows, all files have. */
#pragma once

#include <limits.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/buf.h"
#include "collector/db.h"
#include "collector/store.h"

enum { PARTITIONS_OPEN = 8 };

/* What sqlite_hosts.c asks of main.db. */
enum host_statement {
	HOST_TENANT,
	HOST_STRAY,
	HOST_PUT,
	HOST_WIDEN,
	HOST_ROLE,
	HOST_FACT,
	HOST_FEWER,
	HOST_GIVE_ROLES,
	HOST_GIVE_FACTS,
	HOST_GIVE_TIME,
	HOST_FORGET,
	HOST_STATEMENTS
};

/* A partition open for writing. */
struct partition {
	int64_t key;   /* start, in spans of a partition since 1970 */
	struct db *db; /* NULL: slot free */
	struct db_stmt *begin, *commit, *rollback;
	struct db_stmt *batch, *flow, *coverage, *health, *minute, *hour;
	uint64_t used;
};

struct sqlite_store {
	char dir[PATH_MAX - 64];
	struct usec span; /* of a partition */
	struct usec retention;
	bool sync;
	struct db *main;
	struct {
		struct db_stmt *begin, *commit, *rollback;
		struct db_stmt *known, *batch, *alert_get, *alert_put, *sensor, *stream, *counter,
			*report;
		struct db_stmt *host[HOST_STATEMENTS];
	} stmt;
	struct partition open[PARTITIONS_OPEN];
	uint64_t uses;
	pthread_rwlock_t files; /* readers: queries; writer: trim */
	bool lock_ready;
	int folder; /* locked descriptor plus one: one collector per folder */
};

/* store_sqlite.c */
int64_t partition_key(const struct sqlite_store *s, struct usec t);
struct usec partition_start(const struct sqlite_store *s, int64_t key);
void partition_path(const struct sqlite_store *s, int64_t key, char out[PATH_MAX]);
/* Opens it for writing, through a small cache. */
int partition_get(struct sqlite_store *s, int64_t key, struct partition **out);
/* Renames a damaged file, so that ingest can go on with a new one; logs it. What
 * it held is no longer seen, but still known by main.db. */
int partition_set_aside(struct sqlite_store *s, int64_t key);
/* Keys of the files that are there, sorted; *out is to be freed. */
int partition_list(const struct sqlite_store *s, int64_t **out, size_t *count);

/* sqlite_schema.c */
int main_schema(struct db *db);
int partition_schema(struct db *db);
int partition_prepare(struct partition *p);
int main_prepare(struct sqlite_store *s);
void main_finalize(struct sqlite_store *s);
/* Appends the CREATE TEMP VIEW texts over partitions attached as p0 .. p(n-1), or
 * the tables of the connection itself when there are none, and main.db as m. */
void views_text(struct buf *out, size_t partitions);

/* sqlite_rows.c: the order of columns is known to these only. */
void flow_columns_text(struct buf *out, bool with_types); /* "a, b, c" or "a TEXT, ..." */
void alert_columns_text(struct buf *out, bool with_types);
void coverage_columns_text(struct buf *out, bool with_types);
/* Binds from parameter 1 on. Texts are lent until the statement has run; the
 * attributes are put into `scratch`, which is to stay as long. */
void flow_bind(struct db_stmt *to, const struct record_flow *f, struct buf *scratch);
void alert_bind(struct db_stmt *to, const struct record_alert *a, struct usec received,
		struct buf *scratch);
void coverage_bind(struct db_stmt *to, const struct record_coverage *c, struct buf *scratch);
/* Reads from column `at` on; the texts are borrowed from the row, and lists
 * live in the arena. -EUCLEAN when the row is not one of ours. */
int flow_read(const struct db_stmt *from, int at, struct arena *arena, struct record *out);
int alert_read(const struct db_stmt *from, int at, struct arena *arena, struct record *out);
int coverage_read(const struct db_stmt *from, int at, struct arena *arena, struct record *out);
const char *record_exercise(const struct record *r);

/* sqlite_hosts.c */
extern const char hosts_tables[];
int hosts_prepare(struct sqlite_store *s);
void hosts_finalize(struct sqlite_store *s);
/* Folds a record into its host's row. */
int hosts_put(struct sqlite_store *s, const struct record_asset *a, struct usec now);
/* STORE_HOSTS; main.db is attached as m. */
int hosts_query(struct db *db, const struct store_query *q, const struct store_sink *sink,
		struct store_answer *answer);

/* sqlite_ingest.c */
int sqlite_ingest(void *state, struct store_batch *batches, size_t count, struct usec now);
/* sqlite_query.c */
int sqlite_query(void *state, const struct store_query *query, const struct store_sink *sink,
		 struct store_answer *answer);
/* sqlite_aggregate.c: STORE_TOP and STORE_MATRIX */
int aggregate_query(struct sqlite_store *s, struct db *db, const struct store_query *q,
		    const struct store_sink *sink, struct store_answer *answer);
/* sqlite_sensors.c: STORE_SENSORS */
int sensors_query(struct db *db, const struct store_query *q, const struct store_sink *sink,
		  struct store_answer *answer);
/* sqlite_coverage.c: STORE_SEGMENTS */
int coverage_query(struct sqlite_store *s, struct db *db, const struct store_query *q,
		   const struct store_sink *sink, struct store_answer *answer);
/* sqlite_sql.c */
int sqlite_sql(void *state, const struct store_sql *sql, const struct store_sink *sink,
	       struct store_answer *answer);

/* sqlite_query.c, for the questions' sources */
/* The partitions that a filter's times touch, as a run of the sorted list. */
void partitions_touched(const struct sqlite_store *s, bool has_since, struct usec since,
			bool has_until, struct usec until, const int64_t *keys, size_t count,
			size_t *from, size_t *to);
/* Reads each partition that a filter touches, oldest first, attached as "p". A file
 * that cannot be read is named in the answer. */
typedef int partition_read(void *context);
int partitions_each(struct sqlite_store *s, struct db *db, const struct store_filter *f,
		    partition_read *read, void *context, struct store_answer *answer);
/* Hands the rows of a statement to the sink, at most `limit`; *more tells whether
 * there were others. Bit i of `json`: column i holds JSON text. */
int rows_emit(struct db_stmt *from, uint64_t json, size_t limit, const struct store_sink *sink,
	      bool *more);
/* Names the file that could not be read. */
void partition_failed(const struct db *db, const char *path, struct store_answer *answer);
/* Says in words what a failed query met; returns `error`. */
int query_failed(const struct db *db, int error, struct store_answer *answer);
