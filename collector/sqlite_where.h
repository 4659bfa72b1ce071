/* SPDX-License-Identifier: Apache-2.0
 *
 * A filter as the WHERE text of one table, with what is to be bound to it.
 * Values never become part of the text. */
#pragma once

#include "base/buf.h"
#include "collector/db.h"
#include "collector/store.h"

enum table {
	TABLE_FLOWS,
	TABLE_ALERTS,
	TABLE_COVERAGE,
	TABLE_MINUTE,
	TABLE_HOUR,
	TABLE_SENSORS,
	TABLE_HOSTS
};

enum { WHERE_BINDS = 32 };

struct where {
	struct buf sql; /* " WHERE ... AND ..." */
	struct where_bind {
		enum db_type type;
		int64_t integer;
		const char *text; /* lent by the filter */
		uint8_t bytes[16];
	} binds[WHERE_BINDS];
	size_t count;
};

/* NULL, or the name of a filter that the table cannot be asked by. */
const char *where_misfit(enum table table, const struct store_filter *f);

/* Starts from a zeroed struct; the filter must fit. */
void where_filter(struct where *w, enum table table, const struct store_filter *f);
/* Adds "AND text"; every ? in it is followed by a where_int(). */
void where_and(struct where *w, const char *text);
void where_int(struct where *w, int64_t v);
/* Binds from parameter `at` on; the next free parameter. */
int where_apply(const struct where *w, struct db_stmt *s, int at);
void where_finish(struct where *w);
