/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/worker.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
	BURST = 4096,   /* frames of an interface before the next one, and others, have a turn */
	ITEMS = 256,    /* of another worker's, likewise */
	SLEEP_MS = 100, /* at most; time-outs have a resolution of a second */
	SETTLE_MS = 40, /* after this the kernel has handed over what it had */
	LAST_READS = 1024,
	PRESSURE_US = 10000, /* between two looks at how full all is */
};

static void take_frame(void *context, const struct frame *captured)
{
	struct worker *w = context;
	struct worker_input *input = &w->own.inputs[w->reading_number];
	struct frame frame = *captured;

	input->packets++;
	frame.interface = (uint16_t)w->reading_number;
	frame.oversized = frame.wire > w->longest;
	if (frame.oversized) {
		input->oversized++;
		input->longest = frame.wire > input->longest ? frame.wire : input->longest;
	}
	if (live_lends(w->reading))
		pipeline_offer(w->pipeline, &frame);
	else
		pipeline_frame(w->pipeline, &frame);
}

static int read_inputs(struct worker *w)
{
	int n = 0;

	for (size_t i = 0; i < w->input_count; i++) {
		w->reading = w->inputs[i];
		w->reading_number = i;
		w->longest = atomic_load_explicit(&w->orders->longest[i], memory_order_relaxed);
		n += live_read(w->inputs[i], BURST, take_frame, w);
		pipeline_drain(w->pipeline);
	}
	return n;
}

static size_t take_from(struct worker *w, struct handover *h)
{
	struct handover_item item;
	size_t n = 0;

	while (n < ITEMS && handover_take(h, &item)) {
		if (item.packet)
			pipeline_take(w->pipeline, item.packet);
		else
			pipeline_learn(w->pipeline, &item.ip, item.name);
		n++;
	}
	pipeline_drain(w->pipeline);
	handover_release(h);
	return n;
}

size_t worker_take(struct worker *w)
{
	size_t n = 0;

	for (unsigned i = 0; i < w->orders->count; i++)
		if (w->inbox[i])
			n += take_from(w, w->inbox[i]);
	return n;
}

static void wake(const struct worker *w)
{
	uint64_t one = 1;
	ssize_t n = write(w->wake, &one, sizeof(one));

	(void)n; /* it cannot fail: the counter does not overflow */
}

bool worker_hand_over(void *context, unsigned owner, const struct packet *packet)
{
	const struct worker *w = context;
	struct worker *to = &w->orders->all[owner];
	bool asleep = false;

	if (!handover_packet(to->inbox[w->number], packet, &asleep))
		return false;
	if (asleep)
		wake(to);
	return true;
}

void worker_tell_name(void *context, const struct ip_addr *ip, const char *name)
{
	const struct worker *w = context;
	bool asleep;

	for (unsigned i = 0; i < w->orders->count; i++) {
		struct worker *to = &w->orders->all[i];
		asleep = false;
		/* One that finds no room is no loss but of a hint. */
		if (to != w && handover_name(to->inbox[w->number], ip, name, &asleep) && asleep)
			wake(to);
	}
}

static bool nothing_came(struct worker *w)
{
	bool nothing = true;

	for (unsigned i = 0; i < w->orders->count; i++)
		if (w->inbox[i] && !handover_sleep(w->inbox[i]))
			nothing = false;
	return nothing;
}

static void look_after(struct worker *w, size_t i)
{
	struct worker_input *view = &w->own.inputs[i];

	view->state = live_look(w->inputs[i]);
	memcpy(view->interface, live_interface(w->inputs[i]), sizeof(view->interface));
}

static void sleep_until_more(struct worker *w)
{
	struct pollfd polls[WORKER_INPUTS_MOST + 1];
	uint64_t count;

	for (size_t i = 0; i < w->input_count; i++) {
		live_release(w->inputs[i]);
		polls[i] = (struct pollfd){ live_descriptor(w->inputs[i]), POLLIN, 0 };
	}
	polls[w->input_count] = (struct pollfd){ w->wake, POLLIN, 0 };
	if (!nothing_came(w) || poll(polls, w->input_count + 1, SLEEP_MS) <= 0)
		return;
	for (size_t i = 0; i < w->input_count; i++)
		if (polls[i].revents & ~POLLIN)
			look_after(w, i);
	if (polls[w->input_count].revents & POLLIN && read(w->wake, &count, sizeof(count)) < 0)
		return;
}

