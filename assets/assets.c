/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/assets.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "assets/roles.h"
#include "base/pages.h"

enum { SAMPLE = 16, RECORD_FACTS_MOST = 2 * ASSET_FACTS, UNDERSTOOD = 1024 };

#define NONE UINT32_MAX

#define HOUR (3600 * (int64_t)USEC_PER_SECOND)

struct fact {
	const char *name, *from;
	int64_t first, last;
	uint32_t next; /* of the same host; or of the free ones */
	uint8_t confidence;
	char value[ASSET_VALUE + 1];
};

struct asset {
	const char *realm; /* NULL: not in use */
	struct ip_addr ip;
	uint8_t mac[6];
	bool has_ip, has_mac;
	bool changed;      /* a record is due */
	bool is_addressed; /* known by MAC alone, and an address has that MAC */
	uint8_t impact;    /* enum impact */
	uint8_t role_count, fact_count;
	uint32_t facts; /* its first one */
	uint64_t hash;
	const char *segment, *vendor;
	int64_t first;
	int64_t sent; /* clock at the last record */
	int64_t told; /* when it was `last` seen, in it; INT64_MIN: there was none */
};

/* What tells who has to go: side by side, as many are looked at. */
struct worth {
	int64_t last; /* seen */
	bool known;   /* something is known of it: no longer poor */
};

/* Where a host is: with half of its hash, so that others need not be looked at. */
struct place {
	uint32_t number; /* plus one; 0: free */
	uint32_t hash;   /* its lower half */
};

/* What a value was found to mean: the same few come again and again. */
struct understood {
	uint64_t key; /* 0: not in use */
	struct fact_sense sense;
};

struct assets {
	struct understood understood[UNDERSTOOD];
	struct asset *hosts;
	struct worth *worth;                      /* of each host */
	struct record_role (*roles)[ASSET_ROLES]; /* of each host */
	size_t most, used;                        /* used: never more than these were ever in use */
	size_t count;
	size_t bare;   /* hosts without an address */
	uint32_t hand; /* where the next look for one to give up begins */
	struct place *places;
	size_t mask;
	struct fact *facts;
	size_t fact_most, facts_used;
	uint32_t free_fact;
	uint64_t seed;
	const char *realm; /* whose hash is the next: the last one that was asked for */
	uint64_t realm_hash;
	const struct oui *oui;
	struct counters *counters;
	record_sink *sink;
	void *context;
	struct record_fact record_facts[RECORD_FACTS_MOST];
	struct record_role record_roles[2 * ASSET_ROLES];
};

struct assets *assets_create(const struct assets_options *o, struct counters *counters,
			     record_sink *sink, void *context)
{
	struct assets *a = calloc(1, sizeof(*a));
	size_t places = 16;

	if (!a)
		return NULL;
	while (places < o->hosts * 2)
		places *= 2;
	a->mask = places - 1;
	a->most = o->hosts;
	a->fact_most = o->facts;
	a->free_fact = NONE;
	a->seed = o->seed;
	a->oui = o->oui;
	a->counters = counters;
	a->sink = sink;
	a->context = context;
	a->hosts = pages_map(o->hosts * sizeof(*a->hosts));
	a->worth = pages_map(o->hosts * sizeof(*a->worth));
	a->roles = pages_map(o->hosts * sizeof(*a->roles));
	a->facts = pages_map(o->facts * sizeof(*a->facts));
	a->places = pages_map(places * sizeof(*a->places));
	if (a->hosts && a->worth && a->roles && a->facts && a->places)
		return a;
	assets_destroy(a);
	return NULL;
}

void assets_destroy(struct assets *a)
{
	if (!a)
		return;
	pages_unmap(a->hosts, a->most * sizeof(*a->hosts));
	pages_unmap(a->worth, a->most * sizeof(*a->worth));
	pages_unmap(a->roles, a->most * sizeof(*a->roles));
	pages_unmap(a->facts, a->fact_most * sizeof(*a->facts));
	pages_unmap(a->places, (a->mask + 1) * sizeof(*a->places));
	free(a);
}

void assets_clear(struct assets *a)
{
	memset(a->places, 0, (a->mask + 1) * sizeof(*a->places));
	a->used = a->count = a->bare = a->facts_used = 0;
	a->hand = 0;
	a->free_fact = NONE;
	a->realm = NULL;
}

