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
		}
		polls[i].fd = fares[i].gone ? -1 : live_descriptor(m->inputs[i]);
		gone += fares[i].gone;
	}
	return gone == m->count;
}

static void watch_ports(struct monitor *m, const struct fare *fares)
{
	struct port_figures figures[INPUTS_MOST];

	for (size_t i = 0; i < m->count; i++) {
		struct live_figures f = live_figures(m->inputs[i]);
		figures[i] = (struct port_figures){ f.frames,  f.ring_drops,  f.oversized,
						    f.longest, fares[i].down, fares[i].gone };
	}
	ports_second(m->ports, figures, m->counters, clock_monotonic(), clock_wall());
	for (size_t i = 0; i < m->count; i++)
		live_expect(m->inputs[i], ports_frame_most(m->ports, i));
}

/* Once a second: losses, time-outs while it is quiet, what waits for output. */
static int each_second(struct monitor *m, const struct fare *fares, uint64_t packets_before)
{
	watch_ports(m, fares);
	if (m->counters->packets == packets_before)
		pipeline_idle(m->pipeline, clock_wall());
	return output_flush(m->output);
}

static int loop(struct monitor *m)
{
	struct fare fares[INPUTS_MOST] = { 0 };
	struct pollfd polls[INPUTS_MOST] = { 0 };
	int64_t last = clock_monotonic().v / USEC_PER_SECOND;
	uint64_t packets = 0;

	for (size_t i = 0; i < m->count; i++)
		polls[i] = (struct pollfd){ live_descriptor(m->inputs[i]), POLLIN, 0 };
	while (!*m->stop) {
		poll(polls, m->count, WAIT_MS);
		notify_alive(m->notify, clock_monotonic());
		if (read_all(m, fares, polls))
			return 1;
		int64_t second = clock_monotonic().v / USEC_PER_SECOND;
		if (second == last)
			continue;
		last = second;
		if (each_second(m, fares, packets) == -EPIPE)
			return 1;
		packets = m->counters->packets;
		if (*m->reload && m->on_reload)
			m->on_reload(m->context);
	}
	return 0;
}

int monitor_run(struct monitor *m)
{
	int status = m->count > INPUTS_MOST ? 1 : loop(m);

	pipeline_flush(m->pipeline, END_SHUTDOWN);
	int error = output_flush(m->output);
	if (error) {
		log_error("output: %s; %llu records were lost: make room", strerror(-error),
			  (unsigned long long)m->counters->spool_refused);
		return 1;
	}
	return status;
}
