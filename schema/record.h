/* SPDX-License-Identifier: Apache-2.0
 *
 * The records that travel from sensor to analyst, as C sees them. One shape
 * for all rooms: the sensor fills them, wire.h packs and unpacks them,
 * record_json() shows them, the store keeps them. Names and meanings are in
 * docs/records.md.
 *
 * Every pointer in a record is lent: it lives as long as whoever handed the
 * record over says, which is at least until the call that takes it returns.
 * Text that is not known is NULL or empty, and absent in every output. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "schema/names.h"

enum {
	RECORD_ID = 33,
	RECORD_PATH_MOST = 4,
	RECORD_TUNNEL_MOST = 4,
	RECORD_ALERT_FLOWS = 8,
	RECORD_REASONS_MOST = 12,
};

struct record_endpoint {
	bool no_ip; /* it stands for a whole segment, or for nothing: no address, port or MAC */
	struct ip_addr ip;
	bool has_port;
	uint16_t port;
	bool has_mac;
	uint8_t mac[6];
	const char *segment;
	enum impact impact;
	uint32_t asn;        /* 0: not known */
	const char *country; /* ISO 3166-1 alpha-2, or empty */
};

struct record_tcp {
	uint8_t flags_to_server, flags_to_client; /* union of all, RFC 9293 bits */
	bool has_rtt_client, has_rtt_server;
	uint32_t rtt_client_us; /* sensor to client and back: SYN-ACK to ACK */
	uint32_t rtt_server_us; /* sensor to server and back: SYN to SYN-ACK */
	uint32_t retransmissions;
	uint64_t missed_bytes; /* sequence space acknowledged but never seen */
	bool midstream;        /* the handshake was not seen */
};

/* A dissector's finding, or one read back from the wire. */
struct record_attribute {
	const char *name;
	enum { ATTRIBUTE_NUMBER, ATTRIBUTE_FLAG, ATTRIBUTE_TEXT, ATTRIBUTE_TEXTS } type;
	uint64_t number;          /* NUMBER, FLAG */
	const char *const *texts; /* TEXT: one, TEXTS: `count` of them */
	size_t count;
};

struct record_flow {
	const char *id; /* same for all interim records of a flow */
	const char *sensor, *site_revision, *exercise;
	struct usec start, end;     /* of this record's packets */
	uint32_t interim;           /* 0, 1, 2 ... among the records of one flow */
	enum end_reason end_reason; /* END_SHED: the sum of what two segments said */
	uint8_t protocol;           /* IP protocol number */
	const char *community_id, *realm;
	struct record_endpoint client, server;
	enum orientation orientation;
	uint64_t packets_to_server, packets_to_client; /* since the previous interim record */
	uint64_t bytes_to_server, bytes_to_client;     /* IP bytes */
	const char *path[RECORD_PATH_MOST];
	size_t path_count;
	uint64_t copies_mirror, copies_routed;
	bool has_tcp;
	struct record_tcp tcp;
	bool has_icmp;
	uint8_t icmp_type, icmp_code;
	const char *tunnel[RECORD_TUNNEL_MOST]; /* outermost first */
	size_t tunnel_count;
	uint8_t dscp; /* of the first packet to the server, else of the first seen */
	const char *app;
	enum app_source app_source;
	enum confidence app_confidence;
	bool encrypted;
	const struct record_attribute *attributes;
	size_t attribute_count;
	const char *attributes_json; /* when set, an object that stands for `attributes` */
	enum verdict verdict;
	const char *rule, *reason, *vendor;
	enum severity severity;
	uint8_t shed; /* highest level at which something was left out of it; 0: nothing was */
};

/* One alert, or what was added to it since its last record: records of one id
 * are folded by adding counts, and taking the outer bounds of the times. */
