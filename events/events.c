/* SPDX-License-Identifier: Apache-2.0 */
#include "events/events.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "events/judge.h"
#include "events/memory.h"

/* In the order in which they tell. */
static const struct family *const families[] = {
	&dicom_family,      &hl7_family,         &control_family,  &access_family,
	&clear_text_family, &certificate_family, &resolver_family, &web_family,
};

enum { FAMILIES = sizeof(families) / sizeof(*families), CONCERNS = 256 };

/* An application or attribute, and who asks about it: a bit by family. */
struct concern {
	const char *name; /* NULL: free */
	unsigned families;
};

struct events {
	struct concern concerns[CONCERNS];
	pthread_mutex_t lock;
	struct memory *seen;
	struct usec began; /* of the first record */
	atomic_bool has_begun;
};

static const struct kind {
	const char *name, *technique, *meaning;
} kinds[] = {
#define EVENT_ROW(constant, kind, technique, meaning) { kind, technique, meaning },
	EVENT_KINDS(EVENT_ROW)
#undef EVENT_ROW
};

size_t events_kind_count(void)
{
	return EVENT_KIND_COUNT;
}

const char *events_kind_name(size_t i)
{
	return kinds[i].name;
}

const char *events_kind_meaning(size_t i)
{
	return kinds[i].meaning;
}

/* ---- which records concern whom ---- */

/* The name's place, or the free one where it would be. Most names are nobody's: their
 * ends and length tell. */
static struct concern *find_concern(struct events *e, const char *name)
{
	size_t n = strlen(name);
	size_t at = n ? (n * 37 + (uint8_t)name[0] * 11 + (uint8_t)name[n - 1]) % CONCERNS : 0;

	while (e->concerns[at].name && strcmp(e->concerns[at].name, name) != 0)
		at = (at + 1) % CONCERNS;
	return &e->concerns[at];
}

static void note_concerns(struct events *e, const char *const *names, unsigned family,
			  unsigned *count)
{
	for (; names && *names; names++) {
		struct concern *c = find_concern(e, *names);
		*count += !c->name;
		assert(*count < CONCERNS / 2);
		c->name = *names;
		c->families |= 1U << family;
	}
}

static unsigned families_of(struct events *e, const struct record_flow *f)
{
	unsigned asked = find_concern(e, f->app)->families;

	for (size_t i = 0; i < f->attribute_count; i++)
		asked |= find_concern(e, f->attributes[i].name)->families;
	return asked;
}

struct events *events_create(size_t memory)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->seen = memory_create(memory);
	if (!e->seen) {
		free(e);
		return NULL;
	}
	pthread_mutex_init(&e->lock, NULL);
	for (unsigned i = 0, n = 0; i < FAMILIES; i++) {
		note_concerns(e, families[i]->apps, i, &n);
		note_concerns(e, families[i]->attributes, i, &n);
	}
	return e;
}

void events_destroy(struct events *e)
{
	if (!e)
		return;
	memory_destroy(e->seen);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

/* ---- a record as the families see it ---- */

const struct record_attribute *view_attribute(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->flow->attribute_count; i++)
		if (!strcmp(v->flow->attributes[i].name, name))
			return &v->flow->attributes[i];
	return NULL;
}

uint64_t view_number(const struct view *v, const char *name)
{
	const struct record_attribute *a = view_attribute(v, name);

	return a ? a->number : 0;
}

bool view_flag(const struct view *v, const char *name)
{
	return view_number(v, name) != 0;
}

const char *view_text(const struct view *v, const char *name)
{
	const struct record_attribute *a = view_attribute(v, name);

	return a && a->count ? a->texts[0] : NULL;
}

bool view_app_is(const struct view *v, const char *const *apps)
{
	for (; v->flow->app && *apps; apps++)
		if (!strcmp(v->flow->app, *apps))
			return true;
	return false;
}

static void add(XXH3_state_t *h, const char *text)
{
	XXH3_64bits_update(h, text ? text : "", text ? strlen(text) + 1 : 1);
}

uint64_t *view_memory(const struct view *v, const char *what, const char *a, const char *b,
		      const struct ip_addr *ip)
{
	XXH3_state_t h;
	bool forgot;

	XXH3_64bits_reset(&h);
	add(&h, what);
	add(&h, a);
	add(&h, b);
	if (ip)
		XXH3_64bits_update(&h, ip->bytes, sizeof(ip->bytes));
	uint64_t *number = memory_of(v->events->seen, XXH3_64bits_digest(&h), &forgot);
	v->counters->events_forgotten += forgot;
	return number;
}

