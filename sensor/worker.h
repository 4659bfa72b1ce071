/* SPDX-License-Identifier: Apache-2.0
 *
 * One worker of a live sensor: a thread that reads its share of every interface,
 * and what other workers have for it, into a pipeline of its own. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "sensor/handover.h"
#include "sensor/live.h"
#include "sensor/pipeline.h"
#include "sensor/shed.h"

enum { WORKERS_MOST = 16, WORKER_INPUTS_MOST = 16 };

/* What it shares with the main thread, and with the others. */
struct worker_orders {
	atomic_bool stop, park;
	pthread_barrier_t meeting; /* of all workers and the main thread */
	atomic_bool failed;        /* the output did: nothing more can be written */
	struct worker *all;
	unsigned count;
	/* The longest frame that each interface takes on its own. */
	_Atomic uint32_t longest[WORKER_INPUTS_MOST];
};

/* How one of its interfaces fares. */
struct worker_input {
	char interface[IF_NAMESIZE];
	enum live_state state;
	bool fill_known;
	unsigned fill; /* of its ring, in percent */
	uint64_t packets, drops_kernel, oversized;
	uint32_t longest; /* frame, of the oversized ones */
};

/* What others may see, brought up to date each second. */
struct worker_view {
	struct counters counters;
	struct worker_input inputs[WORKER_INPUTS_MOST];
	size_t flows; /* in the table */
};

struct worker {
	unsigned number;
	struct worker_orders *orders;
	struct live *inputs[WORKER_INPUTS_MOST]; /* borrowed */
	size_t input_count;
	struct pipeline *pipeline; /* these are the worker's own */
	struct output *output;
	struct outlet *outlet; /* borrowed */
	struct counters counters;
	struct handover *inbox[WORKERS_MOST]; /* from each of the others */
	int wake;                             /* eventfd: something came while it slept */
	pthread_t thread;
	atomic_ulong beats; /* grows while it is alive */

	pthread_mutex_t lock; /* of the view */
	struct worker_view view;
	/* its thread's */
	struct shed shed;
	struct usec pressed; /* monotonic; when the pressure is taken again */
	struct usec second;  /* monotonic; when the next one begins */
	uint64_t packets_before;
	struct live *reading;
	size_t reading_number;
	uint32_t longest; /* frame, of the interface that is read */
	struct worker_view own;
};

/* The thread. */
void *worker_run(void *worker);

/* When its thread has ended: takes what others gave it last. How many. */
size_t worker_take(struct worker *w);

/* For pipeline_options: to the worker's others. */
bool worker_hand_over(void *worker, unsigned owner, const struct packet *packet);
void worker_tell_name(void *worker, const struct ip_addr *ip, const char *name);
