/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* SQLite attaches ten files at most; one is main.db. */
enum { SQL_PARTITIONS_MOST = 9 };

static int attach_partitions(struct sqlite_store *s, struct db *db, const struct store_sql *q,
			     size_t *attached, struct store_answer *answer)
{
	char path[PATH_MAX], name[16];
	int64_t *keys;
	size_t count, from, to;
	int error = partition_list(s, &keys, &count);

	if (error)
		return error;
	partitions_touched(s, q->has_since, q->since, q->has_until, q->until, keys, count, &from,
			   &to);
	if (to - from > SQL_PARTITIONS_MOST && q->has_since) {
		snprintf(answer->why, sizeof(answer->why),
			 "since and until span %zu files, and SQL reads %d at once; narrow them",
			 to - from, SQL_PARTITIONS_MOST);
		error = -EINVAL;
	} else if (to - from > SQL_PARTITIONS_MOST) {
		from = to - SQL_PARTITIONS_MOST; /* the newest; the answer tells */
	}
	for (size_t i = from; i < to && !error; i++) {
		partition_path(s, keys[i], path);
		snprintf(name, sizeof(name), "p%zu", (*attached)++);
		error = db_attach(db, path, name);
	}
	if (to > from) {
		clock_text(partition_start(s, keys[from]), answer->from);
		clock_text(partition_start(s, keys[to - 1] + 1), answer->until);
	}
	free(keys);
	return error;
}

/* The views, and from then on nothing but SELECT. */
static int make_views(struct db *db, size_t partitions)
{
	struct buf text = { 0 };

	views_text(&text, partitions);
	int error = partitions ? 0 : partition_schema(db);
	if (!error)
		error = text.failed ? -ENOMEM : db_exec(db, text.data);
	buf_finish(&text);
	/* The guard would refuse their declaration, which comes with the first use. */
	if (!error)
		error = db_exec(db, "SELECT 1 FROM json_each('[]'), json_tree('[]')");
	if (!error)
		db_guard(db);
	return error;
}

static int run(struct sqlite_store *s, struct db *db, const struct store_sql *q,
	       const struct store_sink *sink, struct store_answer *answer)
{
	struct db_stmt *stmt = NULL;
	char path[PATH_MAX];
	size_t attached = 0;

	snprintf(path, sizeof(path), "%s/main.db", s->dir);
	int error = db_attach(db, path, "m");
	if (!error)
		error = attach_partitions(s, db, q, &attached, answer);
	if (!error)
		error = make_views(db, attached);
	if (error)
		return error;
	db_deadline(db, q->deadline);
	error = db_prepare(db, q->text, &stmt);
	if (!error)
		error = rows_emit(stmt, 0, q->limit, sink, &answer->cut);
	if (error)
		query_failed(db, error, answer);
	db_finalize(stmt);
	return error;
}

int sqlite_sql(void *state, const struct store_sql *q, const struct store_sink *sink,
	       struct store_answer *answer)
{
	struct sqlite_store *s = state;
	struct db *db = NULL;

	*answer = (struct store_answer){ 0 };
	pthread_rwlock_rdlock(&s->files);
	int error = db_open_reader(&db);
	if (!error)
		error = run(s, db, q, sink, answer);
	if (error)
		query_failed(db, error, answer);
	db_close(db);
	pthread_rwlock_unlock(&s->files);
	return error;
}
