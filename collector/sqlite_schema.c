/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <errno.h>

#define BATCHES \
	"CREATE TABLE IF NOT EXISTS batches (sensor TEXT NOT NULL, stream INTEGER NOT NULL," \
	" epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, received INTEGER NOT NULL," \
	" records INTEGER NOT NULL, PRIMARY KEY (sensor, stream, epoch, sequence))" \
	" WITHOUT ROWID;"

/* Columns that both rollups, and the flows' view of them, have. */
#define SUMS \
	" flows INTEGER NOT NULL, packets INTEGER NOT NULL, bytes INTEGER NOT NULL," \
	" severity INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"

#define ADD_SUMS \
	" DO UPDATE SET flows = flows + excluded.flows," \
	" packets = packets + excluded.packets, bytes = bytes + excluded.bytes," \
	" severity = max(severity, excluded.severity)," \
	" first = min(first, excluded.first), last = max(last, excluded.last)"

static const char main_tables[] = BATCHES
	"CREATE TABLE IF NOT EXISTS options (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS sensors (exercise TEXT NOT NULL, sensor TEXT NOT NULL,"
	" first_received INTEGER NOT NULL, last_received INTEGER NOT NULL,"
	" last_record INTEGER NOT NULL, version TEXT NOT NULL, site_revision TEXT NOT NULL,"
	" PRIMARY KEY (exercise, sensor));"
	"CREATE TABLE IF NOT EXISTS sensor_streams (exercise TEXT NOT NULL,"
	" sensor TEXT NOT NULL, stream INTEGER NOT NULL, epoch INTEGER NOT NULL,"
	" batches INTEGER NOT NULL, records INTEGER NOT NULL, last_sequence INTEGER NOT NULL,"
	" received INTEGER NOT NULL, PRIMARY KEY (exercise, sensor, stream, epoch));"
	"CREATE TABLE IF NOT EXISTS sensor_counters (exercise TEXT NOT NULL,"
	" sensor TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,"
	" PRIMARY KEY (exercise, sensor, name)) WITHOUT ROWID;"
	/* The newest health record of each. */
	"CREATE TABLE IF NOT EXISTS sensor_reports (exercise TEXT NOT NULL,"
	" sensor TEXT NOT NULL, minute INTEGER NOT NULL, epoch INTEGER NOT NULL,"
	" counters TEXT NOT NULL, interfaces TEXT NOT NULL,"
	" PRIMARY KEY (exercise, sensor)) WITHOUT ROWID;";

static const char partition_tables[] = BATCHES
	"CREATE TABLE IF NOT EXISTS health (exercise TEXT NOT NULL, sensor TEXT NOT NULL,"
	" minute INTEGER NOT NULL, site_revision TEXT NOT NULL, version TEXT NOT NULL,"
	" counters TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS rollup_minute (minute INTEGER NOT NULL,"
	" exercise TEXT NOT NULL, client_segment TEXT NOT NULL, server_segment TEXT NOT NULL,"
	" verdict INTEGER NOT NULL," SUMS
	" PRIMARY KEY (minute, exercise, client_segment, server_segment, verdict)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS rollup_hour (hour INTEGER NOT NULL,"
	" exercise TEXT NOT NULL, client_ip BLOB NOT NULL, server_ip BLOB NOT NULL,"
	" client_segment TEXT NOT NULL, server_segment TEXT NOT NULL, app TEXT NOT NULL," SUMS
	" PRIMARY KEY (hour, exercise, client_ip, server_ip, client_segment, server_segment,"
	" app)) WITHOUT ROWID;";

/* Where a table is UNIQUE (exercise, ...), what it is ordered by has exercise in
 * front as well: else SQLite takes the unique index, and sorts all for each page. */
static const char partition_indexes[] =
	"CREATE INDEX IF NOT EXISTS flows_start ON flows (start);"
	"CREATE INDEX IF NOT EXISTS flows_client ON flows (client_ip, start);"
	"CREATE INDEX IF NOT EXISTS flows_server ON flows (server_ip, start);"
	/* The few that somebody should look at. */
	"CREATE INDEX IF NOT EXISTS flows_severity ON flows (severity, start) WHERE severity > 0;"
	"CREATE INDEX IF NOT EXISTS coverage_newest ON coverage (exercise, minute);";

