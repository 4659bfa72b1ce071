/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/ports.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sensor/device.h"

#define STEP (USEC_PER_SECOND / 2)
#define SILENT (59LL * USEC_PER_SECOND) /* looked at once a second: a whole minute */
#define MINUTE (60LL * USEC_PER_SECOND)

enum link { LINK_UP, LINK_NONE, LINK_DOWN, LINK_GONE };

/* What has been said of an interface, and need not be again. */
struct said {
	bool oversized, silent;
	enum link link;
	unsigned damaged; /* minutes until it may be again */
};

struct port {
	char interface[IF_NAMESIZE]; /* as the configuration calls it */
	struct device *device;
	struct device_facts facts; /* of the last look */
	struct port_figures figures, reported;
	struct device_losses minute;           /* lost in the minute under way */
	uint64_t ring_drops;                   /* in the minute under way */
	uint64_t device_drops, reported_drops; /* since the start */
	int64_t last_frame;                    /* monotonic; when it was last heard, or began */
	struct said said;
};

struct ports {
	pthread_mutex_t lock;
	struct counters counters, told;
	size_t count;
	struct clock_watch clock;
	int softnet;
	uint64_t softnet_drops;
	struct usec minute; /* monotonic; when the last one ended */
	uint64_t minute_frames, minute_copies;
	bool said_doubled;
	struct port list[];
};

struct usec clock_watch_step(struct clock_watch *w, struct usec monotonic, struct usec wall)
{
	int64_t offset = wall.v - monotonic.v, step = offset - w->offset;

	if (!w->known || (step < STEP && step > -STEP))
		step = 0;
	w->known = true;
	w->offset = offset;
	return (struct usec){ step };
}

bool mirror_is_doubled(uint64_t frames, uint64_t copies)
{
	enum { ENOUGH = 1000, SHARE = 45 }; /* percent: the first of each pair is no copy */
	return frames >= ENOUGH && copies * 100 >= frames * SHARE;
}

struct ports *ports_open(const char *const *interfaces, size_t count)
{
	struct ports *p = calloc(1, sizeof(*p) + count * sizeof(p->list[0]));

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	p->count = count < PORTS_MOST ? count : PORTS_MOST;
	p->softnet = device_softnet_open();
	p->softnet_drops = device_softnet_drops(p->softnet);
	p->minute = clock_monotonic();
	for (size_t i = 0; i < p->count; i++) {
		struct port *port = &p->list[i];
		port->device = device_open(interfaces[i]);
		if (!port->device) {
			ports_close(p);
			return NULL;
		}
		device_read(port->device, &port->facts);
		strcpy(port->interface, port->facts.name);
		port->last_frame = p->minute.v;
	}
	return p;
}

void ports_close(struct ports *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		device_close(p->list[i].device);
	if (p->softnet >= 0)
		close(p->softnet);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void ports_advise(const struct ports *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const char *name = p->list[i].interface;
		char on[16];
		device_offloads(name, on);
		if (*on)
			log_warn("%s: %s %s on: packets may be joined before they are captured, "
				 "and counted too low; `ethtool -K %s gro off lro off`",
				 name, on, strchr(on, ' ') ? "are" : "is", name);
	}
}

uint32_t ports_frame_most(const struct ports *p, size_t i)
{
	uint32_t most = device_frame_most(p->list[i].facts.mtu);
	return most ? most : UINT32_MAX;
}

static void say_oversized(struct port *port)
{
	if (port->said.oversized || !port->figures.oversized)
		return;
	port->said.oversized = true;
	log_warn("%s: frames of up to %" PRIu32 " bytes are longer than its MTU of %" PRIu32
		 " allows: packets are joined before they are captured, and counted too low; "
		 "`ethtool -K %s gro off lro off tso off gso off`; if the network has jumbo "
		 "frames, `ip link set %s mtu 9216`",
		 port->facts.name, port->figures.longest, port->facts.mtu, port->facts.name,
		 port->facts.name);
}

/* An interface that came back is another device, whose files are not open. */
static enum link link_of(const struct port *port)
{
	if (port->figures.gone)
		return LINK_GONE;
	if (port->figures.down || port->facts.down)
		return LINK_DOWN;
	return port->facts.told && !port->facts.gone && !port->facts.up ? LINK_NONE : LINK_UP;
}

static void say_link(struct port *port)
{
	enum link link = link_of(port);

	if (link == port->said.link)
		return;
	if (link == LINK_NONE)
		log_warn("%s: no link: look at the cable and at the switch's port",
			 port->facts.name);
	else if (link == LINK_UP && port->said.link == LINK_NONE)
		log_info("%s: the link is back", port->facts.name);
	port->said.link = link;
}

static bool is_silent(const struct port *port, int64_t now)
{
	return now - port->last_frame >= SILENT;
}

static void say_silence(struct port *port, int64_t now)
{
	bool silent = is_silent(port, now);

	if (silent && !port->said.silent && link_of(port) == LINK_UP)
		log_warn(port->figures.frames
				 ? "%s: no frame for a minute, where there had been some: is the "
				   "switch's mirror session still there? What only this interface "
				   "shows is not seen now"
				 : "%s: no frame since the start: is the switch's mirror session "
				   "set up, and does it end at this port?",
			 port->facts.name);
	else if (!silent && port->said.silent)
		log_info("%s: frames again", port->facts.name);
	port->said.silent = silent;
}