size_t assets_count(const struct assets *a)
{
	return a->count;
}

/* --- the index --- */

/* All tenants of an address have one hash. */
static uint64_t hash_of(struct assets *a, const struct asset_sighting *s)
{
	if (a->realm != s->realm) {
		a->realm = s->realm;
		a->realm_hash = XXH3_64bits_withSeed(s->realm, strlen(s->realm), a->seed);
	}
	return s->has_ip ? XXH3_64bits_withSeed(s->ip.bytes, sizeof(s->ip.bytes), a->realm_hash)
			 : XXH3_64bits_withSeed(s->mac, sizeof(s->mac), a->realm_hash);
}

static bool is_at(const struct asset *h, const struct asset_sighting *s, uint64_t hash)
{
	if (h->hash != hash || h->has_ip != s->has_ip || h->realm != s->realm)
		return false;
	return s->has_ip ? ip_equal(&h->ip, &s->ip) : !memcmp(h->mac, s->mac, 6);
}

static struct worth *worth_of(const struct assets *a, const struct asset *h)
{
	return &a->worth[h - a->hosts];
}

static void enter(struct assets *a, uint32_t number)
{
	size_t at = a->hosts[number].hash & a->mask;

	while (a->places[at].number)
		at = (at + 1) & a->mask;
	a->places[at] = (struct place){ number + 1, (uint32_t)a->hosts[number].hash };
}

/* Moves back what stands behind the gap and belongs before it. */
static void leave(struct assets *a, uint32_t number)
{
	size_t gap = a->hosts[number].hash & a->mask;

	while (a->places[gap].number != number + 1)
		gap = (gap + 1) & a->mask;
	a->places[gap].number = 0;
	for (size_t at = (gap + 1) & a->mask; a->places[at].number; at = (at + 1) & a->mask) {
		size_t home = a->places[at].hash & a->mask;
		if (((at - home) & a->mask) < ((at - gap) & a->mask))
			continue;
		a->places[gap] = a->places[at];
		a->places[at].number = 0;
		gap = at;
	}
}

/* Who lives at an address. */
struct tenants {
	struct asset *exact;    /* with this MAC */
	struct asset *nameless; /* whose MAC is not known */
	struct asset *newest, *oldest;
	size_t count;
};

static void note_tenant(const struct assets *a, struct tenants *t, struct asset *h,
			const struct asset_sighting *s)
{
	t->count++;
	if (!h->has_mac)
		t->nameless = h;
	else if (s->has_mac && !memcmp(h->mac, s->mac, 6))
		t->exact = h;
	if (!t->newest || worth_of(a, h)->last > worth_of(a, t->newest)->last)
		t->newest = h;
	if (!t->oldest || worth_of(a, h)->last < worth_of(a, t->oldest)->last)
		t->oldest = h;
}

static struct tenants find_tenants(const struct assets *a, const struct asset_sighting *s,
				   uint64_t hash)
{
	struct tenants t = { 0 };

	for (size_t at = hash & a->mask; a->places[at].number; at = (at + 1) & a->mask) {
		if (a->places[at].hash != (uint32_t)hash)
			continue;
		struct asset *h = &a->hosts[a->places[at].number - 1];
		if (is_at(h, s, hash))
			note_tenant(a, &t, h, s);
	}
	return t;
}

/* --- who has to go --- */

static void drop_facts(struct assets *a, struct asset *h)
{
	while (h->facts != NONE) {
		uint32_t i = h->facts;
		h->facts = a->facts[i].next;
		a->facts[i].next = a->free_fact;
		a->free_fact = i;
	}
}

static void forget(struct assets *a, struct asset *h)
{
	a->counters->assets_evicted++;
	leave(a, (uint32_t)(h - a->hosts));
	drop_facts(a, h);
	h->realm = NULL;
	a->count--;
	a->bare -= !h->has_ip;
}

static bool is_less(const struct worth *w, const struct worth *than)
{
	if (w->known != than->known)
		return !w->known;
	return w->last < than->last;
}

/* A flood of made-up addresses pushes out itself: of them nothing is known. */
static struct asset *find_victim(struct assets *a, int64_t now)
{
	const struct worth *worst = NULL;