static int run(struct db *db, struct buf *sql)
{
	int error = sql->failed ? -ENOMEM : db_exec(db, sql->data);
	buf_finish(sql);
	return error;
}

int partition_schema(struct db *db)
{
	struct buf sql = { 0 };

	/* In one transaction: a crash leaves either no tables or all. */
	buf_text(&sql, "BEGIN IMMEDIATE;");
	buf_text(&sql, partition_tables);
	buf_text(&sql, "CREATE TABLE IF NOT EXISTS flows (");
	flow_columns_text(&sql, true);
	buf_text(&sql, "); CREATE TABLE IF NOT EXISTS coverage (");
	coverage_columns_text(&sql, true);
	buf_text(&sql, ", UNIQUE (exercise, sensor, segment, minute));");
	buf_text(&sql, partition_indexes);
	buf_text(&sql, "COMMIT");
	int error = run(db, &sql);
	if (error)
		(void)db_exec(db, "ROLLBACK");
	return error;
}

int main_schema(struct db *db)
{
	struct buf sql = { 0 };

	buf_text(&sql, "BEGIN IMMEDIATE;");
	buf_text(&sql, main_tables);
	buf_text(&sql, hosts_tables);
	buf_text(&sql, "CREATE TABLE IF NOT EXISTS alerts (");
	alert_columns_text(&sql, true);
	buf_text(&sql, ", UNIQUE (exercise, id));"
		       "CREATE INDEX IF NOT EXISTS alerts_worst"
		       " ON alerts (exercise, severity, last_seen);"
		       "CREATE INDEX IF NOT EXISTS alerts_received ON alerts (received);"
		       "CREATE INDEX IF NOT EXISTS batches_received ON batches (received);"
		       "COMMIT");
	int error = run(db, &sql);
	if (error)
		(void)db_exec(db, "ROLLBACK");
	return error;
}

static int commas(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == ',';
	return n;
}

/* INSERT INTO table (columns) VALUES (?, ...) tail */
static int prepare_insert(struct db *db, const char *table, void (*columns)(struct buf *, bool),
			  const char *tail, struct db_stmt **out)
{
	struct buf names = { 0 }, sql = { 0 };
	int error = -ENOMEM;

	columns(&names, false);
	if (names.failed)
		goto out;
	buf_format(&sql, "INSERT INTO %s (%s) VALUES (?", table, names.data);
	for (int i = commas(names.data); i > 0; i--)
		buf_text(&sql, ", ?");
	buf_format(&sql, ") %s", tail);
	if (!sql.failed)
		error = db_prepare(db, sql.data, out);
out:
	buf_finish(&names);
	buf_finish(&sql);
	return error;
}

static const char insert_batch[] = "INSERT OR IGNORE INTO batches"
				   " (sensor, stream, epoch, sequence, received, records)"
				   " VALUES (?, ?, ?, ?, ?, ?)";

/* Two records of one minute come when a sensor was started again within it. */
static const char add_coverage[] =
	"ON CONFLICT (exercise, sensor, segment, minute) DO UPDATE SET"
	" site_revision = excluded.site_revision,"
	" state = iif(instr('quiet seen partial mirror-dead blind', excluded.state) >"
	"  instr('quiet seen partial mirror-dead blind', state), excluded.state, state),"
	" packets = packets + excluded.packets, bytes = bytes + excluded.bytes,"
	" one_sided_flows = one_sided_flows + excluded.one_sided_flows,"
	" missed_bytes = missed_bytes + excluded.missed_bytes,"
	" truncated = truncated + excluded.truncated,"
	" mirror_copies = mirror_copies + excluded.mirror_copies,"
	" routed_copies = routed_copies + excluded.routed_copies,"
	" shed_max = max(shed_max, excluded.shed_max),"
	" clock_jumps = clock_jumps + excluded.clock_jumps,"
	" oversized = oversized + excluded.oversized,"
	" frames = frames + excluded.frames, drops = drops + excluded.drops,"
	" reasons = iif(reasons IN ('', excluded.reasons), excluded.reasons,"
	"  iif(excluded.reasons = '', reasons, reasons || char(10) || excluded.reasons))";

