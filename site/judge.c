/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of docs/verdicts.md, in its order and by its numbers. */
#include "site/view.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool is_unknown(const struct view *v, const struct segment *end)
{
	return end == v->site->unknown_internal;
}

static bool is_outside(const struct view *v, const struct segment *end)
{
	return end == v->site->external;
}

static void decide(struct judgement *out, enum verdict verdict, const char *rule)
{
	out->verdict = verdict;
	out->rule = rule;
}

/* The first rule between two segments, with those behind it in the list. */
static const struct rule *first_between(const struct rule_list *rules, const struct segment *from,
					const struct segment *to)
{
	uint32_t wanted = (uint32_t)from->index << 16 | to->index;
	size_t low = 0, high = rules->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct rule *at = &rules->list[middle];
		if (((uint32_t)at->from->index << 16 | at->to->index) < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == rules->count || rules->list[low].from != from || rules->list[low].to != to)
		return NULL;
	return &rules->list[low];
}

static const struct rule *next_between(const struct rule_list *rules, const struct rule *at)
{
	const struct rule *next = at + 1;

	if (next == rules->list + rules->count || next->from != at->from || next->to != at->to)
		return NULL;
	return next;
}

/* A connection that was never used cannot tell what it was for: the usual app of
 * its port stands for it, and on a port that is nobody's any service may. */
static bool may_speak(const struct view *v, const struct service_list *services)
{
	const char *app = app_usual(v->flow->protocol, v->flow->server_port);

	return !app || services_match(services, app, v->flow->protocol, v->flow->server_port);
}

static bool speaks(const struct view *v, const struct service_list *services)
{
	if (services_match(services, v->app, v->flow->protocol, v->flow->server_port))
		return true;
	return !v->app && v->flow->no_data && services->count && may_speak(v, services);
}

static const struct rule *find_rule(const struct view *v, const struct rule_list *rules,
				    const struct segment *from, const struct segment *to)
{
	const struct rule *at = first_between(rules, from, to);

	while (at && !speaks(v, &at->services))
		at = next_between(rules, at);
	return at;
}

/* 1 */
static bool judge_nothing(struct view *v, struct judgement *out)
{
	if (!v->site->empty)
		return false;
	decide(out, VERDICT_NOT_EVALUATED, NULL);
	return true;
}

/* 2 */
static bool judge_inside(struct view *v, struct judgement *out)
{
	if (!v->local_peer && (v->from != v->to || is_unknown(v, v->to) || is_outside(v, v->to)))
		return false;
	decide(out, VERDICT_INTRA_SEGMENT, NULL);
	return true;
}

/* 3 */
static bool judge_conduit(struct view *v, struct judgement *out)
{
	const struct rule *rule = find_rule(v, &v->site->conduits, v->from, v->to);

	if (rule)
		decide(out, VERDICT_CONDUIT, rule->id);
	return rule != NULL;
}

/* 4 */
static bool judge_exception(struct view *v, struct judgement *out)
{
	const struct rule_list *rules = &v->site->exceptions;
	const struct rule *at = first_between(rules, v->from, v->to);

	for (; at; at = next_between(rules, at)) {
		if (!speaks(v, &at->services))
			continue;
		if (v->flow->start.v >= at->until.v) {
			v->expired = at;
			continue;
		}
		v->exception = at;
		decide(out, VERDICT_EXCEPTION, at->id);
		return true;
	}
	return false;
}

static bool has_apps(const struct service_list *services)
{
	for (size_t i = 0; i < services->count; i++)
		if (services->list[i]->app_count)
			return true;
	return false;
}

static bool app_would_do(const struct rule_list *rules, const struct view *v)
{
	const struct rule *at = first_between(rules, v->from, v->to);

	for (; at; at = next_between(rules, at))
		if (has_apps(&at->services) && (!at->until.v || v->flow->start.v < at->until.v))
			return true;
	return false;
}

/* 4a. Some app would be allowed here, and nobody looked for this one's. */
static bool judge_shed(struct view *v, struct judgement *out)
{
	if (!v->flow->app_shed || v->app)
		return false;
	v->shed = app_would_do(&v->site->conduits, v) || app_would_do(&v->site->exceptions, v);
	if (v->shed)
		decide(out, VERDICT_NOT_EVALUATED, NULL);
	return v->shed;
}

static bool vendor_reaches(const struct vendor *vendor, const struct segment *segment)
{
	for (size_t i = 0; i < vendor->reach_count; i++)
		if (vendor->reaches[i] == segment)
			return true;
	return false;
}

/* Holds one vendor against the flow: a fitting one ends the search, of the
 * others the one that is declared for the segment is the likeliest. */
