/* SPDX-License-Identifier: Apache-2.0
 *
 * Another site, exercise or database, between two packets. */
#include "sensor/pipeline_parts.h"

#include <stdlib.h>
#include <string.h>

/* Segments have other numbers in another site. */
static void forget_segments(void *context, struct flow *f)
{
	const struct pipeline *p = context;
	const struct site *site = p->options.setting.site;

	f->eviction_value = IMPACT_NONE;
	for (unsigned side = 0; side < 2; side++) {
		const struct segment *s = site_locate(site, &f->key.ip[side], 0, NULL);
		f->segments[side] = s->index;
		if (f->eviction_value < s->impact)
			f->eviction_value = (uint8_t)s->impact;
	}
}

struct pipeline_change {
	struct pipeline_settings to;
	/* the new ones; once applied, those that were replaced */
	struct ledger *ledger, *own_report;
	struct dedup *dedup;
};

struct pipeline_change *pipeline_prepare(const struct pipeline *p,
					 const struct pipeline_settings *to)
{
	struct pipeline_change *c = calloc(1, sizeof(*c));
	bool copies = to->dedup && !p->dedup;

	if (!c)
		return NULL;
	c->to = *to;
	c->ledger = ledger_create(to->site);
	c->own_report = p->own_report ? ledger_create(to->site) : NULL;
	c->dedup = copies ? dedup_create(PIPELINE_DEDUP, p->options.seed) : NULL;
	if (c->ledger && (c->own_report || !p->own_report) && (c->dedup || !copies))
		return c;
	pipeline_change_free(c);
	return NULL;
}

void pipeline_change_free(struct pipeline_change *c)
{
	if (!c)
		return;
	ledger_destroy(c->ledger);
	ledger_destroy(c->own_report);
	dedup_destroy(c->dedup);
	free(c);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

void pipeline_conclude(struct pipeline *p, const struct pipeline_change *c)
{
	pipeline_drain(p);
	/* Counts of one exercise are none of another's. */
	if (!same_text(p->options.setting.exercise, c->to.exercise) && p->now != INT64_MIN)
		flow_table_interim(p->flows, p->now);
	pipeline_tell(p, false);
}

void pipeline_apply(struct pipeline *p, struct pipeline_change *c)
{
	struct ledger *ledger = p->ledger;
	struct dedup *dedup = p->dedup;

	p->ledger = c->ledger;
	c->ledger = ledger;
	if (c->to.dedup != (dedup != NULL)) {
		p->dedup = c->dedup;
		c->dedup = dedup;
	}
	if (p->own_report)
		report_exchange(p->own_report, c->to.site, &c->own_report);
	/* What an exercise shows of hosts is none of what is known of the real ones. */
	if (p->assets && !same_text(p->options.setting.exercise, c->to.exercise))
		assets_clear(p->assets);
	p->options.setting.site = c->to.site;
	p->options.setting.geo = c->to.geo;
	p->options.setting.exercise = c->to.exercise;
	flow_table_each(p->flows, forget_segments, p);
	if (p->assets)
		feed_places(p->assets, c->to.site);
	flow_table_set_timeouts(p->flows, &c->to.timeouts);
}
