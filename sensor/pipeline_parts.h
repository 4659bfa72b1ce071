/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of the pipeline share: pipeline.c is the packets' path,
 * pipeline_tell.c what is told and when, pipeline_change.c new settings. */
#pragma once

#include "sensor/alerts.h"
#include "sensor/asset_feed.h"
#include "sensor/dedup.h"
#include "sensor/pairs.h"
#include "sensor/pipeline.h"

enum {
	PIPELINE_DEDUP = 65536, /* packets compared with */
	PIPELINE_WAITING =
		32, /* packets: enough for memory to answer, few enough to stay in the cache */
};

#define MINUTE (60LL * USEC_PER_SECOND)
#define JUMP (3600LL * USEC_PER_SECOND)

/* A packet that is decoded, while the memory that it will need is on its way. */
struct waiting {
	struct packet packet;
	struct flow_key key;
	unsigned side;
	uint64_t hash, signature;
	int64_t at; /* the clock when it came */
};

struct pipeline {
	struct pipeline_options options;
	struct counters *counters, reported; /* reported: as of the last minute told */
	struct report *report, *own_report;  /* own: NULL where all workers share one */
	struct output *output;
	struct decoder *decoder;
	struct dedup *dedup;
	struct flow_table *flows;
	struct dissection *dissection;
	struct hostnames *names;
	struct alerts *alerts;
	struct assets *assets;              /* NULL: none are kept */
	struct events *events, *own_events; /* own: NULL where all workers share them */
	struct ledger *ledger;              /* this minute's rows, for the report */
	struct pairs *pairs;
	uint8_t shed, told; /* level of shedding, and the one that was told of last */
	struct record_space space;
	int64_t now;         /* clock of the packets: never goes back */
	int64_t at;          /* the clock when the packet under way came */
	int64_t disorder;    /* rings and workers are read in turn: that much is no step back */
	int64_t second;      /* of the last look at the table */
	int64_t minute;      /* of the last health record */
	bool dead;           /* the last minute had no frame, where there had been some */
	bool jumped;         /* the previous packet was far ahead of the clock */
	uint32_t ahead;      /* its flow, or FLOW_NONE */
	unsigned late;       /* packets in a row that were a minute behind the clock */
	int64_t lone_second; /* that the next is of */
	uint32_t lone_records;
	size_t waiting_count;
	struct waiting waiting[PIPELINE_WAITING];
};

/* Where records go; `context` is the output. */
int pipeline_to_output(void *context, const struct record *record);
/* What a flow has to tell, as the flow table calls for it; `context` is the pipeline.
 * First: asks for the memory of it. */
void pipeline_near(void *context, const struct flow *f);
void pipeline_emit(void *context, struct flow *f, enum end_reason reason);
/* The packets' clock goes on; what is due is told. */
void pipeline_advance(struct pipeline *p, int64_t time);
/* What there is to tell of the minute under way. */
void pipeline_tell(struct pipeline *p, bool whole_minute);
/* That the level of shedding is another. */
void pipeline_tell_shedding(struct pipeline *p);
