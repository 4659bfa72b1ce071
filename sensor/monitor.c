/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/monitor.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "base/log.h"

enum { WAIT_MS = 250 };

/* How an interface fares, for saying so once. */
struct fare {
	char name[IF_NAMESIZE];
	enum live_state state;
	uint64_t drops; /* as last said */
};

static void say_state(const struct monitor *m, struct fare *f, const struct worker_input *now)
{
	if (*f->name && strcmp(f->name, now->interface) != 0)
		log_warn("%s: the interface is now called %s; capture goes on", f->name,
			 now->interface);
	if (now->state != f->state && now->state == LIVE_GONE)
		log_error("%s: the interface has gone; %s", now->interface,
			  m->can_rejoin ? "capture goes on when it is back"
					: "start the sensor again when it is back");
	else if (now->state != f->state && now->state == LIVE_DOWN)
		log_warn("%s: the interface is down; capture goes on when it is up",
			 now->interface);
	else if (now->state != f->state)
		log_info("%s: the interface is up again", now->interface);
	memcpy(f->name, now->interface, sizeof(f->name));
	f->state = now->state;
}

/* Once a second; true when every interface has gone for good. */
static bool look_at_interfaces(struct monitor *m, struct fare *fares)
{
	struct worker_view view = crew_view(m->crew, 0);
	size_t gone = 0;

	for (size_t i = 0; i < m->interfaces; i++) {
		if (*view.inputs[i].interface)
			say_state(m, &fares[i], &view.inputs[i]);
		gone += fares[i].state == LIVE_GONE;
	}
	return gone == m->interfaces && !m->can_rejoin;
}

static void say_losses(const struct monitor *m, struct fare *fares)
{
	for (size_t i = 0; i < m->interfaces; i++) {
		uint64_t drops = 0;
		for (unsigned k = 0; k < crew_size(m->crew); k++) {
			struct worker_view view = crew_view(m->crew, k);
			drops += view.inputs[i].drops_kernel + view.inputs[i].drops_interface;
		}
		if (drops > fares[i].drops)
			log_warn("%s: %" PRIu64 " frames were lost in the last minute; enlarge "
				 "capture.ring, add capture.workers, or mirror less to this port",
				 fares[i].name, drops - fares[i].drops);
		fares[i].drops = drops;
	}
}

int monitor_run(struct monitor *m)
{
	struct fare fares[WORKER_INPUTS_MOST] = { 0 };
	int64_t last = clock_monotonic().v / USEC_PER_SECOND;

	while (!*m->stop) {
		poll(NULL, 0, WAIT_MS);
		if (crew_is_alive(m->crew))
			notify_alive(m->notify, clock_monotonic());
		if (*m->reload && m->on_reload)
			m->on_reload(m->context);
		int64_t second = clock_monotonic().v / USEC_PER_SECOND;
		if (second == last)
			continue;
		last = second;
		if (look_at_interfaces(m, fares) || crew_has_failed(m->crew))
			return 1;
		if (second % 60 == 0)
			say_losses(m, fares);
	}
	return 0;
}
