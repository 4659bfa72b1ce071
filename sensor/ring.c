/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/ring.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/steer.h"

enum {
	/* The kernel begins a new block after each RETIRE_MS, however little is in the one
	 * before; so many small ones ride out a longer pause of ours. An offloaded frame
	 * of 64 KiB has room. */
	BLOCK = 1 << 18,
	BLOCKS_LEAST = 4,
	RETIRE_MS = 20,
	TAG_BYTES = 4,
	MACS_BYTES = 12,
};

struct ring {
	int fd;
	int index; /* of the interface */
	uint8_t *memory;
	size_t size;
	uint32_t block_size, block_count;
	uint32_t at;  /* the block to walk next */
	bool held;    /* the one before it is ours still */
	bool grouped; /* in a fanout group */
	bool promiscuous;
	bool loopback; /* shows what it sends twice: as sent, and as received */
	uint16_t link_type;
	uint16_t group;
};

static struct tpacket_block_desc *block_at(const struct ring *r, uint32_t i)
{
	return (void *)(r->memory + (size_t)i * r->block_size);
}

static bool is_ready(const struct ring *r, uint32_t i)
{
	const uint32_t *status = &block_at(r, i)->hdr.bh1.block_status;

	return __atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

static bool option(const struct ring *r, int name, const void *value, socklen_t size)
{
	return setsockopt(r->fd, SOL_PACKET, name, value, size) == 0;
}

static bool fail(const char *interface, const char *what, char why[256])
{
	if (errno == EPERM || errno == EACCES)
		snprintf(why, 256,
			 "%s: no permission to capture; run as root, or give the program "
			 "CAP_NET_RAW",
			 interface);
	else
		snprintf(why, 256, "%s: %s: %s", interface, what, strerror(errno));
	return false;
}

static bool set_filter(const struct ring *r, const struct ring_options *o)
{
	struct sock_fprog program = {
		.len = (unsigned short)o->filter_length,
		.filter = (struct sock_filter *)(uintptr_t)o->filter,
	};

	return !o->filter_length ||
	       setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

static bool set_up(const struct ring *r, const struct ring_options *o, char why[256])
{
	int version = TPACKET_V3, reserve = TAG_BYTES, stamps = SOF_TIMESTAMPING_RAW_HARDWARE;

	if (!option(r, PACKET_VERSION, &version, sizeof(version)) ||
	    !option(r, PACKET_RESERVE, &reserve, sizeof(reserve)))
		return fail(o->interface, "this kernel has no TPACKET_V3", why);
	if (o->hardware_stamps && !option(r, PACKET_TIMESTAMP, &stamps, sizeof(stamps)))
		return fail(o->interface, "hardware time stamps", why);
	if (!set_filter(r, o))
		return fail(o->interface, "capture filter", why);
	return true;
}

/* Memory is taken whole, or not at all: no smaller ring behind the user's back. */
static bool map(struct ring *r, const struct ring_options *o, char why[256])
{
	struct tpacket_req3 q = {
		.tp_block_size = BLOCK,
		.tp_frame_size = TPACKET_ALIGNMENT << 7,
		.tp_retire_blk_tov = RETIRE_MS,
	};
	uint64_t blocks = (o->bytes + q.tp_block_size - 1) / q.tp_block_size;

	if (blocks < BLOCKS_LEAST)
		blocks = BLOCKS_LEAST;
	q.tp_block_nr = (unsigned)blocks;
	q.tp_frame_nr = q.tp_block_nr * (q.tp_block_size / q.tp_frame_size);
	r->block_size = q.tp_block_size;
	r->block_count = q.tp_block_nr;
	r->size = (size_t)blocks * q.tp_block_size;
	void *memory = MAP_FAILED;
	if (option(r, PACKET_RX_RING, &q, sizeof(q)))
		memory = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (memory == MAP_FAILED) {
		snprintf(why, 256, "%s: no memory for a ring of %zu MiB (%s); lower capture.ring",
			 o->interface, r->size >> 20, strerror(errno));
		return false;
	}
	r->memory = memory;
	return true;
}

static int listen_to(const struct ring *r)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET,
				     .sll_protocol = __builtin_bswap16(ETH_P_ALL),
				     .sll_ifindex = r->index };
	struct packet_mreq all = { .mr_ifindex = r->index, .mr_type = PACKET_MR_PROMISC };

	if (bind(r->fd, (struct sockaddr *)&where, sizeof(where)))
		return -errno;
	if (r->promiscuous && !option(r, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)))
		return -errno;
	return 0;
}