struct statement {
	struct db_stmt **to;
	const char *sql;
};

static int prepare_all(struct db *db, const struct statement *list, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = db_prepare(db, list[i].sql, list[i].to);
	return error;
}

int partition_prepare(struct partition *p)
{
	const struct statement list[] = {
		{ &p->begin, "BEGIN IMMEDIATE" },
		{ &p->commit, "COMMIT" },
		{ &p->rollback, "ROLLBACK" },
		{ &p->batch, insert_batch },
		{ &p->health, "INSERT INTO health (exercise, sensor, minute, site_revision,"
			      " version, counters) VALUES (?, ?, ?, ?, ?, ?)" },
		{ &p->minute, "INSERT INTO rollup_minute (flows, packets, bytes, severity, first,"
			      " last, minute, exercise, client_segment, server_segment, verdict)"
			      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
			      " ON CONFLICT" ADD_SUMS },
		{ &p->hour, "INSERT INTO rollup_hour (flows, packets, bytes, severity, first,"
			    " last, hour, exercise, client_segment, server_segment, client_ip,"
			    " server_ip, app) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
			    " ON CONFLICT" ADD_SUMS },
	};
	int error = prepare_all(p->db, list, sizeof(list) / sizeof(list[0]));

	if (!error)
		error = prepare_insert(p->db, "flows", flow_columns_text, "", &p->flow);
	if (!error)
		error = prepare_insert(p->db, "coverage", coverage_columns_text, add_coverage,
				       &p->coverage);
	return error;
}

/* What was seen last describes the alert; what was seen in all is summed. */
static const char fold_alert[] =
	"ON CONFLICT (exercise, id) DO UPDATE SET count = count + excluded.count,"
	" first_seen = min(first_seen, excluded.first_seen),"
	" reason = iif(excluded.last_seen >= last_seen, excluded.reason, reason),"
	" last_seen = max(last_seen, excluded.last_seen),"
	" severity = max(severity, excluded.severity),"
	" site_revision = excluded.site_revision, flows = excluded.flows,"
	" received = excluded.received";

int main_prepare(struct sqlite_store *s)
{
	const struct statement list[] = {
		{ &s->stmt.begin, "BEGIN IMMEDIATE" },
		{ &s->stmt.commit, "COMMIT" },
		{ &s->stmt.rollback, "ROLLBACK" },
		{ &s->stmt.known, "SELECT 1 FROM batches WHERE sensor = ? AND stream = ? AND"
				  " epoch = ? AND sequence = ?" },
		{ &s->stmt.batch, insert_batch },
		{ &s->stmt.alert_get, "SELECT flows FROM alerts WHERE exercise = ? AND id = ?" },
		{ &s->stmt.sensor,
		  "INSERT INTO sensors (exercise, sensor, first_received, last_received,"
		  " last_record, version, site_revision) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)"
		  " ON CONFLICT DO UPDATE SET last_received = excluded.last_received,"
		  " last_record = max(last_record, excluded.last_record),"
		  " version = iif(excluded.version = '', version, excluded.version),"
		  " site_revision = excluded.site_revision" },
		{ &s->stmt.stream,
		  "INSERT INTO sensor_streams (exercise, sensor, stream, epoch, batches, records,"
		  " last_sequence, received) VALUES (?, ?, ?, ?, 1, ?, ?, ?)"
		  " ON CONFLICT DO UPDATE SET batches = batches + 1,"
		  " records = records + excluded.records,"
		  " last_sequence = max(last_sequence, excluded.last_sequence),"
		  " received = excluded.received" },
		{ &s->stmt.counter,
		  "INSERT INTO sensor_counters (exercise, sensor, name, value)"
		  " VALUES (?1, ?2, ?3, ?4)"
		  " ON CONFLICT DO UPDATE SET value = iif(?5, 0, value) + excluded.value" },
		{ &s->stmt.report,
		  "INSERT INTO sensor_reports (exercise, sensor, minute, epoch, counters,"
		  " interfaces) VALUES (?, ?, ?, ?, ?, ?)"
		  " ON CONFLICT DO UPDATE SET minute = excluded.minute, epoch = excluded.epoch,"
		  " counters = excluded.counters, interfaces = excluded.interfaces"
		  " WHERE excluded.minute >= minute" },
	};
	int error = prepare_all(s->main, list, sizeof(list) / sizeof(list[0]));

	if (!error)
		error = prepare_insert(s->main, "alerts", alert_columns_text, fold_alert,
				       &s->stmt.alert_put);
	return error ? error : hosts_prepare(s);
}

