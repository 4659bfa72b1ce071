/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { HANDOVER_BYTES = 1 << 20 }; /* from each worker to each other one */

struct crew {
	struct worker_orders orders;
	struct outlet *outlet;
	struct report *report;
	struct events *events;
	struct ledger *spare; /* of the report, while settings change */
	unsigned started;
	unsigned long beats[WORKERS_MOST]; /* as of the last look */
	struct worker workers[];
};

static size_t share_of(size_t whole, unsigned workers)
{
	return (whole + workers - 1) / workers;
}

/* Names are known to all of them; the rest is divided. */
static struct pipeline_options divide(const struct crew_options *o, struct crew *c, unsigned i)
{
	struct pipeline_options p = *o->pipeline;

	p.flows = share_of(p.flows, o->workers);
	p.fragments = share_of(p.fragments, o->workers);
	p.alerts = share_of(p.alerts, o->workers);
	p.dissection.contexts = share_of(p.dissection.contexts, o->workers);
	p.dissection.buffers = share_of(p.dissection.buffers, o->workers);
	p.dissection.dpi_flows = share_of(p.dissection.dpi_flows, o->workers);
	p.dissection.dpi_memory = share_of(p.dissection.dpi_memory, o->workers);
	p.report = c->report;
	p.events = c->events;
	p.workers = o->workers;
	p.self = i;
	p.context = &c->workers[i];
	if (o->workers > 1) {
		p.hand_over = worker_hand_over;
		p.on_name = worker_tell_name;
	}
	return p;
}

static bool make_worker(const struct crew_options *o, struct crew *c, unsigned i, char why[256])
{
	struct worker *w = &c->workers[i];
	struct pipeline_options p = divide(o, c, i);
	struct output_options to = *o->output;

	snprintf(why, 256, "not enough memory for %u workers", o->workers);
	w->number = i;
	w->orders = &c->orders;
	w->outlet = o->outlet;
	shed_init(&w->shed, o->shed);
	to.first = i == 0;
	for (size_t k = 0; k < o->interfaces; k++)
		w->inputs[w->input_count++] = o->inputs[k * o->workers + i];
	for (unsigned k = 0; k < o->workers; k++)
		if (k != i && !(w->inbox[k] = handover_create(HANDOVER_BYTES)))
			return false;
	w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->output = output_create(o->outlet, &to, &w->counters);
	if (w->wake < 0 || !w->output)
		return false;
	w->pipeline = pipeline_create(&p, &w->counters, w->output, why);
	return w->pipeline;
}

struct crew *crew_create(const struct crew_options *o, char why[256])
{
	struct crew *c = calloc(1, sizeof(*c) + o->workers * sizeof(c->workers[0]));

	snprintf(why, 256, "not enough memory for %u workers", o->workers);
	if (!c)
		return NULL;
	c->orders.all = c->workers;
	c->orders.count = o->workers;
	c->outlet = o->outlet;
	pthread_barrier_init(&c->orders.meeting, NULL, o->workers + 1);
	for (unsigned i = 0; i < o->workers; i++) {
		c->workers[i].wake = -1;
		pthread_mutex_init(&c->workers[i].lock, NULL);
	}
	c->report = report_create(o->pipeline->setting.site, o->workers);
	c->events = events_create(o->pipeline->event_memory);
	if (!c->report || !c->events)
		goto fail;
	report_watch(c->report, o->ports);
	for (size_t i = 0; i < WORKER_INPUTS_MOST; i++)
		crew_expect(c, i,
			    o->ports && i < o->interfaces ? ports_frame_most(o->ports, i)
							  : UINT32_MAX);
	for (unsigned i = 0; i < o->workers; i++)
		if (!make_worker(o, c, i, why))
			goto fail;
	return c;
fail:
	crew_destroy(c);
	return NULL;
}

static void finish_worker(struct worker *w, unsigned count)
{
	pipeline_destroy(w->pipeline);
	output_destroy(w->output);
	for (unsigned k = 0; k < count; k++)
		handover_destroy(w->inbox[k]);
	if (w->wake >= 0)
		close(w->wake);
	pthread_mutex_destroy(&w->lock);
}

void crew_destroy(struct crew *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->orders.count; i++)
		finish_worker(&c->workers[i], c->orders.count);
	report_destroy(c->report);
	events_destroy(c->events);
	pthread_barrier_destroy(&c->orders.meeting);
	free(c);
}