	for (size_t i = 0; i < SAMPLE && i < a->most; i++) {
		const struct worth *w = &a->worth[a->hand];
		if (++a->hand == a->most)
			a->hand = 0;
		bool may_go = !w->known || w->last < now - HOUR;
		if (may_go && (!worst || is_less(w, worst)))
			worst = w;
	}
	return worst ? &a->hosts[worst - a->worth] : NULL;
}

/* A slot that is not in use, or NULL. */
static struct asset *make_room(struct assets *a, struct asset *oldest_tenant, int64_t now)
{
	struct asset *h = oldest_tenant;

	if (!h && a->used < a->most)
		return &a->hosts[a->used++];
	if (!h)
		h = find_victim(a, now);
	if (h)
		forget(a, h);
	else
		a->counters->assets_refused++;
	return h;
}

/* --- sightings --- */

static void learn_mac(struct assets *a, struct asset *h, const uint8_t mac[6])
{
	memcpy(h->mac, mac, 6);
	h->has_mac = true;
	h->changed = true;
	h->vendor = oui_vendor(a->oui, mac);
	const char *role = role_of_vendor(h->vendor);
	if (role)
		asset_role(a, h, role, CONFIDENCE_LOW, "mac_vendor");
}

static struct asset *move_in(struct assets *a, const struct asset_sighting *s, uint64_t hash,
			     struct asset *oldest_tenant)
{
	struct asset *h = make_room(a, oldest_tenant, s->last.v);

	if (!h)
		return NULL;
	*h = (struct asset){
		.realm = s->realm,
		.ip = s->ip,
		.has_ip = s->has_ip,
		.changed = true,
		.hash = hash,
		.segment = s->segment,
		.impact = (uint8_t)s->impact,
		.first = s->first.v,
		.told = INT64_MIN,
		.facts = NONE,
	};
	*worth_of(a, h) = (struct worth){ .last = s->last.v };
	a->count++;
	a->bare += !s->has_ip;
	a->counters->assets++;
	enter(a, (uint32_t)(h - a->hosts));
	if (s->has_mac)
		learn_mac(a, h, s->mac);
	return h;
}

static void stay(const struct assets *a, struct asset *h, const struct asset_sighting *s)
{
	struct worth *w = worth_of(a, h);

	if (s->first.v < h->first)
		h->first = s->first.v;
	if (s->last.v > w->last)
		w->last = s->last.v;
	/* One's own link tells best where one stands. */
	if (!s->segment || (h->segment && !s->has_mac))
		return;
	h->changed |= h->segment != s->segment;
	h->segment = s->segment;
	h->impact = (uint8_t)s->impact;
}

struct asset *assets_see(struct assets *a, const struct asset_sighting *s)
{
	uint64_t hash = hash_of(a, s);
	struct tenants t = find_tenants(a, s, hash);
	struct asset *h = s->has_mac ? t.exact : t.newest;

	if (!h && s->has_mac && t.nameless) {
		h = t.nameless;
		learn_mac(a, h, s->mac);
	}
	if (!h)
		return move_in(a, s, hash, t.count >= ASSET_TENANTS ? t.oldest : NULL);
	stay(a, h, s);
	return h;
}

/* --- what is known --- */

static struct fact *take_fact(struct assets *a, struct asset *h)
{
	uint32_t i = a->free_fact;

	if (h->fact_count == ASSET_FACTS || (i == NONE && a->facts_used == a->fact_most)) {
		a->counters->asset_facts_refused++;
		return NULL;
	}
	if (i == NONE)
		i = (uint32_t)a->facts_used++;
	else
		a->free_fact = a->facts[i].next;
	a->facts[i] = (struct fact){ .next = NONE };
	uint32_t *end = &h->facts; /* in the order in which they became known */
	while (*end != NONE)
		end = &a->facts[*end].next;
	*end = i;
	h->fact_count++;
	h->changed = worth_of(a, h)->known = true;
	return &a->facts[i];
}

/* Static texts mostly, of which the address tells already. */
static bool is_same(const char *a, const char *b)
{
	return a == b || !strcmp(a, b);
}

