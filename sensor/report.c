/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/report.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE (60LL * USEC_PER_SECOND)

enum { LATE_MINUTES = 10 }; /* a part that is later than this tells of another time */

struct report {
	pthread_mutex_t lock;
	const struct site *site;
	struct ledger *ledger;
	struct counters sum;
	unsigned workers, parts;
	int64_t minute;      /* that the parts are of, if there are any */
	struct ports *ports; /* NULL: a capture's */
	bool begun;          /* a minute has been told of */
	bool cut;            /* the minute under way ends before its time */
	struct ports_told port;
	uint64_t *told; /* the workers whose part has come: a bit each */
	struct record_counter counters[COUNTER_COUNT];
};

struct report *report_create(const struct site *site, unsigned workers)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	r->site = site;
	r->workers = workers;
	r->ledger = ledger_create(site);
	r->told = calloc(workers / 64 + 1, sizeof(*r->told));
	if (!r->ledger || !r->told) {
		report_destroy(r);
		return NULL;
	}
	return r;
}

void report_destroy(struct report *r)
{
	if (!r)
		return;
	ledger_destroy(r->ledger);
	free(r->told);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void report_watch(struct report *r, struct ports *ports)
{
	r->ports = ports;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* A clock that is set shows in the packets' stamps, and beside the monotonic clock:
 * that is one event. */
static void send_coverage(struct report *r, const struct report_part *p)
{
	const struct counters *c = &r->sum;
	struct ledger_minute m = {
		.minute = { r->minute * MINUTE },
		.frames = c->packets,
		.drops = counters_lost(c),
		.clock_jumps = most(c->clock_jump, c->clock_steps),
		.dead = r->port.dead,
		.live = r->ports,
		.first = !r->begun,
		.cut = r->cut,
	};

	ledger_close(r->ledger, &m, p->sensor, p->exercise, p->sink, p->context);
}

static void send_health(struct report *r, const struct report_part *p)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		uint64_t v = counter_value(&r->sum, i);
		if (v)
			r->counters[n++] = (struct record_counter){ counter_infos[i].name, v };
	}
	struct record record = {
		.type = RECORD_HEALTH,
		.health = {
			.sensor = p->sensor,
			.site_revision = site_revision(r->site),
			.exercise = p->exercise,
			.version = VIGIE_VERSION,
			.minute = { r->minute * MINUTE },
			.counters = r->counters,
			.counter_count = n,
			.interfaces = r->port.interfaces,
			.interface_count = r->port.count,
		},
	};
	p->sink(p->context, &record);
}

static void send(struct report *r, const struct report_part *p)
{
	if (r->ports) {
		ports_tell(r->ports, &r->port);
		counters_add(&r->sum, &r->port.counters);
	}
	send_coverage(r, p);
	send_health(r, p);
	r->begun = true;
	r->sum = (struct counters){ 0 };
	r->parts = 0;
	r->cut = false;
	memset(r->told, 0, (r->workers / 64 + 1) * sizeof(*r->told));
}

static void count_part(struct report *r, unsigned worker)
{
	uint64_t bit = 1ull << worker % 64;

	r->parts += !(r->told[worker / 64] & bit);
	r->told[worker / 64] |= bit;
}

void report_add(struct report *r, const struct report_part *p)
{
	pthread_mutex_lock(&r->lock);
	bool other = p->minute > r->minute || p->minute < r->minute - LATE_MINUTES;
	if (r->parts && other)
		send(r, p);
	if (!r->parts)
		r->minute = p->minute;
	ledger_move(r->ledger, p->ledger);
	counters_add_since(&r->sum, p->now, p->reported);
	*p->reported = *p->now;
	r->cut |= p->cut;
	count_part(r, p->worker);
	if (r->parts == r->workers)
		send(r, p);
	pthread_mutex_unlock(&r->lock);
}

void report_flush(struct report *r, const struct report_part *last)
{
	pthread_mutex_lock(&r->lock);
	if (r->parts)
		send(r, last);
	pthread_mutex_unlock(&r->lock);
}

void report_exchange(struct report *r, const struct site *site, struct ledger **ledger)
{
	struct ledger *before = r->ledger;

	ledger_inherit(*ledger, before);
	r->ledger = *ledger;
	*ledger = before;
	r->site = site;
}