struct record_alert {
	const char *id, *kind, *sensor, *site_revision, *exercise;
	enum severity severity;
	struct usec first_seen, last_seen;
	uint64_t count;
	struct record_endpoint client, server;
	uint8_t protocol;
	const char *app, *rule, *reason, *vendor, *technique;
	const char *flows[RECORD_ALERT_FLOWS];
	size_t flow_count;
};

struct record_coverage {
	const char *sensor, *site_revision, *exercise, *segment, *state;
	struct usec minute;
	uint64_t packets, bytes, one_sided_flows, missed_bytes, truncated, mirror_copies,
		routed_copies, shed_max, clock_jumps;
	uint64_t oversized;
	uint64_t frames, drops;                   /* of the whole sensor in this minute */
	const char *reasons[RECORD_REASONS_MOST]; /* words of docs/records.md, worst first */
	size_t reason_count;
};

struct record_counter {
	const char *name; /* of schema/counters.h */
	uint64_t value;   /* since the previous health record */
};

/* A capture interface, since the previous health record. */
struct record_interface {
	const char *name, *state; /* up, silent, no-link, down, gone */
	uint64_t frames, drops, oversized;
};

struct record_health {
	const char *sensor, *site_revision, *exercise;
	const char *version;
	struct usec minute;
	const struct record_counter *counters;
	size_t counter_count;
	const struct record_interface *interfaces;
	size_t interface_count;
};

/* What a host seems to be for, and what told so: a field or an application. */
struct record_role {
	const char *role; /* a word of assets/roles.c */
	enum confidence confidence;
	const char *from;
};

/* What was said of a host: `from` is the field that said it, `name` what it is about. */
struct record_fact {
	const char *name, *value, *from;
	enum confidence confidence; /* of a conclusion; NONE: it was said as it stands */
	struct usec first_seen, last_seen;
};

/* A host, and all that is known of it. Records of one realm, address and MAC are folded
 * by taking the outer times, and the union of roles and facts. */
struct record_asset {
	const char *sensor, *site_revision, *exercise;
	const char *realm;
	bool has_ip, has_mac; /* one of them at least */
	struct ip_addr ip;
	uint8_t mac[6]; /* its own, not a router's */
	const char *mac_vendor, *segment;
	enum impact impact;
	struct usec first_seen, last_seen;
	const struct record_role *roles;
	size_t role_count;
	const struct record_fact *facts;
	size_t fact_count;
	/* when set, arrays that stand for `roles` and `facts` */
	const char *roles_json, *facts_json;
};

enum record_type {
	RECORD_FLOW,
	RECORD_ALERT,
	RECORD_COVERAGE,
	RECORD_HEALTH,
	RECORD_ASSET,
	RECORD_TYPE_COUNT
};

struct record {
	enum record_type type;
	union {
		struct record_flow flow;
		struct record_alert alert;
		struct record_coverage coverage;
		struct record_health health;
		struct record_asset asset;
	};
};

/* Someone who takes records one by one: 0, or -errno, which ends the row. */
typedef int record_sink(void *context, const struct record *record);

enum stream record_stream(enum record_type type);
const char *record_type_name(enum record_type type);

/* Appends one JSON object, without a line end. */
void record_json(const struct record *record, struct buf *out);
/* Appends the attributes alone, as an object. */
void record_attributes_json(const struct record_attribute *attributes, size_t count,
			    struct buf *out);
/* Appends capture interfaces alone, as an array. */
void record_interfaces_json(const struct record_interface *interfaces, size_t count,
			    struct buf *out);
/* Appends roles or facts alone, as an array. */
void record_roles_json(const struct record_role *roles, size_t count, struct buf *out);
void record_facts_json(const struct record_fact *facts, size_t count, struct buf *out);
/* The address as "00:09:5c:01:02:03"; returns out. */
enum { RECORD_MAC_TEXT = 18 };
char *record_mac_text(const uint8_t mac[6], char out[RECORD_MAC_TEXT]);
/* "SAPF" and so on; out has room for all nine and a NUL. */
char *record_tcp_flags(uint8_t flags, char out[10]);