static void count_losses(struct worker *w)
{
	for (size_t i = 0; i < w->input_count; i++) {
		struct worker_input *view = &w->own.inputs[i];
		if (view->state == LIVE_GONE)
			continue;
		uint64_t drops = live_drops(w->inputs[i]);
		w->counters.drops_kernel += drops;
		view->drops_kernel += drops;
		view->fill = live_fill(w->inputs[i]);
		view->fill_known = live_lends(w->inputs[i]);
	}
}

static unsigned fullest_queue(const struct worker *w)
{
	unsigned fullest = 0;

	for (unsigned i = 0; i < w->orders->count; i++) {
		unsigned fill = w->inbox[i] ? handover_fill(w->inbox[i]) : 0;
		fullest = fill > fullest ? fill : fullest;
	}
	return fullest;
}

static unsigned fullest_ring(const struct worker *w)
{
	unsigned fullest = 0;

	for (size_t i = 0; i < w->input_count; i++) {
		unsigned fill = live_fill(w->inputs[i]);
		fullest = fill > fullest ? fill : fullest;
	}
	return fullest;
}

/* Leaves out work where there is too much of it. `read`: packets, just now. */
static void ease(struct worker *w, size_t read, struct usec now)
{
	struct shed_pressure p = { 0 };

	if (now.v < w->pressed.v)
		return;
	w->pressed.v = now.v + PRESSURE_US;
	p.ring_percent = fullest_ring(w);
	p.queue_percent = fullest_queue(w);
	p.spool_percent = outlet_stats(w->outlet).fill;
	if (read && pipeline_clock(w->pipeline).v != INT64_MIN)
		p.lag_us = clock_wall().v - pipeline_clock(w->pipeline).v;
	pipeline_set_shed(w->pipeline, shed_update(&w->shed, &p, now));
}

static void publish(struct worker *w)
{
	w->own.flows = pipeline_flow_count(w->pipeline);
	w->own.counters = w->counters;
	pthread_mutex_lock(&w->lock);
	w->view = w->own;
	pthread_mutex_unlock(&w->lock);
}

/* Losses, time-outs while it is quiet, what waits for output. */
static void each_second(struct worker *w)
{
	for (size_t i = 0; i < w->input_count; i++)
		look_after(w, i);
	count_losses(w);
	if (w->counters.packets == w->packets_before)
		pipeline_idle(w->pipeline, clock_wall());
	w->packets_before = w->counters.packets;
	if (output_flush(w->output) == -EPIPE)
		atomic_store(&w->orders->failed, true);
	publish(w);
}

/* Stands still, so that the main thread may change what all share. */
static void meet(struct worker *w)
{
	pthread_barrier_wait(&w->orders->meeting);
	pthread_barrier_wait(&w->orders->meeting);
	w->second = clock_monotonic(); /* the view is made anew */
}

/* What had come before the order to stop. */
static void read_the_rest(struct worker *w)
{
	poll(NULL, 0, SETTLE_MS);
	for (int i = 0; i < LAST_READS && read_inputs(w) + (int)worker_take(w); i++)
		;
	for (size_t i = 0; i < w->input_count; i++)
		live_release(w->inputs[i]);
	count_losses(w);
	publish(w);
}

void *worker_run(void *context)
{
	struct worker *w = context;

	while (!atomic_load_explicit(&w->orders->stop, memory_order_relaxed)) {
		if (atomic_load_explicit(&w->orders->park, memory_order_acquire))
			meet(w);
		size_t n = (size_t)read_inputs(w) + worker_take(w);
		atomic_fetch_add_explicit(&w->beats, 1, memory_order_relaxed);
		struct usec now = clock_monotonic();
		if (now.v >= w->second.v) {
			w->second.v = now.v + USEC_PER_SECOND;
			each_second(w);
		}
		ease(w, n, now);
		if (!n)
			sleep_until_more(w);
	}
	read_the_rest(w);
	return NULL;
}
