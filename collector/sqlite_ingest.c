/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/rollup.h"
#include "schema/counters.h"

/* A record that belongs into a partition. */
struct placed {
	int64_t key;
	uint32_t batch, record;
};

struct ingest {
	struct sqlite_store *store;
	struct store_batch *batches;
	struct usec now;
	struct placed *list;
	size_t count;
	struct rollup minutes, hours;
	struct buf scratch;
};

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	return (x->record > y->record) - (x->record < y->record);
}

/* False for records that main.db keeps. */
static bool time_of(const struct record *r, struct usec *out)
{
	switch (r->type) {
	case RECORD_FLOW:
		*out = r->flow.start;
		return true;
	case RECORD_COVERAGE:
		*out = r->coverage.minute;
		return true;
	case RECORD_HEALTH:
		*out = r->health.minute;
		return true;
	case RECORD_ALERT:
	case RECORD_ASSET:
	case RECORD_TYPE_COUNT:
		break;
	}
	return false;
}

static int place(struct ingest *in, size_t batches)
{
	size_t most = 0;

	for (size_t b = 0; b < batches; b++)
		most += in->batches[b].count;
	in->list = malloc((most + 1) * sizeof(*in->list));
	if (!in->list)
		return -ENOMEM;
	for (size_t b = 0; b < batches; b++) {
		const struct store_batch *batch = &in->batches[b];
		for (size_t i = 0; i < batch->count && !batch->known; i++) {
			struct usec t;
			if (!time_of(&batch->records[i], &t))
				continue;
			in->list[in->count++] = (struct placed){
				.key = partition_key(in->store, t),
				.batch = (uint32_t)b,
				.record = (uint32_t)i,
			};
		}
	}
	qsort(in->list, in->count, sizeof(*in->list), by_place);
	return 0;
}

static void bind_identity(struct db_stmt *s, const struct batch_identity *id)
{
	db_bind_text(s, 1, id->sensor);
	db_bind_int(s, 2, id->stream);
	db_bind_int(s, 3, (int64_t)id->epoch);
	db_bind_int(s, 4, (int64_t)id->sequence);
}

/* 1 when the batch was not known to this file, 0 when it was, or -errno. */
static int note_batch(struct db *db, struct db_stmt *s, const struct store_batch *batch,
		      size_t records, struct usec now)
{
	bind_identity(s, &batch->identity);
	db_bind_int(s, 5, now.v);
	db_bind_count(s, 6, records);
	int error = db_run(s);
	return error ? error : db_changes(db);
}

static void put_counter_object(const struct record_health *h, struct buf *out)
{
	struct json j = { .out = out };

	json_open(&j, NULL, '{');
	for (size_t i = 0; i < h->counter_count; i++)
		json_u64(&j, h->counters[i].name, h->counters[i].value);
	json_close(&j, '}');
}

static int put_health(struct partition *p, const struct record_health *h, struct buf *scratch)
{
	buf_clear(scratch);
	put_counter_object(h, scratch);
	if (scratch->failed)
		return -ENOMEM;
	db_bind_text(p->health, 1, h->exercise);
	db_bind_text(p->health, 2, h->sensor);
	db_bind_int(p->health, 3, h->minute.v);
	db_bind_text(p->health, 4, h->site_revision);
	db_bind_text(p->health, 5, h->version);
	db_bind_text(p->health, 6, scratch->data);
	return db_run(p->health);
}

static int put_flow(struct ingest *in, struct partition *p, const struct record_flow *f)
{
	flow_bind(p->flow, f, &in->scratch);
	int error = in->scratch.failed ? -ENOMEM : db_run(p->flow);
	if (!error)
		error = rollup_add(&in->minutes, f);
	if (!error)
		error = rollup_add(&in->hours, f);
	return error;
}

static int put_record(struct ingest *in, struct partition *p, const struct record *r)
{
	switch (r->type) {
	case RECORD_FLOW:
		return put_flow(in, p, &r->flow);
	case RECORD_COVERAGE:
		coverage_bind(p->coverage, &r->coverage, &in->scratch);
		return in->scratch.failed ? -ENOMEM : db_run(p->coverage);
	case RECORD_HEALTH:
		return put_health(p, &r->health, &in->scratch);
	case RECORD_ALERT:
	case RECORD_ASSET:
	case RECORD_TYPE_COUNT:
		break;
	}
	return 0;
}

static void bind_sums(struct db_stmt *s, const struct rollup_row *row)
{
	const struct record_flow *f = row->flow;

	db_bind_count(s, 1, row->flows);
	db_bind_count(s, 2, row->packets);
	db_bind_count(s, 3, row->bytes);
	db_bind_int(s, 4, row->severity);
	db_bind_int(s, 5, row->first.v);
	db_bind_int(s, 6, row->last.v);
	db_bind_int(s, 7, row->bucket);
	db_bind_text(s, 8, f->exercise);
	db_bind_text(s, 9, f->client.segment);
	db_bind_text(s, 10, f->server.segment);
}