/* The first of a group lets the kernel find a free number; the order of joining
 * is the number that the steering program answers with. */
static bool join(struct ring *r, const struct ring_options *o, char why[256])
{
	struct sock_filter code[STEER_LENGTH];
	struct sock_fprog program = { .len = steer_program(code), .filter = code };
	uint32_t type = PACKET_FANOUT_CBPF, value;

	if (o->shares < 2)
		return true;
	if (!o->together)
		type |= PACKET_FANOUT_FLAG_UNIQUEID;
	value = (o->together ? o->together->group : 0u) | type << 16;
	if (!option(r, PACKET_FANOUT, &value, sizeof(value)))
		return fail(o->interface, "workers cannot share it (PACKET_FANOUT)", why);
	socklen_t size = sizeof(value);
	if (getsockopt(r->fd, SOL_PACKET, PACKET_FANOUT, &value, &size))
		return fail(o->interface, "PACKET_FANOUT", why);
	r->group = (uint16_t)value;
	r->grouped = true;
	if (!o->together && !option(r, PACKET_FANOUT_DATA, &program, sizeof(program)))
		return fail(o->interface, "the program that divides frames", why);
	return true;
}

static bool find_device(struct ring *r, const char *interface)
{
	struct ifreq q = { 0 };

	strncpy(q.ifr_name, interface, sizeof(q.ifr_name) - 1);
	if (ioctl(r->fd, SIOCGIFINDEX, &q))
		return false;
	r->index = q.ifr_ifindex;
	r->loopback = ioctl(r->fd, SIOCGIFFLAGS, &q) == 0 && (q.ifr_flags & IFF_LOOPBACK);
	return true;
}

static bool start(struct ring *r, const struct ring_options *o, char why[256])
{
	r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0 || !find_device(r, o->interface))
		return fail(o->interface, "capture", why);
	if (!set_up(r, o, why) || !map(r, o, why))
		return false;
	int error = listen_to(r);
	if (error) {
		errno = -error;
		return fail(o->interface, "capture", why);
	}
	return join(r, o, why);
}

struct ring *ring_open(const struct ring_options *o, char why[256])
{
	struct ring *r = calloc(1, sizeof(*r));