static void consider(struct view *v, const struct vendor *vendor, const struct segment *inside,
		     bool needs_way)
{
	enum fit fit = FIT_WHOLLY;

	if (!vendor_reaches(vendor, inside))
		fit = FIT_NOT_SEGMENT;
	else if (!speaks(v, &vendor->services))
		fit = FIT_NOT_SERVICE;
	else if (needs_way && vendor->via_count && !vendor_has_via(vendor, &v->flow->client_ip))
		fit = FIT_NOT_WAY;
	if (!v->considered++ || fit > v->fit) {
		v->candidate = vendor;
		v->fit = fit;
	}
}

/* A vendor from outside that knocks at its own way in. */
static bool enters_way_in(const struct view *v)
{
	return v->vendor && is_outside(v, v->from) &&
	       site_has_way_in(v->site, &v->flow->server_ip) &&
	       vendor_has_via(v->vendor, &v->flow->server_ip);
}

static void consider_all(struct view *v)
{
	bool way_in = !is_outside(v, v->to) && site_has_way_in(v->site, &v->flow->client_ip);

	for (size_t i = 0; way_in && i < v->site->vendor_count && v->fit != FIT_WHOLLY; i++) {
		const struct vendor *vendor = &v->site->vendors[i];
		if (!vendor_has_via(vendor, &v->flow->client_ip))
			continue;
		consider(v, vendor, v->to, false);
		v->by_way_in = true;
	}
	if (v->vendor && v->inside && v->fit != FIT_WHOLLY && v->candidate != v->vendor) {
		consider(v, v->vendor, v->inside, is_outside(v, v->from));
		if (v->candidate == v->vendor)
			v->by_way_in = false;
	}
}

/* 5 and 6 */
static bool judge_vendor(struct view *v, struct judgement *out)
{
	const struct segment *touched = v->inside ? v->inside : v->to;

	if (enters_way_in(v)) {
		v->candidate = v->vendor;
		v->at_way_in = true;
		decide(out, VERDICT_VENDOR, v->vendor->name);
		return true;
	}
	consider_all(v);
	if (!v->candidate)
		return false;
	if (v->fit != FIT_WHOLLY && v->fit == FIT_NOT_SEGMENT &&
	    !impact_is_clinical(touched->impact))
		return false;
	if (v->fit == FIT_NOT_SERVICE && v->flow->app_shed && !v->app &&
	    has_apps(&v->candidate->services)) {
		v->shed = true;
		decide(out, VERDICT_NOT_EVALUATED, NULL);
		return true;
	}
	/* Whose a shared way in was this time cannot be told, unless one fits. */
	if (v->by_way_in && v->fit == FIT_NOT_SEGMENT && v->considered > 1)
		v->candidate = NULL;
	const char *name = v->candidate ? v->candidate->name : NULL;
	decide(out, v->fit == FIT_WHOLLY ? VERDICT_VENDOR : VERDICT_VENDOR_UNEXPECTED, name);
	if (name)
		out->vendor = name;
	return true;
}

/* 7 */
static bool judge_third_party(struct view *v, struct judgement *out)
{
	if (!v->inside || v->vendor || !impact_is_clinical(v->inside->impact))
		return false;
	/* Nor did anybody look for the name that could make it a vendor. */
	v->nameless =
		v->flow->app_shed && !v->app && !v->flow->server_name && v->site->domain_count;
	decide(out, v->nameless ? VERDICT_NOT_EVALUATED : VERDICT_UNKNOWN_THIRD_PARTY, NULL);
	return true;
}

/* 8 */
static bool judge_service(struct view *v, struct judgement *out)
{
	v->near = first_between(&v->site->conduits, v->from, v->to);
	if (v->near)
		decide(out, VERDICT_WRONG_SERVICE, v->near->id);
	return v->near != NULL;
}

/* 9 */
static bool judge_direction(struct view *v, struct judgement *out)
{
	v->near = find_rule(v, &v->site->conduits, v->to, v->from);
	if (v->near)
		decide(out, VERDICT_WRONG_DIRECTION, v->near->id);
	return v->near != NULL;
}

/* 10 and 11 */
static bool judge_crossing(struct view *v, struct judgement *out)
{
	bool unknown = is_unknown(v, v->from) || is_unknown(v, v->to) || v->from == v->to;

	v->near = first_between(&v->site->conduits, v->to, v->from);
	decide(out, unknown ? VERDICT_UNKNOWN_SEGMENT : VERDICT_CROSS_SEGMENT, NULL);
	return true;
}

static bool (*const steps[])(struct view *v, struct judgement *out) = {
	judge_nothing, judge_inside,      judge_conduit, judge_exception, judge_shed,
	judge_vendor,  judge_third_party, judge_service, judge_direction, judge_crossing,
};