static void bind_ip(struct db_stmt *s, int at, const struct record_endpoint *e)
{
	db_bind_blob(s, at, e->ip.bytes, e->no_ip ? 0 : sizeof(e->ip.bytes));
}

static int put_rollups(struct ingest *in, struct partition *p)
{
	int error = 0;

	for (size_t i = 0; i < in->minutes.count && !error; i++) {
		const struct rollup_row *row = &in->minutes.rows[i];
		bind_sums(p->minute, row);
		db_bind_int(p->minute, 11, row->flow->verdict);
		error = db_run(p->minute);
	}
	for (size_t i = 0; i < in->hours.count && !error; i++) {
		const struct rollup_row *row = &in->hours.rows[i];
		bind_sums(p->hour, row);
		bind_ip(p->hour, 11, &row->flow->client);
		bind_ip(p->hour, 12, &row->flow->server);
		db_bind_text(p->hour, 13, row->flow->app);
		error = db_run(p->hour);
	}
	return error;
}

/* list[from .. to): the records of one batch for one partition. */
static int put_batch(struct ingest *in, struct partition *p, size_t from, size_t to)
{
	const struct store_batch *batch = &in->batches[in->list[from].batch];
	int fresh = note_batch(p->db, p->batch, batch, to - from, in->now);

	if (fresh <= 0)
		return fresh;
	int error = 0;
	for (size_t i = from; i < to && !error; i++)
		error = put_record(in, p, &batch->records[in->list[i].record]);
	return error;
}

/* list[from .. to): everything for one partition, in one transaction. */
static int put_partition(struct ingest *in, size_t from, size_t to)
{
	struct partition *p;
	int error = partition_get(in->store, in->list[from].key, &p);

	if (error)
		return error;
	rollup_clear(&in->minutes);
	rollup_clear(&in->hours);
	error = db_run(p->begin);
	if (error)
		return error;
	for (size_t i = from, next; i < to && !error; i = next) {
		for (next = i + 1; next < to && in->list[next].batch == in->list[i].batch;)
			next++;
		error = put_batch(in, p, i, next);
	}
	if (!error)
		error = put_rollups(in, p);
	if (!error)
		error = db_run(p->commit);
	if (error)
		(void)db_run(p->rollback);
	return error;
}

static int put_partitions(struct ingest *in)
{
	int error = 0;

	for (size_t i = 0, next; i < in->count && !error; i = next) {
		for (next = i + 1; next < in->count && in->list[next].key == in->list[i].key;)
			next++;
		error = put_partition(in, i, next);
		if (error == -EUCLEAN && !partition_set_aside(in->store, in->list[i].key))
			error = put_partition(in, i, next);
	}
	return error;
}

static bool has_flow(const struct record_alert *a, const char *id, size_t n)
{
	for (size_t i = 0; i < a->flow_count; i++)
		if (strlen(a->flows[i]) == n && !memcmp(a->flows[i], id, n))
			return true;
	return false;
}

/* The flows that are known of an alert come first, then the new ones, until the
 * list is full. `kept` holds the texts. */
static void merge_flows(struct record_alert *merged, const struct record_alert *a, char *kept)
{
	merged->flow_count = 0;
	while (kept && *kept && merged->flow_count < RECORD_ALERT_FLOWS)
		merged->flows[merged->flow_count++] = strsep(&kept, "\n");
	for (size_t i = 0; i < a->flow_count && merged->flow_count < RECORD_ALERT_FLOWS; i++)
		if (!has_flow(merged, a->flows[i], strlen(a->flows[i])))
			merged->flows[merged->flow_count++] = a->flows[i];
}

static int put_alert(struct ingest *in, const struct record_alert *a)
{
	struct sqlite_store *s = in->store;
	struct record_alert merged = *a;

	db_bind_text(s->stmt.alert_get, 1, a->exercise);
	db_bind_text(s->stmt.alert_get, 2, a->id);
	int got = db_step(s->stmt.alert_get);
	char *kept = got == 1 ? strdup(db_column_text(s->stmt.alert_get, 0)) : NULL;
	db_reset(s->stmt.alert_get);
	if (got < 0)
		return got;
	if (got == 1 && !kept)
		return -ENOMEM;
	merge_flows(&merged, a, kept);
	alert_bind(s->stmt.alert_put, &merged, in->now, &in->scratch);
	int error = in->scratch.failed ? -ENOMEM : db_run(s->stmt.alert_put);
	free(kept);
	return error;
}

/* What is now, no sum: the newest says all. */
static bool is_level(const char *name)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		if (counter_infos[i].level && !strcmp(counter_infos[i].name, name))
			return true;
	return false;
}

static int put_counters(struct ingest *in, const struct record_health *h)
{
	struct db_stmt *s = in->store->stmt.counter;
	int error = 0;

	for (size_t i = 0; i < h->counter_count && !error; i++) {
		db_bind_text(s, 1, h->exercise);
		db_bind_text(s, 2, h->sensor);
		db_bind_text(s, 3, h->counters[i].name);
		db_bind_count(s, 4, h->counters[i].value);
		db_bind_int(s, 5, is_level(h->counters[i].name));
		error = db_run(s);
	}
	return error;
}