void main_finalize(struct sqlite_store *s)
{
	struct db_stmt *list[] = { s->stmt.begin,     s->stmt.commit, s->stmt.rollback,
				   s->stmt.known,     s->stmt.batch,  s->stmt.alert_get,
				   s->stmt.alert_put, s->stmt.sensor, s->stmt.stream,
				   s->stmt.counter,   s->stmt.report };

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		db_finalize(list[i]);
	hosts_finalize(s);
}

/* What the tables hold, in the words of docs/records.md (docs/api.md). */
#define VIEW_ENDPOINT(side) \
	" ip_text(" side "_ip) AS " side "_ip, " side "_port, mac_text(" side "_mac) AS " side \
	"_mac, nullif(" side "_segment, '') AS " side "_segment," \
	" word('impact', " side "_impact) AS " side "_impact," \
	" nullif(" side "_asn, 0) AS " side "_asn, nullif(" side "_country, '') AS " side \
	"_country,"

static const char flows_view[] =
	"SELECT id, sensor, nullif(site_revision, '') AS site_revision,"
	" nullif(exercise, '') AS exercise, time_text(start) AS start, time_text(\"end\") AS "
	"\"end\","
	" start AS start_us, \"end\" AS end_us, interim, word('end_reason', end_reason) AS "
	"end_reason,"
	" word('protocol', protocol) AS protocol, nullif(community_id, '') AS community_id,"
	" nullif(realm, '') AS realm," VIEW_ENDPOINT("client") VIEW_ENDPOINT(
		"server") " word('orientation', orientation) AS orientation,"
			  " packets_to_server, packets_to_client, packets_to_server + "
			  "packets_to_client AS packets,"
			  " bytes_to_server, bytes_to_client, bytes_to_server + bytes_to_client AS "
			  "bytes,"
			  " nullif(replace(path, char(10), ' '), '') AS path, copies_mirror, "
			  "copies_routed,"
			  " tcp_flags_to_server, tcp_flags_to_client, rtt_client_us, rtt_server_us,"
			  " retransmissions, missed_bytes, midstream, icmp_type, icmp_code,"
			  " nullif(replace(tunnel, char(10), ' '), '') AS tunnel, dscp, "
			  "nullif(app, '') AS app,"
			  " word('app_source', app_source) AS app_source,"
			  " iif(app = '', NULL, word('confidence', app_confidence)) AS "
			  "app_confidence, encrypted,"
			  " nullif(attributes, '') AS attributes, word('verdict', verdict) AS "
			  "verdict,"
			  " nullif(rule, '') AS rule, nullif(reason, '') AS reason, nullif(vendor, "
			  "'') AS vendor,"
			  " word('severity', severity) AS severity, severity AS severity_level, "
			  "shed";

static const char coverage_view[] =
	"SELECT sensor, nullif(site_revision, '') AS site_revision,"
	" nullif(exercise, '') AS exercise, segment, state, time_text(minute) AS minute,"
	" minute AS minute_us, packets, bytes, one_sided_flows, missed_bytes, truncated,"
	" mirror_copies, routed_copies, shed_max, clock_jumps, oversized, frames, drops,"
	" nullif(replace(reasons, char(10), ' '), '') AS reasons";

#define VIEW_SUMS \
	" flows, packets, bytes, word('severity', severity) AS severity," \
	" severity AS severity_level, time_text(first) AS first, time_text(last) AS last"