	if (!r) {
		snprintf(why, 256, "not enough memory");
		return NULL;
	}
	r->fd = -1;
	r->link_type = o->link_type;
	r->promiscuous = o->promiscuous;
	if (!start(r, o, why)) {
		ring_close(r);
		return NULL;
	}
	return r;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	if (r->memory)
		munmap(r->memory, r->size);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

int ring_descriptor(const struct ring *r)
{
	return r->fd;
}

void ring_release(struct ring *r)
{
	if (!r->held)
		return;
	uint32_t last = (r->at ? r->at : r->block_count) - 1;
	__atomic_store_n(&block_at(r, last)->hdr.bh1.block_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	r->held = false;
}

/* The kernel takes the outer tag out of the frame; a file would have it, and so
 * shall everybody behind us. There is room for it in front (PACKET_RESERVE). */
static void put_tag_back(const struct tpacket3_hdr *h, struct frame *f, uint8_t *bytes)
{
	uint16_t type =
		h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid : ETH_P_8021Q;
	uint16_t tag = (uint16_t)h->hv1.tp_vlan_tci;

	bytes -= TAG_BYTES;
	memmove(bytes, bytes + TAG_BYTES, MACS_BYTES);
	bytes[MACS_BYTES] = (uint8_t)(type >> 8);
	bytes[MACS_BYTES + 1] = (uint8_t)type;
	bytes[MACS_BYTES + 2] = (uint8_t)(tag >> 8);
	bytes[MACS_BYTES + 3] = (uint8_t)tag;
	f->bytes = bytes;
	f->captured += TAG_BYTES;
	f->wire += TAG_BYTES;
}

static bool is_shown_twice(const struct ring *r, const struct tpacket3_hdr *h)
{
	const struct sockaddr_ll *from =
		(const void *)((const uint8_t *)h + TPACKET_ALIGN(sizeof(*h)));

	return r->loopback && from->sll_pkttype == PACKET_OUTGOING;
}

static void show(const struct ring *r, struct tpacket3_hdr *h, ring_take *take, void *context)
{
	uint8_t *bytes = (uint8_t *)h + h->tp_mac;
	struct frame f = {
		.bytes = bytes,
		.captured = h->tp_snaplen,
		.wire = h->tp_len > h->tp_snaplen ? h->tp_len : h->tp_snaplen,
		.time = { (int64_t)h->tp_sec * USEC_PER_SECOND + h->tp_nsec / 1000 },
		.link_type = r->link_type,
	};

	if ((h->tp_status & TP_STATUS_VLAN_VALID) && f.captured >= MACS_BYTES)
		put_tag_back(h, &f, bytes);
	take(context, &f);
}

int ring_walk(struct ring *r, ring_take *take, void *context)
{
	ring_release(r);
	if (!is_ready(r, r->at))
		return 0;
	struct tpacket_hdr_v1 *block = &block_at(r, r->at)->hdr.bh1;
	struct tpacket3_hdr *h =
		(void *)((uint8_t *)block_at(r, r->at) + block->offset_to_first_pkt);
	int shown = 0;

	for (uint32_t i = 0; i < block->num_pkts; i++) {
		struct tpacket3_hdr *next = (void *)((uint8_t *)h + h->tp_next_offset);
		if (i + 1 < block->num_pkts)
			__builtin_prefetch((uint8_t *)next + 64);
		if (!is_shown_twice(r, h)) {
			show(r, h, take, context);
			shown++;
		}
		h = next;
	}
	r->at = r->at + 1 == r->block_count ? 0 : r->at + 1;
	r->held = true;
	return shown;
}

/* Full blocks follow one another, from the one that we walk next: by halves. */
unsigned ring_fill(const struct ring *r)
{
	uint32_t low = 0, high = r->block_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (is_ready(r, (r->at + middle) % r->block_count))
			low = middle + 1;
		else
			high = middle;
	}
	return low ? (low - 1) * 100 / r->block_count : 0;
}

uint64_t ring_drops(struct ring *r)
{
	struct tpacket_stats_v3 s = { 0 };
	socklen_t size = sizeof(s);

	/* Reading sets them to 0. */
	return getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &s, &size) ? 0 : s.tp_drops;
}

int ring_state(struct ring *r, char name[IF_NAMESIZE])
{
	struct ifreq q = { .ifr_ifindex = r->index };
	int error;
	socklen_t size = sizeof(error);

	getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (ioctl(r->fd, SIOCGIFNAME, &q))
		return -ENODEV;
	memcpy(name, q.ifr_name, IF_NAMESIZE);
	name[IF_NAMESIZE - 1] = 0;
	if (ioctl(r->fd, SIOCGIFFLAGS, &q))
		return -ENODEV;
	return q.ifr_flags & IFF_UP ? 0 : -ENETDOWN;
}

int ring_rejoin(struct ring *r, const char *interface)
{
	if (r->grouped)
		return -EINVAL;
	int before = r->index;
	if (!find_device(r, interface))
		return -errno;
	int error = listen_to(r);
	if (error) /* still gone, and to be tried again */
		r->index = before;
	return error;
}
