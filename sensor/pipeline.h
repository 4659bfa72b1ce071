/* SPDX-License-Identifier: Apache-2.0
 *
 * The packet path: decode, de-duplicate, meter, dissect; and, when a flow has
 * something to tell, classify and record. One pipeline is one worker; nothing
 * in it is shared. */
#pragma once

#include "sensor/dissection.h"
#include "sensor/flow_record.h"
#include "sensor/output.h"
#include "sensor/ports.h"

struct pipeline_options {
	size_t flows;     /* flow table */
	size_t fragments; /* datagrams under reassembly */
	size_t alerts;    /* alerts folded at a time */
	size_t names;     /* addresses known by name */
	bool dedup;
	bool live; /* packets are stamped by this machine's clock, which may be set back */
	struct ports *ports; /* that `live` packets come from, for reports; NULL: none */
	uint64_t seed;       /* of the hashes; nothing that comes out depends on it, but which
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
/* Handles the frames that wait. */
void pipeline_drain(struct pipeline *p);

/* Time goes on while no packet comes: call now and then with the clock that
 * stamps packets. */
void pipeline_idle(struct pipeline *p, struct usec now);

/* Takes another site for what comes; the one before may be freed then. Flows go
 * on. 0, or -ENOMEM: then the old one stays. */
int pipeline_set_site(struct pipeline *p, const struct site *site);

/* Ends all flows: the input is over, or the sensor stops. Time may start anew. */
void pipeline_flush(struct pipeline *p, enum end_reason reason);

size_t pipeline_flow_count(const struct pipeline *p);
/* Time of the newest packet; INT64_MIN before the first. */
struct usec pipeline_clock(const struct pipeline *p);
