/* SPDX-License-Identifier: Apache-2.0
 *
 * The hosts of one worker: who was seen at which address with which MAC, since when, what
 * was said of it, and what it seems to be for. Fixed memory, nothing is allocated later.
 *
 * A host is (realm, address, MAC). An address that shows another MAC is another host, a
 * tenant of its own; where a sighting has no MAC, the address's newest tenant is meant,
 * and a tenant whose MAC was not known takes the first that is. What is known by its MAC
 * alone (a switch's LLDP, a DHCP request) is a host without address until an address has
 * that MAC; from then on it is told with the address's records.
 *
 * What comes out, and in which order, depends on what is put in alone. */
#pragma once

#include "assets/oui.h"
#include "schema/counters.h"
#include "schema/record.h"

enum {
	ASSET_TENANTS = 8, /* of one address; then the one seen longest ago goes */
	ASSET_ROLES = 8,
	ASSET_FACTS = 32, /* of one host */
	ASSET_VALUES = 4, /* of one field about one host; then the oldest one goes */
	ASSET_VALUE = 64, /* bytes; longer values are cut */
};

struct assets_options {
	size_t hosts;          /* at a time */
	size_t facts;          /* of all of them together */
	uint64_t seed;         /* of the hashes; nothing that comes out depends on it */
	const struct oui *oui; /* borrowed; NULL: vendors are not known */
};

struct assets;
struct asset; /* a host; to be used until the next assets_see() only */

/* Each record goes to `sink`, which must not keep it. NULL: no memory. */
struct assets *assets_create(const struct assets_options *options, struct counters *counters,
			     record_sink *sink, void *context);
void assets_destroy(struct assets *a); /* accepts NULL */

/* A host that was there from `first` to `last`. */
struct asset_sighting {
	const char *realm;    /* lent for the life of the assets; the same text, the same pointer */
	bool has_ip, has_mac; /* one of them at least; the MAC is its own, no router's */
	struct ip_addr ip;
	uint8_t mac[6];
	/* NULL: as it was; lent until assets_place(). Without a MAC it is believed only where
	 * there was none. */
	const char *segment;
	enum impact impact;
	struct usec first, last;
};

/* The host, which is new to the table now or not. When the table is full, one of whom
 * nothing is known goes, or one that was not seen for an hour; NULL when there is none. */
struct asset *assets_see(struct assets *a, const struct asset_sighting *sighting);

/* What a field said of it: kept, or one more sighting of what is known; and what follows
 * from it. `field` is static. Values of host names are not to be given. */
void asset_fact(struct assets *a, struct asset *host, const char *field, const char *value,
		struct usec time);
/* A conclusion as a fact: `name` and `value` are static, or of a list of words. */
void asset_hint(struct assets *a, struct asset *host, const char *name, const char *value,
		enum confidence confidence, const char *from, struct usec time);
/* What it seems to be for; static texts. The highest confidence stays. */
void asset_role(struct assets *a, struct asset *host, const char *role, enum confidence confidence,
		const char *from);

/* What is the same for all records. */
struct asset_marks {
	const char *sensor, *site_revision, *exercise;
};

/* Sends hosts that are new, or of which something new is known; and those that were seen
 * since their last record, when that is an hour old, or at the end. `now` is the clock of
 * the packets. */
void assets_flush(struct assets *a, const struct asset_marks *marks, struct usec now, bool end);

/* Another site: asks where each host stands now. `place` sets segment and impact. */
typedef void asset_place(void *context, const struct ip_addr *ip, const uint8_t *mac,
			 const char **segment, enum impact *impact);
void assets_place(struct assets *a, asset_place *place, void *context);

/* Forgets all of them; the memory stays. */
void assets_clear(struct assets *a);

size_t assets_count(const struct assets *a);
