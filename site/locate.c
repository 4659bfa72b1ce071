/* SPDX-License-Identifier: Apache-2.0 */
#include "site/model.h"

#include <ctype.h>
#include <string.h>

static uint16_t segment_of_oui(const struct site *s, const uint8_t *mac)
{
	uint32_t number = (uint32_t)mac[0] << 16 | (uint32_t)mac[1] << 8 | mac[2];
	size_t from = 0, to = s->oui_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (s->ouis[middle].number < number)
			from = middle + 1;
		else
			to = middle;
	}
	return from < s->oui_count && s->ouis[from].number == number ? s->ouis[from].segment
								     : NO_SEGMENT;
}

const struct segment *site_locate(const struct site *s, const struct ip_addr *ip, uint16_t vlan,
				  const uint8_t *mac)
{
	uint32_t place = lpm_find(s->places, ip);

	if (place != LPM_NONE)
		return &s->segments[place];
	/* A router stands between us and a public address: the VLAN and the MAC next
	 * to us are the router's, and say nothing of it. */
	if (!ip_is_private(ip) && !ip_is_local_scope(ip))
		return s->external;
	if (vlan && vlan < VLAN_COUNT && s->vlans[vlan] != NO_SEGMENT)
		return &s->segments[s->vlans[vlan]];
	if (mac && s->oui_count) {
		uint16_t segment = segment_of_oui(s, mac);
		if (segment != NO_SEGMENT)
			return &s->segments[segment];
	}
	return s->unknown_internal;
}

static const struct vendor *vendor_of_asn(const struct site *s, uint32_t asn)
{
	size_t from = 0, to = s->asn_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (s->asns[middle].asn < asn)
			from = middle + 1;
		else
			to = middle;
	}
	return from < s->asn_count && s->asns[from].asn == asn ? s->asns[from].vendor : NULL;
}

static const struct vendor *vendor_of_domain(const struct site *s, const char *name, bool below)
{
	size_t from = 0, to = s->domain_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(s->domains[middle].name, name);
		if (order < 0 || (order == 0 && s->domains[middle].below < below))
			from = middle + 1;
		else
			to = middle;
	}
	if (from == s->domain_count || strcmp(s->domains[from].name, name) ||
	    s->domains[from].below != below)
		return NULL;
	return s->domains[from].vendor;
}

/* The name itself first, then what its domains stand for, the longest first. */
static const struct vendor *vendor_of_name(const struct site *s, const char *name)
{
	char lower[254];
	size_t n = strnlen(name, sizeof(lower));

	if (n == sizeof(lower) || !s->domain_count)
		return NULL;
	for (size_t i = 0; i <= n; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	if (n && lower[n - 1] == '.')
		lower[n - 1] = '\0';
	const struct vendor *found = vendor_of_domain(s, lower, false);
	for (const char *dot = strchr(lower, '.'); dot && !found; dot = strchr(dot + 1, '.'))
		found = vendor_of_domain(s, dot + 1, true);
	return found;
}

const struct vendor *vendor_of(const struct site *s, const struct ip_addr *ip, uint32_t asn,
			       const char *name)
{
	uint32_t index = lpm_find(s->vendor_prefixes, ip);
	const struct vendor *found = NULL;

	if (index != LPM_NONE)
		return &s->vendors[index];
	if (asn)
		found = vendor_of_asn(s, asn);
	if (!found && name)
		found = vendor_of_name(s, name);
	return found;
}

bool vendor_has_via(const struct vendor *v, const struct ip_addr *ip)
{
	for (size_t i = 0; i < v->via_count; i++)
		if (ip_prefix_has(&v->via[i], ip))
			return true;
	return false;
}

bool site_has_way_in(const struct site *s, const struct ip_addr *ip)
{
	return lpm_find(s->ways_in, ip) != LPM_NONE;
}