/* The fact that says this; or the place of one that gives way to it; or a new one. */
static struct fact *fact_place(struct assets *a, struct asset *h, const char *name,
			       const char *from, const char *value, bool *is_known)
{
	struct fact *oldest = NULL;
	size_t values = 0;

	for (uint32_t i = h->facts; i != NONE; i = a->facts[i].next) {
		struct fact *f = &a->facts[i];
		if (!is_same(f->from, from) || !is_same(f->name, name))
			continue;
		*is_known = !strncmp(f->value, value, ASSET_VALUE);
		if (*is_known)
			return f;
		values++;
		if (!oldest || f->last < oldest->last)
			oldest = f;
	}
	if (values < ASSET_VALUES)
		return take_fact(a, h);
	/* Nobody is told of each change of what changes all the time. */
	a->counters->asset_facts_replaced++;
	return oldest;
}

void asset_hint(struct assets *a, struct asset *h, const char *name, const char *value,
		enum confidence confidence, const char *from, struct usec time)
{
	bool is_known = false;
	struct fact *f = fact_place(a, h, name, from, value, &is_known);

	if (!f)
		return;
	if (!is_known) {
		size_t n = strnlen(value, ASSET_VALUE);
		f->name = name;
		f->from = from;
		f->confidence = (uint8_t)confidence;
		f->first = f->last = time.v;
		memcpy(f->value, value, n);
		f->value[n] = '\0';
	}
	if (time.v < f->first)
		f->first = time.v;
	if (time.v > f->last)
		f->last = time.v;
}

/* `field` is a name of the registry, so its address stands for it. */
static const struct fact_sense *understand(struct assets *a, const char *field, const char *value)
{
	uint64_t key = XXH3_64bits_withSeed(value, strlen(value), (uintptr_t)field) | 1;
	struct understood *u = &a->understood[(key >> 1) % UNDERSTOOD];

	if (u->key != key) {
		u->key = key;
		u->sense = fact_sense(field, value);
	}
	return &u->sense;
}

void asset_fact(struct assets *a, struct asset *h, const char *field, const char *value,
		struct usec time)
{
	const struct fact_sense *sense = understand(a, field, value);

	if (!sense->passing)
		asset_hint(a, h, sense->name, value, CONFIDENCE_NONE, field, time);
	if (sense->role)
		asset_role(a, h, sense->role, sense->role_confidence, field);
	if (sense->os)
		asset_hint(a, h, "os", sense->os, sense->os_confidence, field, time);
}

static struct record_role *lowest(struct record_role roles[ASSET_ROLES])
{
	struct record_role *r = roles;

	for (size_t i = 1; i < ASSET_ROLES; i++)
		if (roles[i].confidence < r->confidence)
			r = &roles[i];
	return r;
}

void asset_role(struct assets *a, struct asset *h, const char *role, enum confidence confidence,
		const char *from)
{
	struct record_role *roles = a->roles[h - a->hosts], *place = NULL;

	for (size_t i = 0; i < h->role_count && !place; i++)
		if (is_same(roles[i].role, role))
			place = &roles[i];
	if (!place && h->role_count < ASSET_ROLES) {
		place = &roles[h->role_count++];
		*place = (struct record_role){ role, CONFIDENCE_NONE, from };
		worth_of(a, h)->known = true;
	} else if (!place) {
		place = lowest(roles);
	}
	if (place->confidence >= confidence)
		return;
	*place = (struct record_role){ role, confidence, from };
	h->changed = true;
}

/* --- records --- */

static size_t gather_facts(struct assets *a, const struct asset *h, size_t n)
{
	for (uint32_t i = h->facts; i != NONE && n < RECORD_FACTS_MOST; i = a->facts[i].next) {
		const struct fact *f = &a->facts[i];
		a->record_facts[n++] = (struct record_fact){
			.name = f->name,
			.value = f->value,
			.from = f->from,
			.confidence = (enum confidence)f->confidence,
			.first_seen = { f->first },
			.last_seen = { f->last },
		};
	}
	return n;
}

static size_t gather_roles(struct assets *a, const struct asset *h, size_t n)
{
	const struct record_role *roles = a->roles[h - a->hosts];

	for (size_t i = 0; i < h->role_count; i++) {
		size_t at = 0;
		while (at < n && strcmp(a->record_roles[at].role, roles[i].role) != 0)
			at++;
		if (at == n)
			a->record_roles[n++] = roles[i];
		else if (a->record_roles[at].confidence < roles[i].confidence)
			a->record_roles[at] = roles[i];
	}
	return n;
}

