/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/sqlite_where.h"

/* A question by its keys: up to three columns, the same in every source. */
struct grouping {
	const char *keys[3]; /* of a source's row; "''" where there is none */
	const char *shown;   /* of the sums' k1, k2, k3 */
	bool minute, hour;   /* which rollups have the keys */
	const char *only;    /* a further condition, or NULL */
};

static const struct grouping tops[] = {
	[STORE_BY_CLIENT] = { { "client_ip", "client_segment", "''" },
			      "ip_text(k1) AS client, nullif(k2, '') AS segment",
			      false,
			      true,
			      NULL },
	[STORE_BY_SERVER] = { { "server_ip", "server_segment", "''" },
			      "ip_text(k1) AS server, nullif(k2, '') AS segment",
			      false,
			      true,
			      NULL },
	[STORE_BY_APP] = { { "app", "''", "''" }, "nullif(k1, '') AS app", false, true, NULL },
	[STORE_BY_SEGMENT] = { { "client_segment", "''", "''" },
			       "nullif(k1, '') AS segment",
			       true,
			       true,
			       NULL },
	[STORE_BY_PAIR] = { { "client_ip", "server_ip", "''" },
			    "ip_text(k1) AS client, ip_text(k2) AS server",
			    false,
			    true,
			    NULL },
	[STORE_BY_VENDOR] = { { "vendor", "''", "''" },
			      "k1 AS vendor",
			      false,
			      false,
			      "vendor <> ''" },
	[STORE_BY_VERDICT] = { { "verdict", "''", "''" },
			       "word('verdict', k1) AS verdict",
			       true,
			       false,
			       NULL },
};

/* A flow is counted once at each segment that it touches. */
static const struct grouping other_segment = {
	{ "server_segment", "''", "''" }, NULL, true, true, "server_segment <> client_segment"
};

static const struct grouping matrix = {
	{ "client_segment", "server_segment", "verdict" },
	"nullif(k1, '') AS client_segment, nullif(k2, '') AS server_segment,"
	" word('verdict', k3) AS verdict",
	true,
	false,
	NULL
};

/* total() is used for sums, since sum() fails where a hostile sensor's numbers
 * pass 2^63; below 2^53 both are exact. */
static const char flow_sums[] =
	"sum(interim = 0), CAST(total(packets_to_server + packets_to_client) AS INTEGER),"
	" CAST(total(bytes_to_server + bytes_to_client) AS INTEGER),"
	" max(severity), min(start), max(\"end\")";
static const char rollup_sums[] =
	"CAST(total(flows) AS INTEGER), CAST(total(packets) AS INTEGER),"
	" CAST(total(bytes) AS INTEGER), max(severity), min(first), max(last)";

static bool aligned(const struct store_filter *f, int64_t span)
{
	return !(f->has_since && f->since.v % span) && !(f->has_until && f->until.v % span);
}

/* The smallest table that can answer: rollups hold whole minutes and hours. */
static enum table source_of(const struct grouping *g, const struct store_filter *f)
{
	const int64_t minute = 60LL * USEC_PER_SECOND;

	if (g->minute && aligned(f, minute) && !where_misfit(TABLE_MINUTE, f))
		return TABLE_MINUTE;
	if (g->hour && aligned(f, 60 * minute) && !where_misfit(TABLE_HOUR, f))
		return TABLE_HOUR;
	return TABLE_FLOWS;
}

/* Adds one attached partition's sums to the temporary table. */
static int add_partition(struct db *db, const struct grouping *g, const struct store_filter *f)
{
	static const char *const names[] = {
		[TABLE_FLOWS] = "flows",
		[TABLE_MINUTE] = "rollup_minute",
		[TABLE_HOUR] = "rollup_hour",
	};
	enum table source = source_of(g, f);
	struct where where = { 0 };
	struct buf sql = { 0 };
	struct db_stmt *s = NULL;
	int error = -ENOMEM;

	where_filter(&where, source, f);
	if (g->only)
		where_and(&where, g->only);
	buf_format(&sql, "INSERT INTO temp.sums SELECT %s, %s, %s, %s FROM p.%s%s GROUP BY 1, 2, 3",
		   g->keys[0], g->keys[1], g->keys[2],
		   source == TABLE_FLOWS ? flow_sums : rollup_sums, names[source],
		   where.sql.failed ? "" : where.sql.data);
	if (!sql.failed && !where.sql.failed)
		error = db_prepare(db, sql.data, &s);
	if (!error) {
		where_apply(&where, s, 1);
		error = db_run(s);
	}
	db_finalize(s);
	where_finish(&where);
	buf_finish(&sql);
	return error;
}

struct adding {
	struct db *db;
	const struct store_query *query;
	const struct grouping *grouping;
	bool both_segments;
};

static int add_both(void *context)
{
	const struct adding *a = context;
	int error = add_partition(a->db, a->grouping, &a->query->filter);

	if (!error && a->both_segments)
		error = add_partition(a->db, &other_segment, &a->query->filter);
	return error;
}

static int emit_sums(struct db *db, const struct store_query *q, const struct grouping *g,
		     const struct store_sink *sink, struct store_answer *answer)
{
	static const char *const orders[] = {
		[STORE_ORDER_BYTES] = "bytes DESC, ",
		[STORE_ORDER_PACKETS] = "packets DESC, ",
		[STORE_ORDER_FLOWS] = "flows DESC, ",
	};
	struct buf sql = { 0 };
	struct db_stmt *s = NULL;

	buf_format(&sql,
		   "SELECT %s, CAST(total(flows) AS INTEGER) AS flows,"
		   " CAST(total(packets) AS INTEGER) AS packets,"
		   " CAST(total(bytes) AS INTEGER) AS bytes,"
		   " word('severity', max(severity)) AS severity,"
		   " time_text(min(first)) AS first, time_text(max(last)) AS last"
		   " FROM temp.sums GROUP BY k1, k2, k3 ORDER BY %sk1, k2, k3 LIMIT %zu",
		   g->shown, q->question == STORE_TOP ? orders[q->order] : "", q->limit + 1);
	int error = sql.failed ? -ENOMEM : db_prepare(db, sql.data, &s);
	if (!error)
		error = rows_emit(s, 0, q->limit, sink, &answer->cut);
	db_finalize(s);
	buf_finish(&sql);
	return error;
}

int aggregate_query(struct sqlite_store *s, struct db *db, const struct store_query *q,
		    const struct store_sink *sink, struct store_answer *answer)
{
	const struct grouping *g = q->question == STORE_MATRIX ? &matrix : &tops[q->by];
	bool both = q->question == STORE_TOP && q->by == STORE_BY_SEGMENT;
	int error = db_exec(db, "CREATE TEMP TABLE sums (k1, k2, k3, flows INTEGER,"
				" packets INTEGER, bytes INTEGER, severity INTEGER,"
				" first INTEGER, last INTEGER)");

	if (!error)
		error = partitions_each(s, db, &q->filter, add_both,
					&(struct adding){ db, q, g, both }, answer);
	if (!error)
		error = emit_sums(db, q, g, sink, answer);
	return error ? query_failed(db, error, answer) : 0;
}
