/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct entry {
	struct record_alert alert;
	char id[RECORD_ID];
	char reason[256];
	char flows[RECORD_ALERT_FLOWS][RECORD_ID];
};

struct alerts {
	struct entry *entries;
	uint64_t *keys; /* of the entries' ids, side by side, to be searched fast */
	size_t most, count;
	struct counters *counters;
	record_sink *sink;
	void *context;
};

struct alerts *alerts_create(size_t most, struct counters *counters, record_sink *sink,
			     void *context)
{
	struct alerts *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->entries = calloc(most, sizeof(*a->entries));
	a->most = most;
	a->counters = counters;
	a->sink = sink;
	a->context = context;
	a->keys = calloc(most, sizeof(*a->keys));
	if (!a->entries || !a->keys) {
		alerts_destroy(a);
		return NULL;
	}
	return a;
}

void alerts_destroy(struct alerts *a)
{
	if (!a)
		return;
	free(a->entries);
	free(a->keys);
	free(a);
}

static void hash_text(XXH3_state_t *h, const char *text, const char *behind)
{
	if (text)
		XXH3_128bits_update(h, text, strlen(text));
	XXH3_128bits_update(h, behind, strlen(behind));
}

/* The same event gives the same id, on any sensor run and after any resend. */
static uint64_t identify(const struct record_flow *f, const char *kind, char id[RECORD_ID])
{
	char ip[IP_TEXT], numbers[32];
	XXH3_state_t state;

	XXH3_128bits_reset(&state);
	hash_text(&state, f->sensor, "\n");
	hash_text(&state, f->exercise, "\n");
	hash_text(&state, kind, "\n");
	hash_text(&state, ip_text(&f->client.ip, ip), "\n");
	hash_text(&state, ip_text(&f->server.ip, ip), "\n");
	snprintf(numbers, sizeof(numbers), "%u\n%u\n", f->protocol, f->server.port);
	hash_text(&state, numbers, "");
	hash_text(&state, f->app, "\n");
	hash_text(&state, f->rule, "");
	XXH128_hash_t h = XXH3_128bits_digest(&state);
	snprintf(id, RECORD_ID, "%016llx%016llx", (unsigned long long)h.high64,
		 (unsigned long long)h.low64);
	return h.low64;
}

static struct entry *find(struct alerts *a, uint64_t key, const char *id)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->keys[i] == key && !strcmp(a->entries[i].id, id))
			return &a->entries[i];
	return NULL;
}

static void start(struct entry *e, const struct record_flow *f, const char *kind,
		  const char *technique, const char *id)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->id, id, RECORD_ID);
	snprintf(e->reason, sizeof(e->reason), "%s", f->reason ? f->reason : "");
	e->alert = (struct record_alert){
		.id = e->id,
		.kind = kind,
		.sensor = f->sensor,
		.site_revision = f->site_revision,
		.exercise = f->exercise,
		.severity = f->severity,
		.first_seen = f->start,
		.last_seen = f->end,
		.client = f->client,
		.server = f->server,
		.protocol = f->protocol,
		.app = f->app,
		.rule = f->rule,
		.reason = e->reason,
		.vendor = f->vendor,
		.technique = technique,
	};
	e->alert.client.has_port = false; /* differs from flow to flow */
	e->alert.client.port = 0;
	e->alert.client.country = NULL; /* not ours to keep */
	e->alert.server.country = NULL;
}

static void add(struct entry *e, const struct record_flow *f)
{
	struct record_alert *a = &e->alert;

	a->count++;
	if (f->start.v < a->first_seen.v)
		a->first_seen = f->start;
	if (f->end.v > a->last_seen.v)
		a->last_seen = f->end;
	if (a->flow_count == RECORD_ALERT_FLOWS)
		return;
	snprintf(e->flows[a->flow_count], RECORD_ID, "%s", f->id);
	a->flows[a->flow_count] = e->flows[a->flow_count];
	a->flow_count++;
}

static void send(struct alerts *a, const struct entry *e)
{
	struct record r = { .type = RECORD_ALERT, .alert = e->alert };
	a->sink(a->context, &r);
}

void alerts_raise(struct alerts *a, const struct record_flow *f, const char *kind,
		  const char *technique)
{
	char id[RECORD_ID];

	a->counters->alerts++;
	uint64_t key = identify(f, kind, id);
	struct entry *e = find(a, key, id);
	if (!e && a->count < a->most) {
		a->keys[a->count] = key;
		e = &a->entries[a->count++];
		start(e, f, kind, technique, id);
	}
	if (e) {
		add(e, f);
		return;
	}
	struct entry single;
	start(&single, f, kind, technique, id);
	add(&single, f);
	a->counters->alerts_table_full++;
	send(a, &single);
}

void alerts_flush(struct alerts *a)
{
	for (size_t i = 0; i < a->count; i++)
		send(a, &a->entries[i]);
	a->count = 0;
}
