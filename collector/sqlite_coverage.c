/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/coverage.h"
#include "collector/sqlite_where.h"

struct walk {
	struct db *db;
	const struct store_query *query;
	struct cover sum;
};

typedef int take_row(struct walk *w, struct db_stmt *s);

static int take_heard(struct walk *w, struct db_stmt *s)
{
	return cover_heard(&w->sum, db_column_text(s, 0), db_column_int(s, 1));
}

static int take_minute(struct walk *w, struct db_stmt *s)
{
	uint64_t counts[11];

	for (int i = 0; i < 11; i++)
		counts[i] = (uint64_t)db_column_int(s, 5 + i);
	const struct cover_minute m = {
		.minute = db_column_int(s, 2),
		.state = cover_state_of(db_column_text(s, 3)),
		.reasons = db_column_text(s, 4),
		.packets = counts[0],
		.bytes = counts[1],
		.one_sided_flows = counts[2],
		.missed_bytes = counts[3],
		.truncated = counts[4],
		.mirror_copies = counts[5],
		.oversized = counts[6],
		.frames = counts[7],
		.drops = counts[8],
		.clock_jumps = counts[9],
		.shed_max = counts[10],
	};
	return cover_add(&w->sum, db_column_text(s, 0), db_column_text(s, 1), &m);
}

/* The where text stands `times` in the statement. */
static int each_row(struct walk *w, const struct buf *sql, const struct where *where, int times,
		    take_row *take)
{
	struct db_stmt *s = NULL;
	int error = sql->failed || where->sql.failed ? -ENOMEM : db_prepare(w->db, sql->data, &s);
	int at = 1, got = 0;

	for (int i = 0; i < times && !error; i++)
		at = where_apply(where, s, at);
	while (!error && (got = db_step(s)) > 0)
		error = take(w, s);
	db_finalize(s);
	return error ? error : got;
}

/* Whatever a segment said: the sensor was there. */
static int read_heard(void *context)
{
	struct walk *w = context;
	struct store_filter f = w->query->filter;
	struct where where = { 0 };
	struct buf sql = { 0 };

	f.segment = NULL;
	where_filter(&where, TABLE_COVERAGE, &f);
	const char *text = where.sql.failed ? "" : where.sql.data;
	buf_format(&sql,
		   "SELECT sensor, minute FROM p.health%s UNION"
		   " SELECT sensor, minute FROM p.coverage%s ORDER BY 1, 2",
		   text, text);
	int error = each_row(w, &sql, &where, 2, take_heard);
	where_finish(&where);
	buf_finish(&sql);
	return error;
}

static int read_minutes(void *context)
{
	struct walk *w = context;
	struct where where = { 0 };
	struct buf sql = { 0 };

	where_filter(&where, TABLE_COVERAGE, &w->query->filter);
	buf_format(&sql,
		   "SELECT sensor, segment, minute, state, reasons, packets, bytes,"
		   " one_sided_flows, missed_bytes, truncated, mirror_copies, oversized, frames,"
		   " drops, clock_jumps, shed_max FROM p.coverage%s"
		   " ORDER BY sensor, segment, minute",
		   where.sql.failed ? "" : where.sql.data);
	int error = each_row(w, &sql, &where, 1, take_minute);
	where_finish(&where);
	buf_finish(&sql);
	return error;
}

static const char *const names[] = {
	"segment",
	"sensor",
	"state",
	"since",
	"reasons",
	"reason",
	"worst",
	"worst_since",
	"last_minute",
	"seen_minutes",
	"partial_minutes",
	"blind_minutes",
	"mirror_dead_minutes",
	"quiet_minutes",
	"no_report_minutes",
	"packets",
	"bytes",
	"lost_share",
	"missed_share",
	"one_sided_flows",
	"truncated",
	"mirror_copies",
	"oversized",
	"clock_jumps",
	"shed_max",
};

enum { COLUMNS = sizeof(names) / sizeof(names[0]) };

static struct store_value of_text(const char *text)
{
	return (struct store_value){ .type = text && *text ? STORE_TEXT : STORE_NULL,
				     .text = text };
}

static struct store_value of_count(uint64_t v)
{
	return (struct store_value){ .type = STORE_INTEGER,
				     .integer = v > INT64_MAX ? INT64_MAX : (int64_t)v };
}

static struct store_value of_share(double v)
{
	return (struct store_value){ .type = STORE_REAL, .real = v };
}

static struct store_value of_minute(int64_t minute, char text[CLOCK_TEXT])
{
	return of_text(clock_text((struct usec){ minute }, text));
}

static int emit_segment(const struct cover_segment *s, const struct store_sink *sink)
{
	char since[CLOCK_TEXT], worst[CLOCK_TEXT], last[CLOCK_TEXT], reasons[sizeof(s->reasons)];
	struct buf words = { 0 };

	for (size_t i = 0; i < sizeof(reasons); i++)
		reasons[i] = s->reasons[i] == '\n' ? ' ' : s->reasons[i];
	cover_words(s, &words);
	const struct store_value values[COLUMNS] = {
		of_text(s->name),
		of_text(s->sensor->name),
		of_text(cover_state_name(s->state)),
		of_minute(s->since, since),
		of_text(s->no_report ? "no-report" : reasons),
		of_text(words.failed ? NULL : words.data),
		of_text(cover_state_name(s->worst)),
		of_minute(s->worst_since, worst),
		of_minute(s->last, last),
		of_count(s->minutes[COVER_SEEN]),
		of_count(s->minutes[COVER_PARTIAL]),
		of_count(s->minutes[COVER_BLIND]),
		of_count(s->minutes[COVER_MIRROR_DEAD]),
		of_count(s->minutes[COVER_QUIET]),
		of_count(s->no_report_minutes),
		of_count(s->sum.packets),
		of_count(s->sum.bytes),
		of_share(cover_lost_share(s)),
		of_share(cover_missed_share(s)),
		of_count(s->sum.one_sided_flows),
		of_count(s->sum.truncated),
		of_count(s->sum.mirror_copies),
		of_count(s->sum.oversized),
		of_count(s->sum.clock_jumps),
		of_count(s->sum.shed_max),
	};
	int error = sink->row(sink->context, values, COLUMNS);
	buf_finish(&words);
	return error;
}

static int emit(const struct cover *c, const struct store_query *q, const struct store_sink *sink,
		struct store_answer *answer)
{
	int error = sink->columns(sink->context, names, COLUMNS);

	for (size_t i = 0; i < c->segment_count && !error; i++) {
		answer->cut = i == q->limit;
		if (answer->cut)
			break;
		error = emit_segment(c->segments[i], sink);
	}
	return error;
}

int coverage_query(struct sqlite_store *s, struct db *db, const struct store_query *q,
		   const struct store_sink *sink, struct store_answer *answer)
{
	struct walk w = { .db = db, .query = q };
	int64_t end = q->now.v;
	int error = partitions_each(s, db, &q->filter, read_heard, &w, answer);

	if (q->filter.has_until && q->filter.until.v < end)
		end = q->filter.until.v;
	if (!error)
		error = partitions_each(s, db, &q->filter, read_minutes, &w, answer);
	if (!error) {
		/* An exercise has an end, and is not awaited. */
		cover_conclude(&w.sum, q->filter.exercise ? 0 : end);
		error = emit(&w.sum, q, sink, answer);
	}
	if (error)
		query_failed(db, error, answer);
	cover_finish(&w.sum);
	return error;
}
