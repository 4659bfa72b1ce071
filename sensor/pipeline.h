/* SPDX-License-Identifier: Apache-2.0
 *
 * The packet path: decode, de-duplicate, meter, dissect; and, when a flow has
 * something to tell, classify and record. One pipeline is one worker; nothing
 * in it is shared. */
#pragma once

#include "events/events.h"
#include "assets/assets.h"
#include "sensor/dissection.h"
#include "sensor/flow_record.h"
#include "sensor/output.h"
#include "sensor/report.h"

struct pipeline_options {
	size_t flows;          /* flow table */
	size_t fragments;      /* datagrams under reassembly */
	size_t alerts;         /* alerts folded at a time */
	size_t names;          /* addresses known by name */
	size_t hosts;          /* kept as assets; 0: none are */
	const struct oui *oui; /* makers of network cards; NULL: not known */
	size_t event_memory;   /* what events compare with; of `events`, where those are shared */
	uint8_t shed;          /* level of shedding from the start */
	uint64_t singles;      /* records a second of single packets, while the table overflows */
	bool dedup;
	bool live; /* packets are stamped by this machine's clock, which may be set back */
	/* Of several workers, each with a pipeline, that share a site: this one's number.
	 * A flow belongs to steer()'s one; 0 or 1 workers: all flows are ours. */
	unsigned workers, self;
	/* Gives a packet that is not ours to its owner; false when that one has no room.
	 * Called from pipeline_offer(); all is to be copied. */
	bool (*hand_over)(void *context, unsigned owner, const struct packet *packet);
	/* Tells the others what a name stands for. */
	void (*on_name)(void *context, const struct ip_addr *ip, const char *name);
	void *context;
	struct report *report; /* shared by all, borrowed; NULL: one of our own */
	struct events *events; /* the same */
	uint64_t seed;         /* of the hashes; nothing that comes out depends on it, but which
				* copies are forgotten when there are more than fit */
	struct flow_timeouts timeouts;
	struct dissection_options dissection;
	struct record_setting setting; /* `names` is filled in by the pipeline */
};

struct pipeline;

/* Everything is allocated here; nothing of ours is per packet. The output and
 * the counters are borrowed. NULL with `why`. */
struct pipeline *pipeline_create(const struct pipeline_options *options, struct counters *counters,
				 struct output *output, char why[256]);
void pipeline_destroy(struct pipeline *p); /* accepts NULL */

/* Handles one frame, which may be gone afterwards. */
void pipeline_frame(struct pipeline *p, const struct frame *frame);

/* The same, but the frame may wait for others, so that memory has time to answer:
 * its bytes stay borrowed until pipeline_drain(). */
void pipeline_offer(struct pipeline *p, const struct frame *frame);
/* A packet of ours that another worker read; its bytes as for pipeline_offer(). */
void pipeline_take(struct pipeline *p, const struct packet *packet);
/* What another worker learnt. */
void pipeline_learn(struct pipeline *p, const struct ip_addr *ip, const char *name);
/* Handles the frames that wait. */
void pipeline_drain(struct pipeline *p);

/* Time goes on while no packet comes: call now and then with the clock that
 * stamps packets. */
void pipeline_idle(struct pipeline *p, struct usec now);

/* Sends what the report has of a minute that not all workers have told of. */
void pipeline_report_rest(struct pipeline *p);

/* What can change while packets come; all is borrowed. */
struct pipeline_settings {
	const struct site *site;
	const struct geo *geo;
	const char *exercise;
	struct flow_timeouts timeouts;
	bool dedup;
};

/* A change is prepared aside, by any thread. Between two packets, what has been seen
 * until then is recorded as it was; when all that share a report have done that, and
 * the report's rest is out, the change is applied, which cannot fail. Flows go on.
 * Once the records are out of the outlet, too, nothing of the settings before is
 * needed any more. NULL: no memory. */
struct pipeline_change *pipeline_prepare(const struct pipeline *p,
					 const struct pipeline_settings *to);
void pipeline_conclude(struct pipeline *p, const struct pipeline_change *change);
void pipeline_apply(struct pipeline *p, struct pipeline_change *change);
void pipeline_change_free(struct pipeline_change *change); /* accepts NULL */

/* What is left out from the next packet on (sensor/shed.h). Cheap when it is as
 * before. */
void pipeline_set_shed(struct pipeline *p, uint8_t level);

/* Ends all flows: the input is over, or the sensor stops. Time may start anew. */
void pipeline_flush(struct pipeline *p, enum end_reason reason);

size_t pipeline_flow_count(const struct pipeline *p);
/* Time of the newest packet; INT64_MIN before the first. */
struct usec pipeline_clock(const struct pipeline *p);
