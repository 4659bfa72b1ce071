/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/monitor.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "base/log.h"

enum { WAIT_MS = 250, SAID_BURST = 6, TELL_SECONDS = 10, FULL = 100 /* percent */ };

#define SAID_INTERVAL (60LL * USEC_PER_SECOND)

/* How an interface fares, for saying so once. */
struct fare {
	char name[IF_NAMESIZE];
	enum live_state state;
	struct log_limit said; /* up, down: the latest is what holds */
};

static void say_state(const struct monitor *m, struct fare *f, const struct worker_input *now)
{
	if (*f->name && strcmp(f->name, now->interface) != 0)
		log_limited(&f->said, LOG_WARN,
			    "%s: the interface is now called %s; capture goes on, but the next "
			    "start needs the new name in the configuration",
			    f->name, now->interface);
	if (now->state != f->state && now->state == LIVE_GONE)
		log_limited(&f->said, LOG_ERROR, "%s: the interface has gone; %s", now->interface,
			    m->can_rejoin ? "capture goes on when it is back"
					  : "start the sensor again when it is back");
	else if (now->state != f->state && now->state == LIVE_DOWN)
		log_limited(&f->said, LOG_WARN,
			    "%s: the interface is down; capture goes on when it is up",
			    now->interface);
	else if (now->state != f->state)
		log_limited(&f->said, LOG_INFO, "%s: the interface is up again", now->interface);
	memcpy(f->name, now->interface, sizeof(f->name));
	f->state = now->state;
}

/* Once a second; true when every interface has gone for good. */
static bool look_at_interfaces(struct monitor *m)
{
	size_t gone = 0;

	crew_view(m->crew, 0, &m->view);
	for (size_t i = 0; i < m->interfaces; i++) {
		if (*m->view.inputs[i].interface)
			say_state(m, &m->fares[i], &m->view.inputs[i]);
		gone += m->fares[i].state == LIVE_GONE;
	}
	return gone == m->interfaces && !m->can_rejoin;
}

/* What the interfaces showed and lost, over all workers. */
static void watch_ports(struct monitor *m)
{
	struct port_figures figures[WORKER_INPUTS_MOST] = { 0 };
	struct counters sum = crew_counters(m->crew);

	for (unsigned k = 0; k < crew_size(m->crew); k++) {
		crew_view(m->crew, k, &m->view);
		for (size_t i = 0; i < m->interfaces; i++) {
			const struct worker_input *from = &m->view.inputs[i];
			struct port_figures *to = &figures[i];
			to->frames += from->packets;
			to->ring_drops += from->drops_kernel;
			to->oversized += from->oversized;
			to->longest = from->longest > to->longest ? from->longest : to->longest;
			to->down = m->fares[i].state == LIVE_DOWN;
			to->gone = m->fares[i].state == LIVE_GONE;
		}
	}
	ports_second(m->ports, figures, &sum, clock_monotonic(), clock_wall());
	for (size_t i = 0; i < m->interfaces; i++)
		crew_expect(m->crew, i, ports_frame_most(m->ports, i));
}

/* A full disk may last: said now and then, while it costs records. */
static void say_refused(struct monitor *m, uint64_t *before)
{
	static struct log_limit limit = { .interval = { SAID_INTERVAL } },
				full = { .interval = { SAID_INTERVAL } };
	uint64_t refused = outlet_stats(m->outlet).refused;

	if (refused > *before)
		log_limited(&limit, LOG_ERROR,
			    "output: %s; %" PRIu64 " records were lost so far: make room",
			    strerror(-outlet_problem(m->outlet)), refused);
	*before = refused;
	if (outlet_stats(m->outlet).fill >= FULL)
		log_limited(&full, LOG_WARN,
			    "output: the disk does not keep up: %d MiB of records wait for it, and "
			    "so does capture",
			    OUTLET_MEMORY_MOST >> 20);
}

/* One line for `systemctl status`. */
static void tell_manager(struct monitor *m, int64_t second)
{
	if (m->told && second - m->told < TELL_SECONDS)
		return;
	struct counters now = crew_counters(m->crew);
	struct counters ports = ports_counters(m->ports);
	uint64_t seconds = m->told ? (uint64_t)(second - m->told) : 1;
	notify_status(m->notify,
		      "%" PRIu64 " packets a second, %" PRIu64
		      " lost since the start, shed level %" PRIu64,
		      (now.packets - m->told_packets) / seconds,
		      counters_lost(&now) + counters_lost(&ports), now.shed_level);
	m->told_packets = now.packets;
	m->told = second;
}

static void add_input(struct status_interface *to, const struct worker_input *from,
		      unsigned workers)
{
	to->packets += from->packets;
	to->drops_kernel += from->drops_kernel;
	to->ring_used += to->ring_bytes / workers * from->fill / 100;
	to->ring_known |= from->fill_known;
}

void monitor_status(struct monitor *m, struct status *out)
{
	static const enum status_link links[] = {
		[LIVE_UP] = STATUS_UP, [LIVE_DOWN] = STATUS_DOWN, [LIVE_GONE] = STATUS_GONE
	};
	unsigned workers = crew_size(m->crew);

	for (unsigned k = 0; k < workers; k++) {
		crew_view(m->crew, k, &m->view);
		for (size_t i = 0; i < m->interfaces; i++)
			add_input(&out->interfaces[i], &m->view.inputs[i], workers);
		out->workers[k].counters = m->view.counters;
		out->workers[k].flows = m->view.flows;
		out->workers[k].shed = (unsigned)m->view.counters.shed_level;
	}
	for (size_t i = 0; i < m->interfaces; i++) {
		out->interfaces[i].name = m->fares[i].name;
		out->interfaces[i].drops_interface = ports_drops(m->ports, i);
		out->interfaces[i].link = links[m->fares[i].state];
	}
	struct counters ports = ports_counters(m->ports);
	counters_add(&out->workers[0].counters, &ports);
	out->interface_count = m->interfaces;
	out->worker_count = workers;
}

static int loop(struct monitor *m)
{
	int64_t last = clock_monotonic().v / USEC_PER_SECOND;
	uint64_t refused = 0;

	while (!*m->stop) {
		struct pollfd wait = { status_descriptor(m->status), POLLIN, 0 };
		poll(&wait, 1, WAIT_MS);
		/* To be started again does not mend a disk that hangs. */
		if (crew_is_alive(m->crew) || outlet_stats(m->outlet).fill >= FULL)
			notify_alive(m->notify, clock_monotonic());
		status_serve(m->status, clock_monotonic(), m->fill, m->context);
		if (*m->reload && m->on_reload)
			m->on_reload(m->context);
		int64_t second = clock_monotonic().v / USEC_PER_SECOND;
		if (second == last)
			continue;
		last = second;
		bool gone = look_at_interfaces(m);
		watch_ports(m);
		if (gone || crew_has_failed(m->crew))
			return 1;
		say_refused(m, &refused);
		tell_manager(m, second);
		log_tick(clock_monotonic());
	}
	return 0;
}

int monitor_run(struct monitor *m)
{
	struct fare fares[WORKER_INPUTS_MOST] = { 0 };

	m->fares = fares;
	for (size_t i = 0; i < WORKER_INPUTS_MOST; i++)
		fares[i].said =
			(struct log_limit){ .interval = { SAID_INTERVAL }, .burst = SAID_BURST };
	int status = loop(m);
	watch_ports(m); /* for the last records */
	for (size_t i = 0; i < WORKER_INPUTS_MOST; i++)
		log_limit_finish(&fares[i].said);
	return status;
}
