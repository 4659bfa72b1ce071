/* SPDX-License-Identifier: Apache-2.0
 *
 * All prefixes of segments and vendors together: who overlaps whom, and the
 * tables that answer for single addresses. */
#include "site/reader.h"

#include <stdlib.h>
#include <string.h>

bool item_prefix(const struct yaml_node *list, size_t i, struct ip_prefix *out)
{
	const char *text = item_text(list, i, "a prefix");
	const char *wrong = text ? ip_prefix_parse(text, out) : NULL;

	if (wrong)
		yaml_problem(yaml_element(list, i),
			     "\"%.64s\" %s; a network as 10.20.0.0/16, 2001:db8:20::/48, or one "
			     "address would be right",
			     text, wrong);
	return text && !wrong;
}

void claims_add(struct reader *r, const struct yaml_node *list, size_t i, bool vendor, size_t owner)
{
	struct claim claim = { .at = yaml_element(list, i), .vendor = vendor, .owner = owner };
	void *room = r->claims.list;

	if (!item_prefix(list, i, &claim.prefix) ||
	    !make_room(r, &room, &r->claims.room, r->claims.count, sizeof(claim)))
		return;
	r->claims.list = room;
	r->claims.list[r->claims.count++] = claim;
}

static bool is_v4(const struct claim *c)
{
	return ip_is_v4(&c->prefix.addr) && c->prefix.length >= 96;
}

/* By address and length, so that whatever encloses comes first; IPv4 before IPv6,
 * because ::/0 and its like do not enclose it. */
static int by_prefix(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (is_v4(x) != is_v4(y))
		return is_v4(x) ? -1 : 1;
	int order = ip_compare(&x->prefix.addr, &y->prefix.addr);
	if (order)
		return order;
	if (x->prefix.length != y->prefix.length)
		return x->prefix.length < y->prefix.length ? -1 : 1;
	if (yaml_line(x->at) != yaml_line(y->at))
		return yaml_line(x->at) < yaml_line(y->at) ? -1 : 1;
	return yaml_column(x->at) < yaml_column(y->at) ? -1
						       : yaml_column(x->at) > yaml_column(y->at);
}

static const char *owner_name(const struct site *s, const struct claim *c)
{
	const char *name = c->vendor ? s->vendors[c->owner].name : s->segments[c->owner].name;

	return name ? name : "";
}

static const char *kind_name(const struct claim *c)
{
	return c->vendor ? "vendor" : "segment";
}

/* Between segments, nesting is legal: the longest prefix wins. A vendor stands
 * outside all segments, and no two vendors share an address. */
static void compare(const struct site *s, const struct claim *outer, const struct claim *inner)
{
	char text[2][IP_PREFIX_TEXT];
	bool same_owner = outer->vendor == inner->vendor && outer->owner == inner->owner;
	bool equal = outer->prefix.length == inner->prefix.length;

	if (equal && same_owner)
		yaml_problem(inner->at, "prefix %s stands twice in %s \"%s\"; keep one of them",
			     ip_prefix_text(&inner->prefix, text[0]), kind_name(inner),
			     owner_name(s, inner));
	else if (equal)
		yaml_problem(inner->at,
			     "prefix %s belongs to %s \"%s\" already (line %u); leave it to one of "
			     "the two",
			     ip_prefix_text(&inner->prefix, text[0]), kind_name(outer),
			     owner_name(s, outer), yaml_line(outer->at));
	else if (!same_owner && (outer->vendor || inner->vendor))
		yaml_problem(inner->at,
			     "prefix %s overlaps %s of %s \"%s\" (line %u); a vendor's addresses "
			     "belong to no segment and to no other vendor: narrow one of the two",
			     ip_prefix_text(&inner->prefix, text[0]),
			     ip_prefix_text(&outer->prefix, text[1]), kind_name(outer),
			     owner_name(s, outer), yaml_line(outer->at));
}

static void find_overlaps(const struct site *s, const struct claims *claims)
{
	const struct claim *open[129];
	size_t depth = 0;

	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *c = &claims->list[i];
		while (depth && !ip_prefix_has(&open[depth - 1]->prefix, &c->prefix.addr))
			depth--;
		/* The nearest enclosing one that is not its own tells enough. */
		for (size_t d = depth; d-- > 0;) {
			const struct claim *outer = open[d];
			compare(s, outer, c);
			if (outer->vendor != c->vendor || outer->owner != c->owner)
				break;
		}
		if (depth && open[depth - 1]->prefix.length == c->prefix.length)
			continue;
		open[depth++] = c;
	}
}

static struct lpm *make_table(struct reader *r, bool vendors_only)
{
	const struct site *s = r->site;
	struct lpm_entry *entries = malloc((r->claims.count + 1) * sizeof(*entries));
	struct lpm *table = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->claims.count && entries; i++) {
		const struct claim *c = &r->claims.list[i];
		size_t value = c->vendor && !vendors_only ? s->external->index : c->owner;
		if (c->vendor || !vendors_only)
			entries[n++] = (struct lpm_entry){ c->prefix, (uint32_t)value };
	}
	if (entries)
		table = lpm_create(entries, n);
	if (!table)
		r->short_of_memory = true;
	free(entries);
	return table;
}

void compile_claims(struct reader *r)
{
	if (r->claims.count)
		qsort(r->claims.list, r->claims.count, sizeof(*r->claims.list), by_prefix);
	find_overlaps(r->site, &r->claims);
	r->site->places = make_table(r, false);
	r->site->vendor_prefixes = make_table(r, true);
}
