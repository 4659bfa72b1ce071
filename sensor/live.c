/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/live.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/ring.h"

enum {
	WAIT_MS = 10,          /* a block of the ring is handed over at latest after this */
	RING_MOST = INT32_MAX, /* libpcap counts it in an int */
	PROBE_BUFFER = 1 << 20,
};

struct live {
	struct ring *ring; /* Ethernet; else NULL */
	pcap_t *pcap;      /* what is not */
	char interface[IF_NAMESIZE];
	uint16_t link_type;
	bool alone;
	bool down;
	bool nanoseconds;      /* libpcap's stamps */
	uint32_t kernel_drops; /* libpcap's, as of the last look; they wrap */
	live_take *take;
	void *context;
};

/* Without a socket, which the sandbox would refuse. */
static bool is_there(const char *interface)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s", interface);
	return access(path, F_OK) == 0;
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

static bool wants_hardware(pcap_t *pcap, const struct live_options *o, char why[256])
{
	int *types, n = pcap_list_tstamp_types(pcap, &types);

	if (n > 0) {
		for (int i = 0; i < n; i++)
			if (types[i] == PCAP_TSTAMP_ADAPTER) {
				pcap_free_tstamp_types(types);
				return pcap_set_tstamp_type(pcap, PCAP_TSTAMP_ADAPTER) == 0;
			}
		pcap_free_tstamp_types(types);
	}
	snprintf(why, 256,
		 "%s: this device puts no time stamps on frames; write capture.timestamps: kernel "
		 "(`ethtool -T` lists what it can)",
		 o->interface);
	return false;
}

static bool set_up(struct live *l, const struct live_options *o, uint64_t buffer, char why[256])
{
	pcap_set_snaplen(l->pcap, (int)o->snaplen);
	pcap_set_promisc(l->pcap, o->promiscuous);
	pcap_set_timeout(l->pcap, WAIT_MS);
	pcap_set_buffer_size(l->pcap, (int)buffer);
	l->nanoseconds = pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
	return !o->hardware_stamps || wants_hardware(l->pcap, o, why);
}

static bool activate(struct live *l, const struct live_options *o, uint64_t buffer, char why[256])
{
	char error[PCAP_ERRBUF_SIZE] = "";

	l->pcap = pcap_create(o->interface, error);
	if (!l->pcap) {
		snprintf(why, 256, "%s: %.200s", o->interface, error);
		return false;
	}
	if (!set_up(l, o, buffer, why))
		return false;
	int status = pcap_activate(l->pcap);
	if (status < 0) {
		const char *known = remedy(status);
		snprintf(why, 256, "%s: %.200s", o->interface,
			 known ? known : pcap_geterr(l->pcap));
		return false;
	}
	l->link_type = (uint16_t)pcap_datalink(l->pcap);
	return true;
}

/* Compiled even when there is none: the program then only cuts frames. */
static bool compile(struct live *l, const char *filter, struct bpf_program *program, char why[256])
{
	if (!pcap_compile(l->pcap, program, filter ? filter : "", 1, PCAP_NETMASK_UNKNOWN))
		return true;
	snprintf(why, 256, "capture filter: %.160s; see pcap-filter(7)", pcap_geterr(l->pcap));
	return false;
}

static bool open_ring(struct live *l, const struct live_options *o,
		      const struct bpf_program *program, char why[256])
{
	/* libpcap's instructions are the kernel's: both are BSD's. */
	struct ring_options r = {
		.interface = o->interface,
		.bytes = o->ring_bytes,
		.promiscuous = o->promiscuous,
		.hardware_stamps = o->hardware_stamps,
		.link_type = l->link_type,
		.filter = program->bf_insns,
		.filter_length = program->bf_len,
		.shares = o->shares,
		.together = o->together ? o->together->ring : NULL,
	};

	l->ring = ring_open(&r, why);
	return l->ring;
}

