/* SPDX-License-Identifier: Apache-2.0
 *
 * Building and plant controllers: who writes to them. Where the site file says from
 * which segments they are operated, that alone counts; else what its conduits allow. */
#include "events/judge.h"

/* What a controller is told to do, beside values that are written. */
static const char *const writes[] = { "bacnet.writes", "modbus.writes", "knxnetip.writes",
				      "opcua.writes",  "enip.writes",   "s7.writes" };
static const char *const operations[] = { "bacnet.control", "modbus.control", "knxnetip.control",
					  "opcua.calls",    "enip.control",   "s7.control" };

static bool is_outside(const struct view *v)
{
	const struct record_flow *f = v->flow;

	if (v->expect->building_count) {
		const struct segment *from = site_segment_named(v->site, f->client.segment);
		return !from || !site_expects_control_from(v->site, from);
	}
	return f->verdict != VERDICT_INTRA_SEGMENT && f->verdict != VERDICT_CONDUIT &&
	       f->verdict != VERDICT_EXCEPTION && f->verdict != VERDICT_VENDOR;
}

static uint64_t sum(const struct view *v, const char *const *names, size_t count)
{
	uint64_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += view_number(v, names[i]);
	return n;
}

static const char *const apps[] = { "bacnet", "modbus", "knxnetip", "opcua", "enip", "s7", NULL };

static void judge(const struct view *v)
{
	char client[END_TEXT], server[END_TEXT];

	if (!view_app_is(v, apps) || !v->flow->client.segment || !is_outside(v))
		return;
	uint64_t written = sum(v, writes, sizeof(writes) / sizeof(*writes));
	uint64_t operated = sum(v, operations, sizeof(operations) / sizeof(*operations));
	if (written)
		view_raise(v, EVENT_CONTROL_WRITE, WEIGHT_WARNING, EACH_RECORD,
			   "%s wrote to a controller in %s over %s, %llu times",
			   view_end(&v->flow->client, client), view_end(&v->flow->server, server),
			   v->flow->app, (unsigned long long)written);
	if (operated)
		view_raise(v, EVENT_CONTROL_OPERATE, WEIGHT_GRAVE, EACH_RECORD,
			   "%s stopped, restarted, loaded or commanded a controller in %s over %s",
			   view_end(&v->flow->client, client), view_end(&v->flow->server, server),
			   v->flow->app);
}

const struct family control_family = { .judge = judge, .apps = apps };
