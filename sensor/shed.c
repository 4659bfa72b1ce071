/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/shed.h"

#include <assert.h>

static const struct usec step = { 100 * 1000 };

enum treatment shed_treatment(uint8_t level, enum impact impact)
{
	enum { F = TREAT_FULLY, D = TREAT_WITHOUT_DPI, H = TREAT_HEADERS, P = TREAT_PAIR };
	/* none, guest, administrative, operational, care-critical, life-critical */
	static const uint8_t table[SHED_LEVEL_MOST + 1][IMPACT_COUNT] = {
		{ F, F, F, F, F, F }, { D, D, D, F, F, F }, { H, H, H, F, F, F },
		{ P, P, P, D, D, F }, { P, P, P, P, H, F },
	};

	assert(level <= SHED_LEVEL_MOST && impact < IMPACT_COUNT);
	return (enum treatment)table[level][impact];
}

/* --- options --- */

void shed_options_init(struct shed_options *o)
{
	*o = (struct shed_options){
		.enabled = true,
		.urgent = 85,
		.quiet = { 60LL * USEC_PER_SECOND },
		.singles = 10000,
		.high = { .ring = 50, .queue = 50, .spool = 90, .lag = { 500 * 1000 } },
		.low = { .ring = 10, .queue = 10, .spool = 80, .lag = { 50 * 1000 } },
	};
}

static void read_marks(const struct yaml_node *shed, const char *name, struct shed_marks *m)
{
	static const char *const keys[] = { "ring", "queue", "spool", "lag", NULL };
	const struct yaml_node *n = yaml_get(shed, name);

	if (!n)
		return;
	yaml_only_keys(n, name, keys);
	yaml_read_u64(n, "ring", 1, 100, &m->ring);
	yaml_read_u64(n, "queue", 1, 100, &m->queue);
	yaml_read_u64(n, "spool", 1, 100, &m->spool);
	yaml_read_span(n, "lag", &m->lag);
}

/* Between the marks a level is kept: without room there it would swing. */
static void check_marks(const struct yaml_node *n, const struct shed_options *o)
{
	const struct {
		const char *name;
		bool wrong;
	} rows[] = {
		{ "ring", o->low.ring >= o->high.ring },
		{ "queue", o->low.queue >= o->high.queue },
		{ "spool", o->low.spool >= o->high.spool },
		{ "lag", o->low.lag.v >= o->high.lag.v },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].wrong)
			yaml_problem(n, "the low mark of %s is not below its high one",
				     rows[i].name);
	if (o->urgent <= o->high.ring)
		yaml_problem(n, "urgent is not above the high mark of ring");
}

void shed_options_read(struct shed_options *o, const struct yaml_node *n)
{
	static const char *const keys[] = { "enabled", "least", "urgent",  "quiet",
					    "high",    "low",   "singles", NULL };

	if (!n)
		return;
	yaml_only_keys(n, "shed", keys);
	yaml_read_bool(n, "enabled", &o->enabled);
	yaml_read_u64(n, "least", 0, SHED_LEVEL_MOST, &o->least);
	yaml_read_u64(n, "urgent", 1, 100, &o->urgent);
	yaml_read_u64(n, "singles", 0, UINT32_MAX, &o->singles);
	yaml_read_span(n, "quiet", &o->quiet);
	if (o->quiet.v < USEC_PER_SECOND || o->quiet.v > 3600LL * USEC_PER_SECOND)
		yaml_problem(yaml_get(n, "quiet"), "quiet is not between 1s and 1h");
	read_marks(n, "high", &o->high);
	read_marks(n, "low", &o->low);
	check_marks(n, o);
}

/* --- the level --- */

static bool is_high(const struct shed_marks *m, const struct shed_pressure *p)
{
	return p->ring_percent >= m->ring || p->queue_percent >= m->queue ||
	       p->spool_percent >= m->spool || p->lag_us >= m->lag.v;
}

void shed_init(struct shed *s, const struct shed_options *options)
{
	*s = (struct shed){ .options = options, .level = (uint8_t)options->least };
}

static void climb(struct shed *s, const struct shed_pressure *p, struct usec now)
{
	if (now.v < s->climb.v)
		return;
	unsigned level = s->level + (p->ring_percent > s->options->urgent ? 2u : 1u);
	s->level = (uint8_t)(level < SHED_LEVEL_MOST ? level : SHED_LEVEL_MOST);
	s->climb.v = now.v + step.v;
}

static void descend(struct shed *s, struct usec now)
{
	if (!s->calm) {
		s->calm = true;
		s->since = now;
	} else if (now.v - s->since.v >= s->options->quiet.v && s->level > s->options->least) {
		s->level--;
		s->since = now;
	}
}

uint8_t shed_update(struct shed *s, const struct shed_pressure *p, struct usec now)
{
	if (!s->options->enabled)
		return s->level;
	if (is_high(&s->options->high, p)) {
		s->calm = false;
		climb(s, p, now);
	} else if (is_high(&s->options->low, p)) {
		s->calm = false;
	} else {
		descend(s, now);
	}
	return s->level;
}
