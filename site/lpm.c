/* SPDX-License-Identifier: Apache-2.0 */
#include "site/lpm.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* An address as a number; IPv4 stands in the upper 32 bits. */
struct key {
	uint64_t hi, lo;
};

enum {
	BUCKET = 4, /* ranges that are searched one by one */
	NODE_BIT = 1u << 30,
	DEPTH_MOST = 130, /* nested prefixes of one address, with room to spare */
};

struct node {
	struct key common, mask; /* the leading bytes that all ranges here share */
	uint32_t before, last;   /* answers for keys below and above them */
	uint8_t shift;           /* of the deciding byte, within its half */
	bool low;                /* that half is the lower one */
	uint32_t next[256];      /* a range's index, or NODE_BIT and a node's */
};

/* Range i is from first[i] up to first[i + 1]. */
struct table {
	struct key *first;
	uint32_t *value;
	uint32_t count, room;
	struct node *nodes;
	uint32_t node_count, node_room;
	uint32_t root;
};

struct lpm {
	struct table v4, v6;
};

static bool below(struct key a, struct key b)
{
	return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

static uint64_t load_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static struct key key_of(const struct ip_addr *ip, bool v4)
{
	uint64_t lo = load_be64(ip->bytes + 8);

	if (v4)
		return (struct key){ lo << 32, 0 };
	return (struct key){ load_be64(ip->bytes), lo };
}

static uint32_t find(const struct table *t, struct key key)
{
	uint32_t at = t->root;

	while (at & NODE_BIT) {
		const struct node *n = &t->nodes[at & ~NODE_BIT];
		if ((key.hi & n->mask.hi) != n->common.hi || (key.lo & n->mask.lo) != n->common.lo)
			return t->value[below(key, n->common) ? n->before : n->last];
		at = n->next[(n->low ? key.lo : key.hi) >> n->shift & 0xff];
	}
	while (at + 1 < t->count && !below(key, t->first[at + 1]))
		at++;
	return t->value[at];
}

uint32_t lpm_find(const struct lpm *t, const struct ip_addr *ip)
{
	bool v4 = ip_is_v4(ip);

	return find(v4 ? &t->v4 : &t->v6, key_of(ip, v4));
}

/* Ranges from prefixes. */

struct span {
	struct key first, after; /* `after` all zero: up to the very end */
	uint32_t value;
	uint8_t length;
	uint32_t order;
};

static struct key mask_of(unsigned bits)
{
	struct key m = { UINT64_MAX, UINT64_MAX };

	if (bits < 64)
		m.hi = bits ? UINT64_MAX << (64 - bits) : 0;
	if (bits < 128)
		m.lo = bits > 64 ? UINT64_MAX << (128 - bits) : 0;
	return m;
}

static struct key end_of(struct key first, unsigned bits)
{
	struct key mask = mask_of(bits);
	struct key end = { first.hi | ~mask.hi, first.lo | ~mask.lo };

	end.lo++;
	if (!end.lo)
		end.hi++;
	return end;
}

static int by_place(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (below(x->first, y->first))
		return -1;
	if (below(y->first, x->first))
		return 1;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* There is room for two ranges per prefix and one more: see make_table(). */
static void add_range(struct table *t, struct key first, uint32_t value)
{
	uint32_t last = t->count - 1;

	if (t->count && !below(t->first[last], first)) {
		t->value[last] = value;
		return;
	}
	assert(t->count < t->room);
	t->first[t->count] = first;
	t->value[t->count++] = value;
}

/* Walks the prefixes in order, with those that enclose the current one on a stack. */
static void flatten(struct table *t, const struct span *spans, size_t count)
{
	const struct span *open[DEPTH_MOST];
	size_t depth = 0;

	add_range(t, (struct key){ 0, 0 }, LPM_NONE);
	for (size_t i = 0; i <= count; i++) {
		while (depth) {
			struct key after = open[depth - 1]->after;
			bool endless = !after.hi && !after.lo;
			if (endless || (i < count && below(spans[i].first, after)))
				break;
			depth--;
			add_range(t, after, depth ? open[depth - 1]->value : LPM_NONE);
		}
		if (i == count)
			break;
		/* An equal prefix takes the place of the one before it. */
		if (depth && open[depth - 1]->length == spans[i].length)
			depth--;
		open[depth++] = &spans[i];
		add_range(t, spans[i].first, spans[i].value);
	}
}

/* The tree above the ranges. */

static uint8_t byte_of(struct key key, unsigned i)
{
	return (uint8_t)((i < 8 ? key.hi : key.lo) >> (56 - 8 * (i % 8)));
}

/* True on success; the index of a new node. */
static bool add_node(struct table *t, uint32_t *index)
{
	if (t->node_count == t->node_room) {
		uint32_t room = t->node_room ? t->node_room * 2 : 16;
		struct node *nodes = realloc(t->nodes, room * sizeof(*nodes));
		if (!nodes)
			return false;
		t->nodes = nodes;
		t->node_room = room;
	}
	*index = t->node_count++;
	return true;
}

/* Builds what leads to the ranges that start within from .. to - 1. */
static bool build(struct table *t, uint32_t from, uint32_t to, uint32_t *out)
{
	uint32_t index, before = from ? from - 1 : 0;
	unsigned place = 0;

	if (to - from <= BUCKET) {
		*out = before;
		return true;
	}
	while (byte_of(t->first[from], place) == byte_of(t->first[to - 1], place))
		place++;
	if (!add_node(t, &index))
		return false;
	struct node n = { .mask = mask_of(place * 8), .before = before, .last = to - 1 };
	n.common.hi = t->first[from].hi & n.mask.hi;
	n.common.lo = t->first[from].lo & n.mask.lo;
	n.low = place >= 8;
	n.shift = (uint8_t)(56 - 8 * (place % 8));
	for (unsigned byte = 0; byte < 256; byte++) {
		uint32_t end = from;
		while (end < to && byte_of(t->first[end], place) == byte)
			end++;
		if (!build(t, from, end, &n.next[byte]))
			return false;
		from = end;
	}
	t->nodes[index] = n;
	*out = index | NODE_BIT;
	return true;
}

static bool make_table(struct table *t, struct span *spans, size_t count)
{
	t->room = (uint32_t)(2 * count + 1);
	t->first = malloc(t->room * sizeof(*t->first));
	t->value = malloc(t->room * sizeof(*t->value));
	if (!t->first || !t->value)
		return false;
	if (count)
		qsort(spans, count, sizeof(*spans), by_place);
	flatten(t, spans, count);
	return build(t, 0, t->count, &t->root);
}

static bool make_family(struct table *t, const struct lpm_entry *entries, size_t count, bool v4)
{
	struct span *spans = malloc((count + 1) * sizeof(*spans));
	size_t used = 0;

	if (!spans)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct ip_prefix *p = &entries[i].prefix;
		if ((ip_is_v4(&p->addr) && p->length >= 96) != v4)
			continue;
		struct span *s = &spans[used++];
		s->first = key_of(&p->addr, v4);
		s->length = (uint8_t)(v4 ? p->length - 96 : p->length);
		s->value = entries[i].value;
		s->order = (uint32_t)i;
		/* IPv4 keys fill the upper half's upper half: their bits count from its top. */
		s->after = end_of(s->first, s->length);
	}
	bool ok = make_table(t, spans, used);
	free(spans);
	return ok;
}

struct lpm *lpm_create(const struct lpm_entry *entries, size_t count)
{
	struct lpm *t = calloc(1, sizeof(*t));

	assert(count < 1u << 28);
	if (!t)
		return NULL;
	if (make_family(&t->v4, entries, count, true) && make_family(&t->v6, entries, count, false))
		return t;
	lpm_destroy(t);
	return NULL;
}

static void finish(struct table *t)
{
	free(t->first);
	free(t->value);
	free(t->nodes);
}

void lpm_destroy(struct lpm *t)
{
	if (!t)
		return;
	finish(&t->v4);
	finish(&t->v6);
	free(t);
}