static const char minute_view[] =
	"SELECT time_text(minute) AS minute, minute AS minute_us,"
	" nullif(exercise, '') AS exercise, nullif(client_segment, '') AS client_segment,"
	" nullif(server_segment, '') AS server_segment, word('verdict', verdict) AS "
	"verdict," VIEW_SUMS;

static const char hour_view[] =
	"SELECT time_text(hour) AS hour, hour AS hour_us, nullif(exercise, '') AS exercise,"
	" ip_text(client_ip) AS client_ip, ip_text(server_ip) AS server_ip,"
	" nullif(client_segment, '') AS client_segment,"
	" nullif(server_segment, '') AS server_segment, nullif(app, '') AS app," VIEW_SUMS;

static const char alerts_view[] =
	"CREATE TEMP VIEW alerts AS SELECT id, kind, word('severity', severity) AS severity,"
	" severity AS severity_level, sensor, nullif(site_revision, '') AS site_revision,"
	" nullif(exercise, '') AS exercise, time_text(first_seen) AS first_seen,"
	" time_text(last_seen) AS last_seen, first_seen AS first_seen_us,"
	" last_seen AS last_seen_us, count,"
	" iif(server_ip = x'', NULL, word('protocol', protocol)) AS protocol," VIEW_ENDPOINT(
		"client") VIEW_ENDPOINT("server") " nullif(app, '') AS app,"
						  " nullif(rule, '') AS rule, nullif(reason, '') "
						  "AS reason, nullif(vendor, '') AS vendor,"
						  " nullif(technique, '') AS technique,"
						  " nullif(replace(flows, char(10), ' '), '') AS "
						  "flows FROM m.alerts;";

static const char hosts_view[] =
	"CREATE TEMP VIEW hosts AS SELECT id AS host, nullif(exercise, '') AS exercise, realm,"
	" ip_text(nullif(ip, x'')) AS ip, mac_text(mac) AS mac,"
	" nullif(mac_vendor, '') AS mac_vendor, nullif(segment, '') AS segment,"
	" word('impact', impact) AS impact, sensor, nullif(site_revision, '') AS site_revision,"
	" time_text(first_seen) AS first_seen, time_text(last_seen) AS last_seen,"
	" first_seen AS first_seen_us, last_seen AS last_seen_us FROM m.hosts;"
	"CREATE TEMP VIEW host_roles AS SELECT host, role,"
	" word('confidence', confidence) AS confidence, source FROM m.host_roles;"
	"CREATE TEMP VIEW host_facts AS SELECT host, name, value, source,"
	" nullif(word('confidence', confidence), 'none') AS confidence,"
	" time_text(first) AS first_seen, time_text(last) AS last_seen FROM m.host_facts;";

static const char sensors_view[] =
	"CREATE TEMP VIEW sensors AS SELECT sensor, nullif(exercise, '') AS exercise,"
	" time_text(first_received) AS first_received, time_text(last_received) AS last_received,"
	" time_text(nullif(last_record, 0)) AS last_record, nullif(version, '') AS version,"
	" nullif(site_revision, '') AS site_revision FROM m.sensors;"
	"CREATE TEMP VIEW sensor_counters AS SELECT sensor, nullif(exercise, '') AS exercise,"
	" name, value FROM m.sensor_counters;";

void views_text(struct buf *out, size_t partitions)
{
	static const struct {
		const char *name, *select;
	} views[] = {
		{ "flows", flows_view },
		{ "coverage", coverage_view },
		{ "rollup_minute", minute_view },
		{ "rollup_hour", hour_view },
	};

	for (size_t v = 0; v < sizeof(views) / sizeof(views[0]); v++) {
		buf_format(out, "CREATE TEMP VIEW %s AS ", views[v].name);
		if (!partitions)
			buf_format(out, "%s FROM main.%s", views[v].select, views[v].name);
		for (size_t i = 0; i < partitions; i++)
			buf_format(out, "%s%s FROM p%zu.%s", i ? " UNION ALL " : "",
				   views[v].select, i, views[v].name);
		buf_text(out, ";");
	}
	buf_text(out, alerts_view);
	buf_text(out, hosts_view);
	buf_text(out, sensors_view);
}