/* The table of docs/verdicts.md; what is not in it is info. */
static enum severity weigh(enum verdict verdict, enum impact impact)
{
	enum { I = SEVERITY_INFO, L = SEVERITY_LOW, H = SEVERITY_HIGH, C = SEVERITY_CRITICAL };
	/* none, guest, administrative, operational, care-critical, life-critical */
	static const uint8_t table[VERDICT_COUNT][IMPACT_COUNT] = {
		[VERDICT_VENDOR_OUT_OF_HOURS] = { L, L, L, L, H, H },
		[VERDICT_VENDOR_UNEXPECTED] = { L, L, L, L, H, C },
		[VERDICT_UNKNOWN_THIRD_PARTY] = { L, L, L, L, H, C },
		[VERDICT_WRONG_SERVICE] = { I, I, L, L, H, H },
		[VERDICT_WRONG_DIRECTION] = { I, I, L, L, H, C },
		[VERDICT_CROSS_SEGMENT] = { I, I, L, L, H, C },
		[VERDICT_UNKNOWN_SEGMENT] = { I, I, I, L, L, H },
	};

	return (enum severity)table[verdict][impact];
}

static bool has_no_ports(uint8_t protocol)
{
	return protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP &&
	       protocol != IPPROTO_DCCP && protocol != IPPROTO_UDPLITE;
}

/* The view points into itself (app into number): it is filled where it stays. */
static void look(const struct site *s, const struct site_flow *flow, struct view *v)
{
	*v = (struct view){
		.site = s,
		.flow = flow,
		.from = flow->client,
		.to = flow->server,
		.app = flow->app,
		.local_peer = site_is_local_peer(&flow->client_ip) ||
			      site_is_local_peer(&flow->server_ip),
	};
	bool from_outside = is_outside(v, v->from), to_outside = is_outside(v, v->to);

	if (!v->app && has_no_ports(flow->protocol))
		v->app = protocol_name(flow->protocol, v->number);
	if (from_outside == to_outside)
		return;
	v->inside = from_outside ? v->to : v->from;
	v->vendor =
		vendor_of(s, from_outside ? &flow->client_ip : &flow->server_ip,
			  from_outside ? flow->client_asn : flow->server_asn, flow->server_name);
}

static void judge(struct view *v, struct judgement *out)
{
	enum impact impact = v->from->impact > v->to->impact ? v->from->impact : v->to->impact;

	out->rule = NULL; /* not all of it: the reason is long, and written anyway */
	out->vendor = v->vendor ? v->vendor->name : NULL;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i](v, out))
			break;
	if (!out->rule && v->expired && out->verdict != VERDICT_INTRA_SEGMENT)
		out->rule = v->expired->id;
	out->severity = weigh(out->verdict, impact);
	out->technique = view_technique(v, out->verdict);
	view_explain(v, out);
}

void site_judge(const struct site *s, const struct site_flow *flow, struct judgement *out)
{
	struct view v;

	look(s, flow, &v);
	judge(&v, out);
}

/* --- flows that look alike --- */

/* Nothing but what is_alike() compares decides: no address on a vendor's way in, no day on
 * which an exception ends, no name that nobody looked for. */
static bool is_like_others(const struct view *v)
{
	const struct site *s = v->site;
	const struct site_flow *f = v->flow;

	return !f->app_shed &&
	       (!s->exceptions.count || !first_between(&s->exceptions, v->from, v->to)) &&
	       !site_has_way_in(s, &f->client_ip) && !site_has_way_in(s, &f->server_ip);
}

static bool is_alike(const struct look *a, const struct look *b)
{
	return a->site == b->site && a->client == b->client && a->server == b->server &&
	       a->app == b->app && a->vendor == b->vendor && a->server_port == b->server_port &&
	       a->protocol == b->protocol && a->no_data == b->no_data &&
	       a->local_peer == b->local_peer;
}

static struct remembered *place_of(struct site_memory *m, const struct look *l)
{
	uint64_t h = (uintptr_t)l->app ^ (uint64_t)l->client->index << 48 ^
		     (uint64_t)l->server->index << 32 ^ l->server_port;

	return &m->flows[(h * 0x9e3779b97f4a7c15) >> 32 & (SITE_REMEMBERED - 1)];
}

const struct judgement *site_judge_again(struct site_memory *m, const struct site *s,
					 const struct site_flow *flow)
{
	struct view v;

	look(s, flow, &v);
	if (!is_like_others(&v)) {
		judge(&v, &m->other);
		return &m->other;
	}
	const struct look now = {
		.site = s->serial,
		.client = flow->client,
		.server = flow->server,
		.app = flow->app,
		.vendor = v.vendor ? v.vendor->name : NULL,
		.server_port = flow->server_port,
		.protocol = flow->protocol,
		.no_data = flow->no_data,
		.local_peer = v.local_peer,
	};
	struct remembered *r = place_of(m, &now);
	if (is_alike(&r->look, &now))
		return &r->judgement;
	r->look = now;
	judge(&v, &r->judgement);
	return &r->judgement;
}