static int put_sensor(struct ingest *in, const struct store_batch *batch)
{
	struct sqlite_store *s = in->store;
	const struct batch_identity *id = &batch->identity;
	const char *version = "";
	int64_t last = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const struct record *r = &batch->records[i];
		int64_t end = r->type == RECORD_FLOW     ? r->flow.end.v
			      : r->type == RECORD_ALERT  ? r->alert.last_seen.v
			      : r->type == RECORD_HEALTH ? r->health.minute.v
			      : r->type == RECORD_ASSET  ? r->asset.last_seen.v
							 : r->coverage.minute.v;
		last = end > last ? end : last;
		if (r->type == RECORD_HEALTH && r->health.version)
			version = r->health.version;
	}
	db_bind_text(s->stmt.sensor, 1, id->exercise);
	db_bind_text(s->stmt.sensor, 2, id->sensor);
	db_bind_int(s->stmt.sensor, 3, in->now.v);
	db_bind_int(s->stmt.sensor, 4, last);
	db_bind_text(s->stmt.sensor, 5, version);
	db_bind_text(s->stmt.sensor, 6, id->site_revision);
	int error = db_run(s->stmt.sensor);
	if (error)
		return error;
	db_bind_text(s->stmt.stream, 1, id->exercise);
	db_bind_text(s->stmt.stream, 2, id->sensor);
	db_bind_int(s->stmt.stream, 3, id->stream);
	db_bind_int(s->stmt.stream, 4, (int64_t)id->epoch);
	db_bind_count(s->stmt.stream, 5, batch->count);
	db_bind_int(s->stmt.stream, 6, (int64_t)id->sequence);
	db_bind_int(s->stmt.stream, 7, in->now.v);
	return db_run(s->stmt.stream);
}

static int put_report(struct ingest *in, const struct record_health *h, uint64_t epoch)
{
	struct db_stmt *s = in->store->stmt.report;

	buf_clear(&in->scratch);
	put_counter_object(h, &in->scratch);
	buf_char(&in->scratch, '\0');
	size_t interfaces = in->scratch.len;
	record_interfaces_json(h->interfaces, h->interface_count, &in->scratch);
	if (in->scratch.failed)
		return -ENOMEM;
	db_bind_text(s, 1, h->exercise);
	db_bind_text(s, 2, h->sensor);
	db_bind_int(s, 3, h->minute.v);
	db_bind_int(s, 4, (int64_t)epoch);
	db_bind_text(s, 5, in->scratch.data);
	db_bind_text(s, 6, in->scratch.data + interfaces);
	return db_run(s);
}

static int put_in_main(struct ingest *in, struct store_batch *batch)
{
	struct sqlite_store *s = in->store;
	int fresh = note_batch(s->main, s->stmt.batch, batch, batch->count, in->now);

	if (fresh < 0)
		return fresh;
	batch->known = !fresh;
	if (!fresh)
		return 0;
	int error = put_sensor(in, batch);
	for (size_t i = 0; i < batch->count && !error; i++) {
		const struct record *r = &batch->records[i];
		if (r->type == RECORD_ALERT)
			error = put_alert(in, &r->alert);
		else if (r->type == RECORD_ASSET)
			error = hosts_put(s, &r->asset, in->now);
		else if (r->type == RECORD_HEALTH)
			error = put_counters(in, &r->health);
		if (!error && r->type == RECORD_HEALTH)
			error = put_report(in, &r->health, batch->identity.epoch);
	}
	return error;
}

static int put_main(struct ingest *in, size_t batches)
{
	struct sqlite_store *s = in->store;
	int error = db_run(s->stmt.begin);

	if (error)
		return error;
	for (size_t i = 0; i < batches && !error; i++)
		if (!in->batches[i].known)
			error = put_in_main(in, &in->batches[i]);
	if (!error)
		error = db_run(s->stmt.commit);
	if (error)
		(void)db_run(s->stmt.rollback);
	return error;
}

static int mark_known(struct sqlite_store *s, struct store_batch *batches, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bind_identity(s->stmt.known, &batches[i].identity);
		int got = db_step(s->stmt.known);
		db_reset(s->stmt.known);
		if (got < 0)
			return got;
		batches[i].known = got;
	}
	return 0;
}

int sqlite_ingest(void *state, struct store_batch *batches, size_t count, struct usec now)
{
	struct ingest in = {
		.store = state,
		.batches = batches,
		.now = now,
		.minutes = { .kind = ROLLUP_MINUTE },
		.hours = { .kind = ROLLUP_HOUR },
	};
	int error = mark_known(state, batches, count);

	if (!error)
		error = place(&in, count);
	if (!error)
		error = put_partitions(&in);
	if (!error)
		error = put_main(&in, count);
	free(in.list);
	rollup_finish(&in.minutes);
	rollup_finish(&in.hours);
	buf_finish(&in.scratch);
	return error;
}