/* With the ring's real size, which a look at the interface needs not. */
static bool open_pcap(struct live *l, const struct live_options *o, char why[256])
{
	char error[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program program;

	if (o->shares > 1 || o->ring_bytes > RING_MOST) {
		snprintf(
			why, 256,
			o->shares > 1
				? "%s: only Ethernet can be divided; write capture.workers: 1"
				: "%s: a ring of 2 GiB and more needs Ethernet; lower capture.ring",
			o->interface);
		return false;
	}
	pcap_close(l->pcap);
	if (!activate(l, o, o->ring_bytes, why) || !compile(l, o->filter, &program, why))
		return false;
	int failed = pcap_setfilter(l->pcap, &program) || pcap_setnonblock(l->pcap, 1, error);
	pcap_freecode(&program);
	if (failed)
		snprintf(why, 256, "%s: %.100s%.100s", o->interface, pcap_geterr(l->pcap), error);
	return !failed;
}

static bool start(struct live *l, const struct live_options *o, char why[256])
{
	struct bpf_program program;

	if (!activate(l, o, PROBE_BUFFER, why) || !compile(l, o->filter, &program, why))
		return false;
	bool done =
		l->link_type == DLT_EN10MB ? open_ring(l, o, &program, why) : open_pcap(l, o, why);
	pcap_freecode(&program);
	if (l->ring) {
		pcap_close(l->pcap);
		l->pcap = NULL;
	}
	return done;
}

struct live *live_open(const struct live_options *o, char why[256])
{
	struct live *l = calloc(1, sizeof(*l));

	if (!l || strlen(o->interface) >= sizeof(l->interface)) {
		snprintf(why, 256, "%.60s: this is no name of an interface; `ip link` lists them",
			 o->interface);
		free(l);
		return NULL;
	}
	strcpy(l->interface, o->interface);
	l->alone = o->shares < 2;
	if (!start(l, o, why)) {
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
	ring_close(l->ring);
	free(l);
}

int live_descriptor(const struct live *l)
{
	return l->ring ? ring_descriptor(l->ring) : pcap_get_selectable_fd(l->pcap);
}

const char *live_interface(const struct live *l)
{
	return l->interface;
}

bool live_lends(const struct live *l)
{
	return l->ring;
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
	};

	l->take(l->context, &frame);
}

int live_read(struct live *l, int most, live_take *take, void *context)
{
	if (l->ring)
		return ring_walk(l->ring, take, context);
	l->take = take;
	l->context = context;
	int n = pcap_dispatch(l->pcap, most, hand_over, (u_char *)l);
	l->down = n < 0; /* told by live_look() */
	return n < 0 ? 0 : n;
}

void live_release(struct live *l)
{
	if (l->ring)
		ring_release(l->ring);
}

bool live_can_rejoin(const struct live *l)
{
	return l->ring && l->alone;
}

static enum live_state look_by_name(const struct live *l)
{
	if (!is_there(l->interface))
		return LIVE_GONE;
	return l->down ? LIVE_DOWN : LIVE_UP;
}

enum live_state live_look(struct live *l)
{
	int error;

	if (!l->ring)
		return look_by_name(l);
	error = ring_state(l->ring, l->interface);
	if (error == -ENODEV && ring_rejoin(l->ring, l->interface) == 0)
		error = ring_state(l->ring, l->interface);
	if (error == -ENODEV)
		return LIVE_GONE;
	return error ? LIVE_DOWN : LIVE_UP;
}

unsigned live_fill(const struct live *l)
{
	return l->ring ? ring_fill(l->ring) : 0;
}

static uint64_t pcap_drops(struct live *l)
{
	struct pcap_stat stat;
	uint32_t more;

	if (pcap_stats(l->pcap, &stat))
		return 0;
	more = stat.ps_drop - l->kernel_drops;
	l->kernel_drops = stat.ps_drop;
	return more;
}

uint64_t live_drops(struct live *l)
{
	return l->ring ? ring_drops(l->ring) : pcap_drops(l);
}

uint16_t live_link_type(const struct live *l)
{
	return l->link_type;
}

const char *live_library(void)
{
	return pcap_lib_version();
}