/* The most certain first, else in the order in which they became known. */
static void sort_roles(struct record_role *roles, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct record_role r = roles[i];
		size_t at = i;
		for (; at > 0 && roles[at - 1].confidence < r.confidence; at--)
			roles[at] = roles[at - 1];
		roles[at] = r;
	}
}

/* Sorted; leaves out what a surer one excludes. How many are left. */
static size_t drop_excluded(struct record_role *roles, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool excluded = false;
		for (size_t k = 0; k < kept && !excluded; k++)
			excluded = roles[k].confidence > roles[i].confidence &&
				   roles_exclude(roles[k].role, roles[i].role);
		if (!excluded)
			roles[kept++] = roles[i];
	}
	return kept;
}

/* What is known by the MAC of a host with an address. */
static struct asset *by_mac(struct assets *a, const struct asset *h)
{
	struct asset_sighting s = { .realm = h->realm, .has_mac = true };

	if (!a->bare || !h->has_ip || !h->has_mac)
		return NULL;
	memcpy(s.mac, h->mac, 6);
	return find_tenants(a, &s, hash_of(a, &s)).exact;
}

static void send(struct assets *a, struct asset *h, const struct asset *more,
		 const struct asset_marks *marks, struct usec now)
{
	struct record r = { .type = RECORD_ASSET };
	size_t facts = gather_facts(a, h, 0), roles = gather_roles(a, h, 0);
	int64_t last = worth_of(a, h)->last;

	if (more) {
		facts = gather_facts(a, more, facts);
		roles = gather_roles(a, more, roles);
	}
	sort_roles(a->record_roles, roles);
	roles = drop_excluded(a->record_roles, roles);
	r.asset = (struct record_asset){
		.sensor = marks->sensor,
		.site_revision = marks->site_revision,
		.exercise = marks->exercise,
		.realm = h->realm,
		.has_ip = h->has_ip,
		.has_mac = h->has_mac,
		.ip = h->ip,
		.mac_vendor = h->vendor,
		.segment = h->segment,
		.impact = (enum impact)h->impact,
		.first_seen = { h->first },
		.last_seen = { last },
		.roles = a->record_roles,
		.role_count = roles,
		.facts = a->record_facts,
		.fact_count = facts,
	};
	memcpy(r.asset.mac, h->mac, 6);
	h->changed = false;
	h->sent = now.v;
	h->told = last;
	a->sink(a->context, &r);
}

static bool is_due(const struct assets *a, const struct asset *h, const struct asset *more,
		   int64_t now, bool end)
{
	return h->changed || (more && more->changed) ||
	       (worth_of(a, h)->last != h->told && (end || now >= h->sent + HOUR || now < h->sent));
}

/* Whoever is told of with an address is not told of without it. */
static void send_addressed(struct assets *a, const struct asset_marks *marks, struct usec now,
			   bool end)
{
	for (size_t i = 0; i < a->used; i++) {
		struct asset *h = &a->hosts[i], *more = h->realm ? by_mac(a, h) : NULL;
		if (more)
			more->is_addressed = true;
		if (h->realm && h->has_ip && is_due(a, h, more, now.v, end))
			send(a, h, more, marks, now);
	}
}

void assets_flush(struct assets *a, const struct asset_marks *marks, struct usec now, bool end)
{
	for (size_t i = 0; a->bare && i < a->used; i++)
		a->hosts[i].is_addressed = false;
	send_addressed(a, marks, now, end);
	for (size_t i = 0; a->bare && i < a->used; i++) {
		struct asset *h = &a->hosts[i];
		if (!h->realm || h->has_ip)
			continue;
		if (!h->is_addressed && is_due(a, h, NULL, now.v, end))
			send(a, h, NULL, marks, now);
		h->changed = false;
	}
}

void assets_place(struct assets *a, asset_place *place, void *context)
{
	for (size_t i = 0; i < a->used; i++) {
		struct asset *h = &a->hosts[i];
		enum impact impact = IMPACT_NONE;
		h->segment = NULL;
		if (h->realm && h->has_ip)
			place(context, &h->ip, h->has_mac ? h->mac : NULL, &h->segment, &impact);
		h->impact = (uint8_t)impact;
	}
}
