/* SPDX-License-Identifier: Apache-2.0
 *
 * The section `vendors`: who they are, where they come from, what they may reach. */
#include "site/reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"

enum { NAME_BYTES = 64, DOMAIN_BYTES = 253 };

static const char *read_vendor_name(struct reader *r, const struct yaml_node *map)
{
	const char *name = read_free_text(r, map, "name");

	if (is_missing(map, "name"))
		yaml_problem(map, "a vendor has no name; \"name: Acme Imaging\" would be right");
	if (name && strlen(name) > NAME_BYTES) {
		yaml_problem(yaml_get(map, "name"),
			     "a vendor's name is longer than %d bytes; shorten it", NAME_BYTES);
		return NULL;
	}
	return name;
}

static void read_recovery(struct reader *r, const struct yaml_node *vendor)
{
	static const char *const keys[] = { "plan", "rto", "reviewed", NULL };
	const struct yaml_node *map = yaml_get(vendor, "recovery");
	const char *reviewed = NULL;
	struct usec time;

	if (yaml_kind(map) == YAML_ABSENT)
		return;
	yaml_only_keys(map, "a vendor's recovery", keys);
	read_free_text(r, map, "plan");
	yaml_read_span(map, "rto", &time);
	if (yaml_read_text(map, "reviewed", &reviewed) && reviewed && !clock_parse(reviewed, &time))
		yaml_problem(yaml_get(map, "reviewed"),
			     "reviewed is \"%.64s\"; a date as 2026-05-01 would be right",
			     reviewed);
}

static void read_via(struct reader *r, const struct yaml_node *access, struct vendor *out)
{
	size_t n = list_length(access, "via", "[10.99.0.10]");

	out->via = take_memory(r, n, sizeof(*out->via));
	for (size_t i = 0; i < n && out->via; i++)
		if (item_prefix(yaml_get(access, "via"), i, &out->via[out->via_count]))
			out->via_count++;
}

static void read_access(struct reader *r, const struct yaml_node *vendor, struct vendor *out)
{
	static const char *const keys[] = { "method", "via", NULL };
	static const char *const methods[] = {
		"vpn", "jump-host", "broker", "saas", "on-site", NULL
	};
	const struct yaml_node *map = yaml_get(vendor, "access");
	const char *method = NULL;
	size_t i = 0;

	if (yaml_kind(map) == YAML_ABSENT)
		return;
	yaml_only_keys(map, "a vendor's access", keys);
	if (yaml_read_text(map, "method", &method) && method) {
		while (methods[i] && strcmp(methods[i], method))
			i++;
		if (!methods[i])
			yaml_problem(yaml_get(map, "method"),
				     "access method is \"%.64s\"; vpn, jump-host, broker, saas or "
				     "on-site would be right",
				     method);
	}
	read_via(r, map, out);
}

static void claim_prefixes(struct reader *r, const struct yaml_node *endpoints, size_t owner)
{
	size_t n = list_length(endpoints, "prefixes", "[203.0.113.0/24]");
	const struct yaml_node *list = yaml_get(endpoints, "prefixes");

	for (size_t i = 0; i < n; i++)
		claims_add(r, list, i, true, owner);
}

static void claim_asns(struct reader *r, const struct yaml_node *endpoints, size_t owner)
{
	size_t n = list_length(endpoints, "asns", "[64500]");
	const struct yaml_node *list = yaml_get(endpoints, "asns");

	for (size_t i = 0; i < n; i++) {
		const char *text = item_text(list, i, "an AS number"), *digits = text;
		char canonical[11];
		if (!text)
			continue;
		if (!strncmp(digits, "AS", 2))
			digits += 2;
		unsigned long long asn = strtoull(digits, NULL, 10);
		if (!*digits || digits[strspn(digits, "0123456789")] || asn < 1 ||
		    asn > UINT32_MAX) {
			yaml_problem(yaml_element(list, i),
				     "AS number \"%.64s\" cannot be; a number from 1 to 4294967295 "
				     "would be right",
				     text);
			continue;
		}
		snprintf(canonical, sizeof(canonical), "%llu", asn);
		const char *kept = keep_text(r, canonical);
		if (kept)
			names_add(r, &r->asns, kept, yaml_element(list, i), owner);
	}
}

/* Labels of letters, digits, hyphens and '_', two at least, a "*." before them
 * at most; lower-cased into `out`. */
