/* SPDX-License-Identifier: Apache-2.0
 *
 * From a flow to its record: which end is the client, where each end stands,
 * which way the packets took, and what the site file says of it. */
#pragma once

#include "schema/attributes.h"
#include "schema/community_id.h"
#include "sensor/flow.h"
#include "sensor/geo.h"
#include "sensor/hostnames.h"
#include "sensor/realm.h"
#include "site/site.h"

/* What is the same for all records of a sensor; borrowed. */
struct record_setting {
	const char *sensor, *exercise;
	const struct site *site;
	const struct geo *geo; /* NULL: none */
	const struct hostnames *names;
	const struct realms *realms;
	bool community_ids; /* also those that a batch implies (schema/wire.h) */
};

/* Memory for one record's texts; overwritten by the next. */
struct record_space {
	char id[RECORD_ID];
	char community_id[COMMUNITY_ID_TEXT];
	char path[RECORD_PATH_MOST][24];
	char tunnel[RECORD_TUNNEL_MOST][24];
	char country[2][3];
	struct site_memory memory;
	const struct judgement *judgement; /* of the record, in `memory` */
	struct record_attribute attributes[ATTRIBUTES_MOST];
	const char *texts[ATTRIBUTES_MOST];
};

/* Fills `out`, which borrows from the flow, the setting, the attributes (may be
 * NULL) and `space`. Settles the flow's orientation when it was open. */
void flow_record(const struct record_setting *setting, struct flow *f,
		 const struct attributes *attributes, enum end_reason reason,
		 struct record_space *space, struct record_flow *out);

/* Settles who the client is, as far as that is open. */
void flow_orient(struct flow *f);
/* The same from one packet alone, by its flags, type or ports; the answer's sender
 * is told apart from the question's where there is any sign. */
bool flow_sender_is_client(const struct packet *p);

/* No router has taken one off the TTL that operating systems start with: the packet's
 * link is the sender's own. */
bool ttl_is_fresh(uint8_t ttl);

/* Where a new flow's ends seem to stand, as numbers of segments by side; the
 * highest impact tier of the two, for flow_table_add. */
uint8_t flow_segments(const struct site *site, const struct packet *p, unsigned side,
		      uint16_t out[2]);
