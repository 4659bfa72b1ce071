/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time goes: processor cycles by stage of a packet's way. Compiled in with
 * -Dstages=true only (tests/bench/stages); else every call is empty, and costs nothing.
 *
 * A thread is in one stage at a time; what a stage calls that is a stage of its own
 * is not charged to it. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#define STAGES(X) \
	X(STAGE_OTHER, "other")   /* start, end, and between stages */ \
	X(STAGE_READ, "read")     /* a frame out of the file */ \
	X(STAGE_DECODE, "decode") /* link layers, tunnels, IP, transport */ \
	X(STAGE_DEDUP, "dedup") \
	X(STAGE_FLOW, "flow")       /* key, look-up, counting, TCP, time-outs */ \
	X(STAGE_DISSECT, "dissect") /* our dissectors, reassembly */ \
	X(STAGE_DPI, "ndpi") \
	X(STAGE_CLASSIFY, "classify") /* segments, networks, verdict */ \
	X(STAGE_RECORD, "record")     /* made and packed */ \
	X(STAGE_FIND, "find")         /* alerts and events */ \
	X(STAGE_HOSTS, "hosts")       /* the table of hosts */ \
	X(STAGE_SPOOL, "spool")       /* compressed and written */

enum stage {
#define STAGE_ENUM(constant, name) constant,
	STAGES(STAGE_ENUM)
#undef STAGE_ENUM
		STAGE_COUNT
};

#ifdef VIGIE_STAGES

/* From now on this thread is in `to`; returns where it was. */
enum stage stage_enter(enum stage to);
/* Adds this thread's cycles to all threads'. */
void stages_end_thread(void);
/* One line a stage: name, ns per packet; what the counting itself took is taken off. */
void stages_print(FILE *out, uint64_t packets);

#else

static inline enum stage stage_enter(enum stage to)
{
	return to;
}

static inline void stages_end_thread(void)
{
}

static inline void stages_print(FILE *out, uint64_t packets)
{
	(void)out;
	(void)packets;
}

#endif