bool view_is_new(const struct view *v, const char *what, const char *a, const char *b,
		 const struct ip_addr *ip)
{
	uint64_t *number = view_memory(v, what, a, b, ip);

	return !(*number)++;
}

bool view_is_external(const struct record_endpoint *end)
{
	return end->segment && !strcmp(end->segment, "external");
}

const char *view_end(const struct record_endpoint *end, char out[END_TEXT])
{
	if (view_is_external(end))
		return "an address outside the hospital";
	if (!end->segment || !*end->segment || !strcmp(end->segment, "unknown-internal"))
		return "an internal address that no segment claims";
	if (!impact_is_clinical(end->impact))
		return end->segment;
	snprintf(out, END_TEXT, "%s (%s)", end->segment, impact_name(end->impact));
	return out;
}

static enum severity severity_of_event(const struct record_flow *f, enum weight weight)
{
	static const enum severity table[][3] = {
		/* note, warning, grave */
		[IMPACT_NONE] = { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_LOW },
		[IMPACT_GUEST] = { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_LOW },
		[IMPACT_ADMINISTRATIVE] = { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_HIGH },
		[IMPACT_OPERATIONAL] = { SEVERITY_LOW, SEVERITY_LOW, SEVERITY_HIGH },
		[IMPACT_CARE_CRITICAL] = { SEVERITY_LOW, SEVERITY_HIGH, SEVERITY_HIGH },
		[IMPACT_LIFE_CRITICAL] = { SEVERITY_LOW, SEVERITY_HIGH, SEVERITY_CRITICAL },
	};
	enum impact most =
		f->client.impact > f->server.impact ? f->client.impact : f->server.impact;

	return table[most][weight];
}

__attribute__((format(printf, 5, 0))) static void tell(const struct view *v, enum event_kind kind,
						       enum weight weight, bool of_segments,
						       const char *format, va_list args)
{
	char reason[256];
	struct event event = {
		.kind = kinds[kind].name,
		.technique = kinds[kind].technique,
		.severity = severity_of_event(v->flow, weight),
		.reason = reason,
		.of_segments = of_segments,
	};

	vsnprintf(reason, sizeof(reason), format, args);
	v->counters->events++;
	v->raise(v->context, &event);
}

/* A flow that is over in one record needs no memory of it. */
static bool was_told(const struct view *v, enum event_kind kind)
{
	const struct record_flow *f = v->flow;

	if (f->interim == 0 && f->end_reason != END_ACTIVE)
		return false;
	return !view_is_new(v, "told", kinds[kind].name, f->id, NULL);
}

void view_raise(const struct view *v, enum event_kind kind, enum weight weight, enum repeat repeat,
		const char *format, ...)
{
	va_list args;

	if (repeat == ONCE && was_told(v, kind))
		return;
	va_start(args, format);
	tell(v, kind, weight, false, format, args);
	va_end(args);
}

void view_raise_segments(const struct view *v, enum event_kind kind, enum weight weight,
			 const char *format, ...)
{
	va_list args;

	if (was_told(v, kind))
		return;
	va_start(args, format);
	tell(v, kind, weight, true, format, args);
	va_end(args);
}

/* ---- one record ---- */

static bool is_learning(struct events *e, const struct site *site, const struct record_flow *f)
{
	if (!atomic_load(&e->has_begun))
		e->began = f->start;
	atomic_store(&e->has_begun, true);
	return f->end.v - e->began.v < site_expectations(site)->learn.v;
}

void events_judge(struct events *e, const struct site *site, const struct record_flow *flow,
		  struct counters *counters,
		  void (*raise)(void *context, const struct event *event), void *context)
{
	struct view v = {
		.events = e,
		.site = site,
		.expect = site_expectations(site),
		.flow = flow,
		.counters = counters,
		.raise = raise,
		.context = context,
	};

	if (!flow->app || flow->verdict == VERDICT_NOT_EVALUATED)
		return;
	unsigned asked = families_of(e, flow);
	if (!asked && atomic_load(&e->has_begun))
		return;
	pthread_mutex_lock(&e->lock);
	v.learning = is_learning(e, site, flow);
	for (size_t i = 0; i < FAMILIES; i++)
		if (asked & 1U << i)
			families[i]->judge(&v);
	pthread_mutex_unlock(&e->lock);
}
