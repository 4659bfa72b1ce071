/* SPDX-License-Identifier: Apache-2.0
 *
 * A compiled site, as the sources of this room see it. Everything lives in the
 * site's arena, but for the look-up tables. */
#pragma once

#include "base/arena.h"
#include "site/lpm.h"
#include "site/site.h"

enum { SITE_REVISION = 17, VLAN_COUNT = 4095, NO_SEGMENT = UINT16_MAX };

struct port_range {
	uint8_t protocol; /* IP protocol number */
	uint16_t first, last;
};

/* What may be spoken. Without `apps`, ports decide alone; with them only where
 * the app of a flow is not known. */
struct service {
	const char *name;
	bool any;
	const char **apps;
	size_t app_count;
	struct port_range *ports;
	size_t port_count;
};

struct service_list {
	const struct service **list;
	size_t count;
};

/* A conduit or an exception. */
struct rule {
	const char *id;
	const struct segment *from, *to;
	struct service_list services;
	const char *reason; /* of an exception */
	struct usec until;  /* of an exception: the first moment it no longer holds */
	char until_text[11];
	uint32_t order; /* place in the file */
};

/* Sorted by from, to and place in the file. */
struct rule_list {
	struct rule *list;
	size_t count;
};

struct working_hours {
	uint8_t days;         /* bit 0 is Monday; 0: none were given */
	uint16_t from, to;    /* minutes since midnight */
	const char *timezone; /* as in the time zone database */
};

struct vendor {
	const char *name;
	const char *contact; /* or NULL */
	struct ip_prefix *via;
	size_t via_count;
	const struct segment **reaches;
	size_t reach_count;
	struct service_list services;
	struct working_hours hours; /* not judged yet */
};

struct vendor_asn {
	uint32_t asn;
	const struct vendor *vendor;
};

struct vendor_domain {
	const char *name; /* lower case, without the leading "*." */
	bool below;       /* the names under it, not the name itself */
	const struct vendor *vendor;
};

struct oui {
	uint32_t number;
	uint16_t segment;
};

struct site {
	struct arena memory;
	uint64_t serial; /* from 1 on: no other site of this process has it */
	const char *name;
	char revision[SITE_REVISION];
	bool empty; /* of site_empty(): there is nothing to judge by */

	struct segment *segments; /* the declared ones and the two built in */
	size_t segment_count;
	const struct segment *unknown_internal, *external;
	struct lpm *places;         /* segment indices; vendors' prefixes are external */
	uint16_t vlans[VLAN_COUNT]; /* segment indices or NO_SEGMENT */
	struct oui *ouis;           /* sorted by number */
	size_t oui_count;

	struct service *services;
	size_t service_count;
	struct rule_list conduits, exceptions;

	struct vendor *vendors;
	size_t vendor_count;
	struct lpm *vendor_prefixes; /* vendor indices */
	struct lpm *ways_in;         /* which addresses are in some vendor's `via` */
	struct vendor_asn *asns;     /* sorted by number */
	size_t asn_count;
	struct vendor_domain *domains; /* sorted by name and `below` */
	size_t domain_count;

	struct expectations expect;
};

/* The vendor that claims an outside address: by its longest prefix, else by
 * ASN, else by name; or NULL. */
const struct vendor *vendor_of(const struct site *s, const struct ip_addr *ip, uint32_t asn,
			       const char *name);
bool vendor_has_via(const struct vendor *v, const struct ip_addr *ip);
/* True when some vendor has it in `via`. */
bool site_has_way_in(const struct site *s, const struct ip_addr *ip);

/* The app that a server port is usually for, or NULL. */
const char *app_usual(uint8_t protocol, uint16_t port);

/* `app` NULL: not known. */
bool service_matches(const struct service *service, const char *app, uint8_t protocol,
		     uint16_t port);
bool services_match(const struct service_list *services, const char *app, uint8_t protocol,
		    uint16_t port);
