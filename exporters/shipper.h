/* SPDX-License-Identifier: Apache-2.0
 *
 * The shipper from inside: its configuration, and one thread per destination. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "config/yaml.h"
#include "exporters/exporter.h"
#include "exporters/spool.h"

enum { DESTINATIONS_MOST = 16 };

struct shipper_config {
	struct yaml *file; /* all texts are borrowed from it */
	const char *user;  /* to become, or NULL */
	const char *sensor;
	const char *spool_dir;
	struct shipper_destination {
		const char *name; /* a word: it names files in the spool */
		const struct exporter *exporter;
		void *state; /* configured, not open */
	} destinations[DESTINATIONS_MOST];
	size_t count;
};

/* Reads the file, and makes its folder the working folder. False when anything is
 * wrong: `problems` tells. */
bool shipper_config_read(struct shipper_config *c, const char *path, struct problems *problems);
void shipper_config_finish(struct shipper_config *c); /* closes the states, too */

/* What a destination's thread tells the others. */
struct delivery_state {
	struct spool_position acknowledged[STREAM_COUNT]; /* or put aside */
	uint64_t batches, records, refused;               /* since the start */
	uint64_t damaged; /* places in the spool that were skipped */
	bool drained;     /* nothing was left to read, nothing is on its way */
	bool waiting;     /* the destination takes nothing now */
	int failed;       /* -errno: the thread has ended for good */
};

struct delivery_thread {
	const struct shipper_destination *destination;
	const char *spool_dir;
	atomic_bool stop;
	pthread_t thread;
	pthread_mutex_t lock;
	struct delivery_state state; /* under the lock */
};

/* Starts shipping to an open destination: 0 or -errno, with `why`. `drain`: what the
 * spool holds is all that there will be. */
int delivery_start(struct delivery_thread *t, const struct shipper_destination *destination,
		   const char *spool_dir, bool drain, char why[256]);
struct delivery_state delivery_look(struct delivery_thread *t);
/* Ends the thread once what is on its way has arrived, or three seconds later;
 * its last words are in `state` then. */
void delivery_stop(struct delivery_thread *t);

/* Puts a refused batch and the reason aside: DIR/quarantine/DESTINATION/. */
int quarantine_store(const char *spool_dir, const char *destination,
		     const struct spool_frame *frame, const char *reason);