static void say_losses(struct port *port)
{
	const struct device_losses *l = &port->minute;

	if (port->ring_drops)
		log_warn("%s: %" PRIu64 " frames found no room in the ring in the last minute; "
			 "enlarge capture.ring, add capture.workers, or mirror less to this port",
			 port->facts.name, port->ring_drops);
	if (l->missed)
		log_warn("%s: the device had no room for %" PRIu64 " frames in the last minute; "
			 "`ethtool -G %s rx` a larger number (`ethtool -g %s`: what it can)",
			 port->facts.name, l->missed, port->facts.name, port->facts.name);
	if (l->damaged && !port->said.damaged) {
		port->said.damaged = 60;
		log_warn("%s: %" PRIu64 " frames came damaged in the last minute: look at the "
			 "cable and the optics; of wrong length: at the MTU",
			 port->facts.name, l->damaged);
	} else if (port->said.damaged) {
		port->said.damaged--;
	}
	port->minute = (struct device_losses){ 0 };
	port->ring_drops = 0;
}

static uint64_t rise(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static void look(struct port *port, const struct port_figures *figures, struct counters *c,
		 int64_t now)
{
	struct device_facts facts;

	device_read(port->device, &facts);
	struct device_losses lost = device_losses_between(&port->facts, &facts);
	if (facts.gone)
		memcpy(facts.name, port->facts.name, sizeof(facts.name));
	port->facts = facts;
	uint64_t ring = rise(figures->ring_drops, port->figures.ring_drops);
	c->drops_interface += lost.missed;
	c->frames_damaged += lost.damaged;
	port->device_drops += lost.missed;
	port->minute.missed += lost.missed;
	port->minute.damaged += lost.damaged;
	port->ring_drops += ring;
	if (figures->frames != port->figures.frames)
		port->last_frame = now;
	port->figures = *figures;
	c->unclaimed += lost.unclaimed;
}

static void watch_clock(struct ports *p, struct counters *c, struct usec monotonic,
			struct usec wall)
{
	struct usec step = clock_watch_step(&p->clock, monotonic, wall);

	if (!step.v)
		return;
	c->clock_steps++;
	log_warn("this machine's clock was set %s by %.1f s: times of records around it are in "
		 "doubt; let NTP or PTP slew it",
		 step.v > 0 ? "forward" : "back",
		 (double)(step.v > 0 ? step.v : -step.v) / USEC_PER_SECOND);
}

static void say_doubled(struct ports *p, const struct counters *c)
{
	uint64_t frames = rise(c->packets, p->minute_frames);
	uint64_t copies = rise(c->copies_mirror, p->minute_copies);

	p->minute_frames = c->packets;
	p->minute_copies = c->copies_mirror;
	if (p->said_doubled || !mirror_is_doubled(frames, copies))
		return;
	p->said_doubled = true;
	log_warn("%" PRIu64 " of %" PRIu64 " frames of the last minute were copies of others: the "
		 "mirror shows frames twice; mirror ports or the VLAN in one direction each. They "
		 "count once, but take half of what this sensor can read",
		 copies, frames);
}

static void look_at_all(struct ports *p, const struct port_figures *figures,
			const struct counters *workers, struct usec monotonic, struct usec wall)
{
	struct counters *c = &p->counters;
	uint64_t softnet = device_softnet_drops(p->softnet);

	for (size_t i = 0; i < p->count; i++) {
		struct port *port = &p->list[i];
		look(port, &figures[i], c, monotonic.v);
		say_link(port);
		say_oversized(port);
		say_silence(port, monotonic.v);
	}
	c->drops_softnet += rise(softnet, p->softnet_drops);
	p->softnet_drops = softnet;
	watch_clock(p, c, monotonic, wall);
	if (monotonic.v - p->minute.v < MINUTE)
		return;
	p->minute = monotonic;
	for (size_t i = 0; i < p->count; i++)
		say_losses(&p->list[i]);
	say_doubled(p, workers);
}

void ports_second(struct ports *p, const struct port_figures *figures,
		  const struct counters *workers, struct usec monotonic, struct usec wall)
{
	pthread_mutex_lock(&p->lock);
	look_at_all(p, figures, workers, monotonic, wall);
	pthread_mutex_unlock(&p->lock);
}

struct counters ports_counters(struct ports *p)
{
	pthread_mutex_lock(&p->lock);
	struct counters c = p->counters;
	pthread_mutex_unlock(&p->lock);
	return c;
}

uint64_t ports_drops(struct ports *p, size_t i)
{
	pthread_mutex_lock(&p->lock);
	uint64_t drops = p->list[i].device_drops;
	pthread_mutex_unlock(&p->lock);
	return drops;
}

static bool is_dead(const struct port *port)
{
	return link_of(port) != LINK_UP || (port->said.silent && port->figures.frames);
}

static const char *state_of(const struct port *port)
{
	static const char *const names[] = { "up", "no-link", "down", "gone" };
	enum link link = link_of(port);

	return link == LINK_UP && port->said.silent ? "silent" : names[link];
}

static struct record_interface tell(struct port *port)
{
	const struct port_figures *now = &port->figures, *then = &port->reported;
	uint64_t drops = now->ring_drops + port->device_drops;
	struct record_interface told = {
		.name = port->interface,
		.state = state_of(port),
		.frames = rise(now->frames, then->frames),
		.drops = rise(drops, port->reported_drops),
		.oversized = rise(now->oversized, then->oversized),
	};

	port->reported = port->figures;
	port->reported_drops = drops;
	return told;
}

void ports_tell(struct ports *p, struct ports_told *out)
{
	*out = (struct ports_told){ 0 };
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->count; i++) {
		out->dead |= is_dead(&p->list[i]) ? 1U << i : 0;
		out->interfaces[out->count++] = tell(&p->list[i]);
	}
	counters_add_since(&out->counters, &p->counters, &p->told);
	p->told = p->counters;
	pthread_mutex_unlock(&p->lock);
}
