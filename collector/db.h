/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite, as little of it as the store needs; db.c is the only source that
 * includes its header. Functions that can fail give 0 or -errno:
 * -ENOSPC disk full, -EIO the disk failed, -ETIMEDOUT the deadline passed,
 * -EACCES a guard refused the statement, -EBUSY, -ENOMEM, -EUCLEAN the file is
 * damaged, -EINVAL the statement is wrong. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct db;
struct db_stmt;

enum db_type { DB_NULL, DB_INTEGER, DB_REAL, DB_TEXT, DB_BLOB };

/* Opens, and creates, a database file for its one writer: WAL; `sync` makes each
 * commit wait for the disk. */
int db_open_writer(const char *path, bool sync, struct db **out, char why[256]);
/* Opens a connection of its own, with no file, to attach others to. */
int db_open_reader(struct db **out);
void db_close(struct db *db); /* accepts NULL; finalise the statements first */

/* Attaches an existing file as `name`, never to be written. -ENOENT without it. */
int db_attach(struct db *db, const char *path, const char *name);
int db_detach(struct db *db, const char *name);

/* From now on only SELECT, over what is there. Cannot be taken back. */
void db_guard(struct db *db);
/* Statements end with -ETIMEDOUT from `at` on (monotonic). */
void db_deadline(struct db *db, struct usec at);
const char *db_library(void);              /* version */
const char *db_error(const struct db *db); /* of the last call that failed */

int db_exec(struct db *db, const char *sql);
/* One statement; -E2BIG when more text follows it. */
int db_prepare(struct db *db, const char *sql, struct db_stmt **out);
void db_finalize(struct db_stmt *s); /* accepts NULL */

/* Parameters count from 1. Texts and blobs are lent until the next db_run or
 * db_reset. A NULL text is bound as empty. */
void db_bind_null(struct db_stmt *s, int at);
void db_bind_int(struct db_stmt *s, int at, int64_t v);
void db_bind_count(struct db_stmt *s, int at, uint64_t v); /* held at INT64_MAX */
void db_bind_text(struct db_stmt *s, int at, const char *text);
void db_bind_blob(struct db_stmt *s, int at, const void *bytes, size_t n);

int db_step(struct db_stmt *s); /* 1: a row, 0: the end, or -errno */
void db_reset(struct db_stmt *s);
/* Steps to the end and resets. 0 or -errno. */
int db_run(struct db_stmt *s);
/* Rows that the last db_run inserted or changed. */
int db_changes(const struct db *db);

/* Columns count from 0. Borrowed until the next step. */
int db_columns(const struct db_stmt *s);
const char *db_column_name(const struct db_stmt *s, int at);
enum db_type db_column_type(const struct db_stmt *s, int at);
int64_t db_column_int(const struct db_stmt *s, int at);
double db_column_real(const struct db_stmt *s, int at);
const char *db_column_text(const struct db_stmt *s, int at); /* "" for NULL */
const void *db_column_blob(const struct db_stmt *s, int at, size_t *n);