static bool parse_domain(const char *text, char out[DOMAIN_BYTES + 1])
{
	size_t n = strlen(text), start = strncmp(text, "*.", 2) ? 0 : 2, label = 0, dots = 0;

	if (n > DOMAIN_BYTES)
		return false;
	for (size_t i = 0; i <= n; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	for (size_t i = start; i < n; i++) {
		bool dot = out[i] == '.';
		if (dot ? label == 0 || out[i - 1] == '-'
			: !strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", out[i]))
			return false;
		if (!dot && label == 0 && out[i] == '-')
			return false;
		dots += dot;
		label = dot ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return dots && label && out[n - 1] != '-';
}

static void claim_domains(struct reader *r, const struct yaml_node *endpoints, size_t owner)
{
	size_t n = list_length(endpoints, "domains", "[\"*.acme-imaging.example\"]");
	const struct yaml_node *list = yaml_get(endpoints, "domains");

	for (size_t i = 0; i < n; i++) {
		const char *text = item_text(list, i, "a domain");
		char domain[DOMAIN_BYTES + 1];
		if (!text)
			continue;
		if (!parse_domain(text, domain)) {
			yaml_problem(yaml_element(list, i),
				     "domain \"%.64s\" cannot be; a name as acme.example or all "
				     "names under one as \"*.acme.example\" would be right",
				     text);
			continue;
		}
		const char *kept = keep_text(r, domain);
		if (kept)
			names_add(r, &r->domains, kept, yaml_element(list, i), owner);
	}
}

/* t13d1516h2_8daaf6152771_e5627efa2ab1: only its form; not judged by yet. */
static void check_ja4(const struct yaml_node *endpoints)
{
	size_t n = list_length(endpoints, "ja4", "[t13d1516h2_8daaf6152771_e5627efa2ab1]");
	const struct yaml_node *list = yaml_get(endpoints, "ja4");

	for (size_t i = 0; i < n; i++) {
		const char *text = item_text(list, i, "a JA4 fingerprint");
		if (text && (strlen(text) != 36 || text[10] != '_' || text[23] != '_'))
			yaml_problem(yaml_element(list, i),
				     "JA4 fingerprint \"%.64s\" cannot be; one as "
				     "t13d1516h2_8daaf6152771_e5627efa2ab1 would be right",
				     text);
	}
}

static void read_endpoints(struct reader *r, const struct yaml_node *vendor, size_t owner)
{
	static const char *const keys[] = { "prefixes", "asns", "domains", "ja4", NULL };
	const struct yaml_node *map = yaml_get(vendor, "endpoints");

	if (yaml_kind(map) == YAML_ABSENT)
		return;
	yaml_only_keys(map, "a vendor's endpoints", keys);
	claim_prefixes(r, map, owner);
	claim_asns(r, map, owner);
	claim_domains(r, map, owner);
	check_ja4(map);
}

static void read_reaches(struct reader *r, const struct yaml_node *vendor, struct vendor *out)
{
	size_t n = list_length(vendor, "reaches", "[imaging]");
	const struct yaml_node *list = yaml_get(vendor, "reaches");

	out->reaches = take_memory(r, n, sizeof(*out->reaches));
	for (size_t i = 0; i < n && out->reaches; i++) {
		const char *name = item_text(list, i, "a segment");
		const struct segment *found =
			name ? find_segment(r, yaml_element(list, i), name) : NULL;
		if (found && found == r->site->external)
			yaml_problem(yaml_element(list, i),
				     "a vendor reaches \"external\", where it "
				     "is itself; name a segment");
		else if (found)
			out->reaches[out->reach_count++] = found;
	}
}

static bool read_time(const struct yaml_node *map, const char *key, uint16_t *out)
{
	const char *text = NULL;
	unsigned hour, minute;

	if (!yaml_read_text(map, key, &text))
		return false;
	if (!text) {
		yaml_problem(map, "hours have no \"%s\"; \"%s: 08:00\" would be right", key, key);
		return false;
	}
	if (strlen(text) != 5 || text[2] != ':' || strspn(text, "0123456789:") != 5 ||
	    sscanf(text, "%2u:%2u", &hour, &minute) != 2 || hour * 60 + minute > 24 * 60 ||
	    minute > 59) {
		yaml_problem(yaml_get(map, key),
			     "%s is \"%.64s\"; a time as \"08:00\" would be right", key, text);
		return false;
	}
	*out = (uint16_t)(hour * 60 + minute);
	return true;
}

static void read_days(const struct yaml_node *map, struct working_hours *out)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	size_t n = list_length(map, "days", "[mon, tue]");
	const struct yaml_node *list = yaml_get(map, "days");

	if (!n && yaml_kind(list) != YAML_TEXT && yaml_kind(list) != YAML_MAP)
		yaml_problem(map, "hours have no days; \"days: [mon, tue]\" would be right");
	for (size_t i = 0; i < n; i++) {
		const char *text = item_text(list, i, "a day");
		unsigned day = 0;
		while (text && day < 7 && strcmp(days[day], text))
			day++;
		if (day < 7 && text)
			out->days |= (uint8_t)(1u << day);
		else if (text)
			yaml_problem(yaml_element(list, i),
				     "day \"%.64s\" cannot be; mon, tue, wed, thu, fri, sat or sun "
				     "would be right",
				     text);
	}
}

static void read_hours(struct reader *r, const struct yaml_node *vendor, struct working_hours *out)
{
	static const char *const keys[] = { "days", "from", "to", "timezone", NULL };
	const struct yaml_node *map = yaml_get(vendor, "hours");

	if (yaml_kind(map) == YAML_ABSENT)
		return;
	yaml_only_keys(map, "a vendor's hours", keys);
	if (yaml_kind(map) != YAML_MAP)
		return;
	read_days(map, out);
	read_time(map, "from", &out->from);
	read_time(map, "to", &out->to);
	out->timezone = read_free_text(r, map, "timezone");
	if (out->timezone && strspn(out->timezone, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						   "abcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
				     strlen(out->timezone))
		yaml_problem(yaml_get(map, "timezone"),
			     "timezone is \"%.64s\"; a name as Europe/Paris would be right",
			     out->timezone);
}

static void read_vendor(struct reader *r, const struct yaml_node *map, size_t index)
{
	static const char *const keys[] = { "name",     "contact",   "recovery",
					    "access",   "endpoints", "reaches",
					    "services", "hours",     NULL };
	struct vendor *out = &r->site->vendors[index];

	yaml_only_keys(map, "a vendor", keys);
	if (yaml_kind(map) != YAML_MAP)
		return;
	out->name = read_vendor_name(r, map);
	if (out->name)
		names_add(r, &r->vendors, out->name, yaml_get(map, "name"), index);
	out->contact = read_free_text(r, map, "contact");
	if (is_missing(map, "contact"))
		note_finding(r, map,
			     "a vendor has no contact; say whom to call at night, as \"contact: "
			     "+33 1 23 45 67 89\"");
	read_recovery(r, map);
	read_access(r, map, out);
	read_endpoints(r, map, index);
	read_reaches(r, map, out);
	read_service_names(r, map, "a vendor that reaches segments", out->reach_count > 0,
			   &out->services);
	read_hours(r, map, &out->hours);
}

/* Every address in `via`, whosever it is: a fast no for all other flows. */
static void compile_ways_in(struct reader *r)
{
	struct site *s = r->site;
	size_t n = 0;

	for (size_t i = 0; i < s->vendor_count; i++)
		n += s->vendors[i].via_count;
	struct lpm_entry *entries = take_memory(r, n, sizeof(*entries));
	if (!entries)
		return;
	n = 0;
	for (size_t i = 0; i < s->vendor_count; i++)
		for (size_t j = 0; j < s->vendors[i].via_count; j++)
			entries[n++] = (struct lpm_entry){ s->vendors[i].via[j], 1 };
	s->ways_in = lpm_create(entries, n);
	if (!s->ways_in)
		r->short_of_memory = true;
}

static int by_asn(const void *a, const void *b)
{
	const struct vendor_asn *x = a, *y = b;

	return x->asn < y->asn ? -1 : x->asn > y->asn;
}

static int by_domain(const void *a, const void *b)
{
	const struct vendor_domain *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->below - y->below;
}

static void compile_endpoints(struct reader *r)
{
	struct site *s = r->site;

	names_sort(&r->asns, "AS number", "leave it to one vendor");
	names_sort(&r->domains, "domain", "leave it to one vendor");
	s->asns = take_memory(r, r->asns.count, sizeof(*s->asns));
	s->domains = take_memory(r, r->domains.count, sizeof(*s->domains));
	if (!s->asns || !s->domains)
		return;
	for (; s->asn_count < r->asns.count; s->asn_count++) {
		const struct name *n = &r->asns.list[s->asn_count];
		s->asns[s->asn_count] = (struct vendor_asn){ (uint32_t)strtoul(n->text, NULL, 10),
							     &s->vendors[n->index] };
	}
	if (s->asn_count)
		qsort(s->asns, s->asn_count, sizeof(*s->asns), by_asn);
	for (; s->domain_count < r->domains.count; s->domain_count++) {
		const struct name *n = &r->domains.list[s->domain_count];
		bool below = n->text[0] == '*';
		s->domains[s->domain_count] =
			(struct vendor_domain){ n->text + (below ? 2 : 0), below,
						&s->vendors[n->index] };
	}
	if (s->domain_count)
		qsort(s->domains, s->domain_count, sizeof(*s->domains), by_domain);
}

void read_vendors(struct reader *r, const struct yaml_node *root)
{
	struct site *s = r->site;
	const struct yaml_node *list = yaml_get(root, "vendors");
	size_t count = list_length(root, "vendors", "\"- {name: Acme Imaging, contact: ...}\"");

	s->vendors = take_memory(r, count, sizeof(*s->vendors));
	if (!s->vendors)
		return;
	s->vendor_count = count;
	for (size_t i = 0; i < count; i++)
		read_vendor(r, yaml_element(list, i), i);
	names_sort(&r->vendors, "vendor", "give each its own name");
	compile_endpoints(r);
	compile_ways_in(r);
}
