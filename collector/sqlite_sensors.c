/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <errno.h>
#include <inttypes.h>

#include "collector/sqlite_where.h"

#define OVERDUE (4 * 60LL * USEC_PER_SECOND) /* a minute ends, is sent, and stored */

#define LOST "('drops.kernel', 'drops.interface')"
#define OFFERED "('packets', 'drops.kernel', 'drops.interface')"

static const char sensors_sql[] =
	"SELECT sensor, nullif(exercise, '') AS exercise, nullif(version, '') AS version,"
	" nullif(site_revision, '') AS site_revision,"
	" time_text(first_received) AS first_received, time_text(last_received) AS last_received,"
	" time_text(nullif(last_record, 0)) AS last_record,"
	" (SELECT CAST(total(batches) AS INTEGER) FROM m.sensor_streams t"
	"  WHERE t.exercise = s.exercise AND t.sensor = s.sensor) AS batches,"
	" (SELECT CAST(total(records) AS INTEGER) FROM m.sensor_streams t"
	"  WHERE t.exercise = s.exercise AND t.sensor = s.sensor) AS records,"
	" (SELECT CAST(total(last_sequence - batches) AS INTEGER) FROM m.sensor_streams t"
	"  WHERE t.exercise = s.exercise AND t.sensor = s.sensor) AS missing_batches,"
	" (SELECT json_group_array(json_object('stream', word('stream', stream), 'epoch', epoch,"
	"  'batches', batches, 'records', records, 'last_sequence', last_sequence,"
	"  'last_received', time_text(received))) FROM (SELECT * FROM m.sensor_streams t"
	"  WHERE t.exercise = s.exercise AND t.sensor = s.sensor"
	"  ORDER BY received DESC, stream LIMIT 8)) AS streams,"
	" (SELECT json_group_object(name, value) FROM m.sensor_counters t"
	"  WHERE t.exercise = s.exercise AND t.sensor = s.sensor) AS counters,"
	" time_text(reported) AS last_minute, epoch,"
	" json_extract(report, '$.packets') / 60.0 AS packets_per_s,"
	" (SELECT total(value) FROM json_each(report) WHERE key IN " LOST ")"
	"  / nullif((SELECT total(value) FROM json_each(report)"
	"  WHERE key IN " OFFERED "), 0) AS lost_share,"
	" (SELECT total(value) FROM m.sensor_counters t WHERE t.exercise = s.exercise"
	"  AND t.sensor = s.sensor AND name IN " LOST ") / nullif((SELECT total(value)"
	"  FROM m.sensor_counters t WHERE t.exercise = s.exercise AND t.sensor = s.sensor"
	"  AND name IN " OFFERED "), 0) AS lost_share_in_all,"
	" iif(reported IS NULL, NULL,"
	"  ifnull(json_extract(report, '$.\"shed.level\"'), 0)) AS shed_level,"
	" report AS last_counters, nullif(ports, '[]') AS interfaces,";

enum { STREAMS_AT = 10, COUNTERS_AT = 11, LAST_COUNTERS_AT = 18, INTERFACES_AT = 19 };

static const char sources[] =
	" FROM m.sensors s LEFT JOIN (SELECT exercise AS in_exercise, sensor AS of_sensor,"
	" minute AS reported, epoch, counters AS report, interfaces AS ports"
	" FROM m.sensor_reports) ON in_exercise = s.exercise AND of_sensor = s.sensor";

/* An exercise has an end, and is not awaited. */
static void state_text(const struct store_query *q, struct buf *out)
{
	if (q->now.v && !q->filter.exercise)
		buf_format(out,
			   " iif(reported < %" PRId64
			   ", 'silent', iif(reported, 'reporting', NULL))",
			   (int64_t)(q->now.v - OVERDUE));
	else
		buf_text(out, " NULL");
	buf_text(out, " AS state");
}

int sensors_query(struct db *db, const struct store_query *q, const struct store_sink *sink,
		  struct store_answer *answer)
{
	const uint64_t json =
		1 << STREAMS_AT | 1 << COUNTERS_AT | 1 << LAST_COUNTERS_AT | 1 << INTERFACES_AT;
	struct where where = { 0 };
	struct buf sql = { 0 };
	struct db_stmt *s = NULL;
	bool more;

	where_filter(&where, TABLE_SENSORS, &q->filter);
	buf_text(&sql, sensors_sql);
	state_text(q, &sql);
	buf_format(&sql, "%s%s ORDER BY sensor LIMIT %zu", sources,
		   where.sql.failed ? "" : where.sql.data, q->limit);
	int error = sql.failed || where.sql.failed ? -ENOMEM : db_prepare(db, sql.data, &s);
	if (!error) {
		where_apply(&where, s, 1);
		error = rows_emit(s, json, q->limit, sink, &more);
	}
	if (error)
		query_failed(db, error, answer);
	db_finalize(s);
	where_finish(&where);
	buf_finish(&sql);
	return error;
}
