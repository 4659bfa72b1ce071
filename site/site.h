/* SPDX-License-Identifier: Apache-2.0
 *
 * The hospital as its people describe it (site file, docs/site-file.md):
 * compiled once, then only looked up. A compiled site never changes, and may
 * be read by any number of threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/ip.h"
#include "config/yaml.h"
#include "schema/names.h"

struct site;

struct segment {
	const char *name;
	enum impact impact;
	uint16_t index; /* 0 .. site_segment_count() - 1 */
};

/* Loads, checks and compiles. NULL when a mistake makes the site unusable; then
 * `problems` holds all of them. Findings that do not (an exception that has
 * expired) are noted too. `now` decides what has expired. */
struct site *site_load(const char *path, struct usec now, struct problems *problems);
void site_free(struct site *s); /* accepts NULL */

/* The site of a sensor that was given none: every private address is
 * `unknown-internal`, every other one `external`. Never NULL but for memory. */
struct site *site_empty(void);

const char *site_name(const struct site *s);
const char *site_revision(const struct site *s); /* 16 hex digits of its content's hash */
size_t site_segment_count(const struct site *s);
/* The declared ones in file order, then `unknown-internal`, then `external`. */
const struct segment *site_segment(const struct site *s, size_t index);
const struct segment *site_segment_named(const struct site *s, const char *name);

/* Where an endpoint stands. `vlan` is the one nearest to it on the path, 0 when
 * not known; `mac` its own MAC, or NULL. Never NULL. A few dozen nanoseconds. */
const struct segment *site_locate(const struct site *s, const struct ip_addr *ip, uint16_t vlan,
				  const uint8_t *mac);

/* What is known of a flow when it is judged. */
struct site_flow {
	struct ip_addr client_ip, server_ip;
	const struct segment *client, *server; /* of site_locate() */
	const char *app;                       /* registry name, or NULL while unknown */
	bool app_shed;        /* unknown only because an overloaded sensor did not look for it */
	bool no_data;         /* it never carried a byte of payload: a mere attempt */
	uint8_t protocol;     /* IP protocol number */
	uint16_t server_port; /* 0: none */
	uint32_t client_asn, server_asn;
	const char *server_name; /* SNI or DNS name of the external end, or NULL */
	struct usec start;       /* for exceptions' end and working hours */
};

struct judgement {
	enum verdict verdict;
	enum severity severity;
	const char *rule;      /* conduit, exception or vendor id; the site's, or NULL */
	const char *vendor;    /* name; the site's, or NULL */
	char reason[256];      /* one plain sentence */
	const char *technique; /* ATT&CK technique id, or NULL; static */
};

/* Judges a flow by the rules of docs/verdicts.md. Pure; does not allocate. */
void site_judge(const struct site *s, const struct site_flow *flow, struct judgement *out);

/* Judgements of flows that looked alike, for one thread; zeroed by its owner. */
enum { SITE_REMEMBERED = 64 };
struct site_memory {
	struct remembered {
		struct look {
			uint64_t site; /* its serial number; 0: not in use */
			const struct segment *client, *server;
			const char *app, *vendor; /* by their addresses */
			uint16_t server_port;
			uint8_t protocol;
			bool no_data, local_peer;
		} look;
		struct judgement judgement;
	} flows[SITE_REMEMBERED];
	struct judgement other; /* of a flow like none of these */
};

/* As site_judge(), but for a flow that looks like one before it: `app` is a static text
 * here. The answer holds until the next call. */
const struct judgement *site_judge_again(struct site_memory *m, const struct site *s,
					 const struct site_flow *flow);

/* What the hospital says of its clinical traffic, to hold events against (section
 * `expect`; docs/events.md). Texts are the site's; a count of 0: nothing was declared. */
struct expected_texts {
	const char *const *list; /* sorted by strcmp */
	size_t count;
};

struct expectations {
	struct usec learn; /* how long what is new is only learnt */
	struct expected_texts ae_titles, hl7_senders, hl7_types;
	uint64_t bulk_images;                  /* retrieved in one association within one record */
	const struct segment *const *building; /* segments from which controllers are operated */
	size_t building_count;
	const struct ip_prefix *resolvers;
	size_t resolver_count;
};

const struct expectations *site_expectations(const struct site *s);
bool expected_has(const struct expected_texts *t, const char *text);
bool site_expects_resolver(const struct site *s, const struct ip_addr *ip);
bool site_expects_control_from(const struct site *s, const struct segment *from);

/* Broadcast, multicast and link-local peers belong to their sender's segment:
 * true when `ip` is such a peer. */
static inline bool site_is_local_peer(const struct ip_addr *ip)
{
	return ip_is_local_scope(ip);
}