int crew_start(struct crew *c)
{
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; !error && c->started < c->orders.count; c->started += !error) {
		struct worker *w = &c->workers[c->started];
		error = pthread_create(&w->thread, NULL, worker_run, w);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static void wake_all(struct crew *c)
{
	uint64_t one = 1;

	for (unsigned i = 0; i < c->started; i++) {
		ssize_t n = write(c->workers[i].wake, &one, sizeof(one));
		(void)n;
	}
}

/* What one hands over while it ends may give another one something to do. */
static void take_what_is_left(struct crew *c)
{
	size_t n;

	do {
		n = 0;
		for (unsigned i = 0; i < c->orders.count; i++)
			n += worker_take(&c->workers[i]);
	} while (n);
}

static void report_rest(struct crew *c)
{
	struct worker *first = &c->workers[0];

	pipeline_report_rest(first->pipeline);
	output_flush(first->output);
}

void crew_stop(struct crew *c)
{
	atomic_store(&c->orders.stop, true);
	wake_all(c);
	for (unsigned i = 0; i < c->started; i++)
		pthread_join(c->workers[i].thread, NULL);
	c->started = 0;
	take_what_is_left(c);
	for (unsigned i = 0; i < c->orders.count; i++) {
		pipeline_flush(c->workers[i].pipeline, END_SHUTDOWN);
		output_flush(c->workers[i].output);
	}
	report_rest(c);
	outlet_settle(c->outlet);
	for (unsigned i = 0; i < c->orders.count; i++) {
		output_flush(c->workers[i].output);
		c->workers[i].view.counters = c->workers[i].counters;
		c->workers[i].view.flows = 0;
	}
}

void crew_expect(struct crew *c, size_t interface, uint32_t longest)
{
	atomic_store_explicit(&c->orders.longest[interface], longest, memory_order_relaxed);
}

bool crew_is_alive(struct crew *c)
{
	bool alive = true;

	for (unsigned i = 0; i < c->started; i++) {
		unsigned long beats = atomic_load(&c->workers[i].beats);
		alive &= beats != c->beats[i];
		c->beats[i] = beats;
	}
	return alive;
}

bool crew_has_failed(const struct crew *c)
{
	return atomic_load(&c->orders.failed);
}

void crew_view(struct crew *c, unsigned i, struct worker_view *out)
{
	struct worker *w = &c->workers[i];

	pthread_mutex_lock(&w->lock);
	*out = w->view;
	pthread_mutex_unlock(&w->lock);
}

struct counters crew_counters(struct crew *c)
{
	struct counters sum = { 0 };
	struct worker_view view;

	for (unsigned i = 0; i < c->orders.count; i++) {
		crew_view(c, i, &view);
		counters_add(&sum, &view.counters);
	}
	return sum;
}

unsigned crew_size(const struct crew *c)
{
	return c->orders.count;
}

static void park(struct crew *c)
{
	atomic_store_explicit(&c->orders.park, true, memory_order_release);
	wake_all(c);
	pthread_barrier_wait(&c->orders.meeting);
}

static void go_on(struct crew *c)
{
	atomic_store_explicit(&c->orders.park, false, memory_order_release);
	pthread_barrier_wait(&c->orders.meeting);
}

static void flush_outputs(struct crew *c)
{
	for (unsigned i = 0; i < c->orders.count; i++)
		output_flush(c->workers[i].output);
	outlet_settle(c->outlet);
}

/* Once it has been prepared, it cannot fail any more. */
static void change(struct crew *c, struct pipeline_change *const *changes,
		   const struct pipeline_settings *to)
{
	for (unsigned i = 0; i < c->orders.count; i++)
		pipeline_conclude(c->workers[i].pipeline, changes[i]);
	report_rest(c);
	flush_outputs(c);
	report_exchange(c->report, to->site, &c->spare);
	for (unsigned i = 0; i < c->orders.count; i++) {
		pipeline_apply(c->workers[i].pipeline, changes[i]);
		output_set_marks(c->workers[i].output, site_revision(to->site), to->exercise);
	}
}

int crew_change(struct crew *c, const struct pipeline_settings *to)
{
	struct pipeline_change *changes[WORKERS_MOST] = { 0 };
	bool ready = (c->spare = ledger_create(to->site));

	for (unsigned i = 0; ready && i < c->orders.count; i++)
		ready = (changes[i] = pipeline_prepare(c->workers[i].pipeline, to));
	if (ready) {
		park(c);
		change(c, changes, to);
		go_on(c);
	}
	for (unsigned i = 0; i < c->orders.count; i++)
		pipeline_change_free(changes[i]);
	ledger_destroy(c->spare);
	c->spare = NULL;
	return ready ? 0 : -ENOMEM;
}
