/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/monitor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/log.h"

enum {
	INPUTS_MOST = 16,
	BURST = 4096, /* frames of one interface before the next has its turn */
	WAIT_MS = 100,
};

/* How an interface fares, for saying so once. */
struct fare {
	bool down, gone;
	uint64_t drops; /* since it was last said */
	uint64_t packets, kernel, interface;
	struct log_limit said; /* up, down: the latest is what holds */
};

static void take(void *context, const struct frame *frame)
{
	struct monitor *m = context;
	pipeline_frame(m->pipeline, frame); /* not offered: the ring takes its bytes back */
}

static void say_state(struct fare *f, const struct live *l, int error)
{
	bool down = error == -ENETDOWN, gone = error == -ENODEV;

	if (gone && !f->gone)
		log_error("%s: the interface has gone: %s; start the sensor again when it is back",
			  live_interface(l), live_problem(l));
	else if (down && !f->down)
		log_limited(&f->said, LOG_WARN,
			    "%s: the interface is down; capture goes on when it is up",
			    live_interface(l));
	else if (!error && f->down)
		log_limited(&f->said, LOG_INFO, "%s: the interface is up again", live_interface(l));
	f->down = down;
	f->gone |= gone;
}

/* Reads what there is; true when every interface has gone. */
static bool read_all(struct monitor *m, struct fare *fares, struct pollfd *polls)
{
	size_t gone = 0;

	for (size_t i = 0; i < m->count; i++) {
		if (!fares[i].gone) {
			int n = live_read(m->inputs[i], BURST, take, m);
			say_state(&fares[i], m->inputs[i], n < 0 ? n : 0);
			fares[i].packets += n > 0 ? (uint64_t)n : 0;
		}
		polls[i].fd = fares[i].gone ? -1 : live_descriptor(m->inputs[i]);
		gone += fares[i].gone;
	}
	return gone == m->count;
}

static void count_losses(struct monitor *m, struct fare *fares)
{
	for (size_t i = 0; i < m->count; i++) {
		if (fares[i].gone)
			continue;
		struct live_losses losses = live_losses(m->inputs[i]);
		m->counters->drops_kernel += losses.kernel;
		m->counters->drops_interface += losses.interface;
		fares[i].drops += losses.kernel + losses.interface;
		fares[i].kernel += losses.kernel;
		fares[i].interface += losses.interface;
	}
}

static void say_losses(struct monitor *m, struct fare *fares)
{
	for (size_t i = 0; i < m->count; i++) {
		if (fares[i].drops)
			log_warn("%s: %llu frames were lost in the last minute; enlarge "
				 "capture.ring, "
				 "or mirror less to this port",
				 live_interface(m->inputs[i]), (unsigned long long)fares[i].drops);
		fares[i].drops = 0;
	}
}

/* A full disk may last: said now and then, while it costs records. */
static int flush(struct monitor *m)
{
	static struct log_limit limit = { .interval = { 60LL * USEC_PER_SECOND } };
	uint64_t before = m->counters->spool_refused;
	int error = output_flush(m->output);

	if (m->counters->spool_refused > before)
		log_limited(&limit, LOG_ERROR,
			    "output: %s; %llu records were lost so far: make room",
			    strerror(-error), (unsigned long long)m->counters->spool_refused);
	return error;
}

/* Once a second: losses, time-outs while it is quiet, what waits for output. */
static int each_second(struct monitor *m, struct fare *fares, uint64_t second,
		       uint64_t packets_before)
{
	count_losses(m, fares);
	if (m->counters->packets == packets_before)
		pipeline_idle(m->pipeline, clock_wall());
	if (second % 60 == 0)
		say_losses(m, fares);
	log_tick(clock_monotonic());
	return flush(m);
}

static void begin(struct monitor *m, struct fare *fares, struct pollfd *polls)
{
	m->fares = fares;
	for (size_t i = 0; i < m->count; i++) {
		polls[i] = (struct pollfd){ live_descriptor(m->inputs[i]), POLLIN, 0 };
		fares[i].said.interval.v = 60LL * USEC_PER_SECOND;
		fares[i].said.burst = 6;
	}
}

static int loop(struct monitor *m, struct fare *fares)
{
	struct pollfd polls[INPUTS_MOST + 1] = { 0 };
	int64_t last = clock_monotonic().v / USEC_PER_SECOND;
	uint64_t packets = 0;

	begin(m, fares, polls);
	while (!*m->stop) {
		polls[m->count] = (struct pollfd){ status_descriptor(m->status), POLLIN, 0 };
		poll(polls, m->count + 1, WAIT_MS);
		notify_alive(m->notify, clock_monotonic());
		if (read_all(m, fares, polls))
			return 1;
		status_serve(m->status, clock_monotonic(), m->fill, m->context);
		int64_t second = clock_monotonic().v / USEC_PER_SECOND;
		if (second == last)
			continue;
		last = second;
		if (each_second(m, fares, (uint64_t)second, packets) == -EPIPE)
			return 1;
		packets = m->counters->packets;
		if (*m->reload && m->on_reload)
			m->on_reload(m->context);
	}
	return 0;
}

void monitor_status(const struct monitor *m, struct status *out)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct fare *f = &m->fares[i];
		out->interfaces[i] = (struct status_interface){
			.name = live_interface(m->inputs[i]),
			.link = f->gone   ? STATUS_GONE
				: f->down ? STATUS_DOWN
					  : STATUS_UP,
			.packets = f->packets,
			.drops_kernel = f->kernel,
			.drops_interface = f->interface,
		};
	}
	out->interface_count = m->count;
	out->workers[0] = (struct status_worker){ .counters = *m->counters,
						  .flows = pipeline_flow_count(m->pipeline) };
	out->worker_count = 1;
}

int monitor_run(struct monitor *m)
{
	struct fare fares[INPUTS_MOST] = { 0 };
	int status = m->count > INPUTS_MOST ? 1 : loop(m, fares);

	for (size_t i = 0; i < INPUTS_MOST; i++)
		log_limit_finish(&fares[i].said);
	pipeline_flush(m->pipeline, END_SHUTDOWN);
	int error = output_flush(m->output);
	if (error) {
		log_error("output: %s; %llu records were lost: make room", strerror(-error),
			  (unsigned long long)m->counters->spool_refused);
		return 1;
	}
	return status;
}
