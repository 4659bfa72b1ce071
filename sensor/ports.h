/* SPDX-License-Identifier: Apache-2.0
 *
 * The capture interfaces over time: what each lost, whether it has fallen
 * silent, what about it should be mended. Each finding is said in the log once,
 * with its cure. That it is up, down, gone or renamed is said by monitor.h. */
#pragma once

#include "base/clock.h"
#include "schema/counters.h"
#include "schema/record.h"

enum { PORTS_MOST = 32 };

/* What the capture itself knows of one interface, since it started. */
struct port_figures {
	uint64_t frames, ring_drops, oversized;
	uint32_t longest; /* frame, of the oversized ones */
	bool down, gone;  /* as its socket says */
};

struct ports;

/* Files are opened here: before the sandbox. The names are copied. NULL: no memory. */
struct ports *ports_open(const char *const *interfaces, size_t count);
void ports_close(struct ports *p); /* accepts NULL */

/* Says once what should be set otherwise before it does harm; before the sandbox. */
void ports_advise(const struct ports *p);

/* The longest frame that interface i takes on its own; UINT32_MAX: not known. It may
 * change while the sensor runs. From the thread of ports_second(). */
uint32_t ports_frame_most(const struct ports *p, size_t i);

/* To be called about once a second, with the workers' counters so far: packets
 * and copies_mirror are looked at. */
void ports_second(struct ports *p, const struct port_figures *figures,
		  const struct counters *workers, struct usec monotonic, struct usec wall);

/* What this module counts: drops_interface, drops_softnet, frames_damaged and
 * clock_steps, since the start. From any thread. */
struct counters ports_counters(struct ports *p);
/* What interface i dropped for want of room, since the start. */
uint64_t ports_drops(struct ports *p, size_t i);

/* For a minute's records: what came since the last call. From any thread. */
struct ports_told {
	/* Interfaces that show nothing any more, a bit by their number: gone, down, without
	 * link, or without a frame for a minute though they had some. */
	uint32_t dead;
	struct counters counters;
	struct record_interface interfaces[PORTS_MOST]; /* names are lent */
	size_t count;
};
void ports_tell(struct ports *p, struct ports_told *out);

/* ---- pure ---- */

/* Notices when the wall clock was set: by how much (0: it was not), forward above
 * zero. It drifts and is slewed, so only half a second at once is a step. */
struct clock_watch {
	bool known;
	int64_t offset;
};
struct usec clock_watch_step(struct clock_watch *w, struct usec monotonic, struct usec wall);

/* About half of all frames are copies where a mirror shows every frame twice. */
bool mirror_is_doubled(uint64_t frames, uint64_t copies);
