/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	WAIT_MS = 10,          /* a block of the ring is handed over at latest after this */
	RING_MOST = INT32_MAX, /* libpcap counts it in an int */
};

struct live {
	pcap_t *pcap;
	char interface[IF_NAMESIZE];
	uint16_t link_type, number;
	uint32_t kernel_drops; /* as of the last look; libpcap's counters wrap */
	int there;             /* its number in sysfs, or -1; fails once it has gone */
	uint32_t expected;     /* length of a frame at most; 0: any */
	struct live_figures figures;
	bool nanoseconds;
	char problem[256];
	live_take *take;
	void *context;
};

/* Without a socket, which the sandbox would refuse; the file outlives a new name.
 * Where it is not to be had, a socket that fails is taken for an interface that is down. */
static bool is_there(const struct live *l)
{
	char text[16];
	return pread(l->there, text, sizeof(text), 0) >= 0 || errno != ENODEV;
}

static const char *remedy(int status)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return "there is no such interface; `ip link` lists them";
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return "no permission to capture; run as root, or give the program CAP_NET_RAW";
	case PCAP_ERROR_IFACE_NOT_UP:
		return "the interface is down; `ip link set up dev` it";
	default:
		return NULL;
	}
}

static bool set_up(struct live *l, const struct live_options *o, char why[256])
{
	if (o->ring_bytes > RING_MOST) {
		snprintf(why, 256, "a ring of %" PRIu64 " bytes is too large; give less than 2 GiB",
			 o->ring_bytes);
		return false;
	}
	pcap_set_snaplen(l->pcap, (int)o->snaplen);
	pcap_set_promisc(l->pcap, o->promiscuous);
	pcap_set_timeout(l->pcap, WAIT_MS);
	pcap_set_buffer_size(l->pcap, (int)o->ring_bytes);
	l->nanoseconds = pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
	return true;
}

static bool set_filter(struct live *l, const char *filter, char why[256])
{
	struct bpf_program program;

	if (!filter)
		return true;
	if (pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(why, 256, "capture filter: %.160s; see pcap-filter(7)",
			 pcap_geterr(l->pcap));
		return false;
	}
	int error = pcap_setfilter(l->pcap, &program);
	pcap_freecode(&program);
	if (error)
		snprintf(why, 256, "capture filter: %.160s", pcap_geterr(l->pcap));
	return !error;
}

static bool start(struct live *l, const struct live_options *o, char why[256])
{
	char error[PCAP_ERRBUF_SIZE] = "";
	int status = pcap_activate(l->pcap);

	if (status < 0) {
		const char *known = remedy(status);
		snprintf(why, 256, "%s: %.200s", o->interface,
			 known ? known : pcap_geterr(l->pcap));
		return false;
	}
	if (pcap_setnonblock(l->pcap, 1, error)) {
		snprintf(why, 256, "%s: %.200s", o->interface, error);
		return false;
	}
	l->link_type = (uint16_t)pcap_datalink(l->pcap);
	return set_filter(l, o->filter, why);
}

struct live *live_open(const struct live_options *o, char why[256])
{
	char error[PCAP_ERRBUF_SIZE] = "", path[64];
	struct live *l = calloc(1, sizeof(*l));

	if (!l || strlen(o->interface) >= sizeof(l->interface)) {
		snprintf(why, 256, "%.60s: this is no name of an interface; `ip link` lists them",
			 o->interface);
		free(l);
		return NULL;
	}
	strcpy(l->interface, o->interface);
	l->number = o->number;
	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", l->interface);
	l->there = open(path, O_RDONLY | O_CLOEXEC);
	l->pcap = pcap_create(o->interface, error);
	if (!l->pcap)
		snprintf(why, 256, "%s: %.200s", o->interface, error);
	if (!l->pcap || !set_up(l, o, why) || !start(l, o, why)) {
		live_close(l);
		return NULL;
	}
	return l;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	if (l->pcap)
		pcap_close(l->pcap);
	if (l->there >= 0)
		close(l->there);
	free(l);
}

int live_descriptor(const struct live *l)
{
	return pcap_get_selectable_fd(l->pcap);
}

const char *live_interface(const struct live *l)
{
	return l->interface;
}

uint16_t live_link_type(const struct live *l)
{
	return l->link_type;
}

static void hand_over(u_char *user, const struct pcap_pkthdr *head, const u_char *bytes)
{
	struct live *l = (void *)user;
	int64_t fraction = head->ts.tv_usec;
	struct frame frame = {
		.bytes = bytes,
		.captured = head->caplen,
		.wire = head->len > head->caplen ? head->len : head->caplen,
		.time = { (int64_t)head->ts.tv_sec * USEC_PER_SECOND +
			  (l->nanoseconds ? fraction / 1000 : fraction) },
		.link_type = l->link_type,
		.interface = l->number,
	};

	l->figures.frames++;
	if (l->expected && frame.wire > l->expected) {
		frame.oversized = true;
		l->figures.oversized++;
		if (frame.wire > l->figures.longest)
			l->figures.longest = frame.wire;
	}
	l->take(l->context, &frame);
}

int live_read(struct live *l, int most, live_take *take, void *context)
{
	l->take = take;
	l->context = context;
	int n = pcap_dispatch(l->pcap, most, hand_over, (u_char *)l);
	if (n >= 0)
		return n;
	snprintf(l->problem, sizeof(l->problem), "%.200s", pcap_geterr(l->pcap));
	return is_there(l) ? -ENETDOWN : -ENODEV;
}

const char *live_problem(const struct live *l)
{
	return l->problem;
}

struct live_figures live_figures(struct live *l)
{
	struct pcap_stat stat;

	if (pcap_stats(l->pcap, &stat) == 0) {
		l->figures.ring_drops += (uint32_t)(stat.ps_drop - l->kernel_drops);
		l->kernel_drops = stat.ps_drop;
	}
	return l->figures;
}

void live_expect(struct live *l, uint32_t longest)
{
	l->expected = longest;
}

const char *live_library(void)
{
	return pcap_lib_version();
}
