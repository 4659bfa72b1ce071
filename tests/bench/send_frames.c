/* SPDX-License-Identifier: Apache-2.0
 *
 * send_frames -i INTERFACE [OPTION...] CAPTURE... | syn | udp | syn+udp
 *
 * Offers frames to whoever captures on an interface, as fast as it goes or at a
 * rate, and prints as JSON how many in what time. From captures (their Ethernet
 * frames one after the other, over and over), or a flood of 60-byte frames each of
 * which is a flow of its own.
 *
 *   -w inject  the frames come in at INTERFACE itself, from nowhere (default; its
 *              own counters do not see them, those of tc do)
 *   -w send    INTERFACE sends them (the other end of a veth); slower
 *   -r RATE    frames a second (default: as many as possible)
 *   -t SECONDS, -n FRAMES  when to stop (default: 10 seconds); at SIGTERM, too
 *   -m FRAMES  so many damaged copies of the captures' frames in their place: bytes
 *              changed, cut, doubled; the same for the same -s SEED
 *   -a A.B     network (/16) that the flood comes from (default: 198.18)
 *   -b A.B.C.D where it goes (default: 198.19.0.1)
 *   -l BYTES   room for frames (default: 400 MiB); frames that find none are left out
 *   -c CPU     runs there only
 *
 * Only for networks of one's own making: nobody on a real one wants this. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "sensor/capture.h"
#include "tests/bench/inject.h"

enum {
	LINK_ETHERNET = 1,
	CHUNK = 64, /* frames that a socket is given at once */
	PAUSE_US = 1000,
	MOST_SECONDS = 3600,
	MUTATIONS_MOST = 8,
};

struct options {
	const char *interface, *from, *to;
	bool send;
	double rate, seconds;
	uint64_t frames, mutated, room, seed;
	int cpu;
};

struct sender {
	struct inject *inject;
	int socket;
	const struct frames *frames; /* what the socket sends; NULL: floods */
	struct flood floods[2];
	size_t flood_count;
	uint64_t next, flow, bytes;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void die(const char *what, const char *why)
{
	log_error("%s: %s", what, why);
	exit(2);
}

static uint64_t random_of(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* --- what to send --- */

static bool lay(struct frames *f, const uint8_t *bytes, uint32_t length)
{
	if (f->end + 2 * (uint64_t)LAID_MOST > f->room)
		return false;
	memcpy(f->area + f->end, &length, 4);
	memcpy(f->area + f->end + 4, bytes, length);
	f->end += laid_size(length);
	f->count++;
	return true;
}

static void lay_capture(struct frames *f, const char *path)
{
	char why[256];
	struct frame frame;
	struct capture *c = capture_open(path, why);

	if (!c)
		die("cannot send", why);
	while (capture_next(c, &frame) == 1)
		if (frame.link_type == LINK_ETHERNET && frame.captured >= FRAME_LEAST &&
		    frame.captured <= FRAME_MOST && !lay(f, frame.bytes, frame.captured))
			break;
	capture_close(c);
}

static uint8_t *make_area(uint64_t room)
{
	uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("frames", strerror(errno));
	return p;
}

/* Some bytes that are elsewhere in the frame, once more at `to`. */
static void repeat(uint8_t *bytes, uint32_t n, uint32_t to, uint32_t from)
{
	uint32_t room = n - (to > from ? to : from);

	memmove(bytes + to, bytes + from, room < 32 ? room : 32);
}

/* Damages `n` bytes in place; how many they are afterwards. */
static uint32_t damage(uint8_t *bytes, uint32_t n, uint64_t *state)
{
	uint64_t times = 1 + random_of(state) % MUTATIONS_MOST;

	for (uint64_t i = 0; i < times; i++) {
		uint64_t r = random_of(state);
		/* Mostly in the headers, where it matters. */
		uint32_t at = (uint32_t)(r >> 8) % (r & 64 && n > 96 ? 96 : n);
		if ((r & 7) < 4)
			bytes[at] ^= (uint8_t)(1u << (r >> 40 & 7));
		else if ((r & 7) < 6)
			bytes[at] = (uint8_t)(r >> 40);
		else if ((r & 7) == 6)
			n = at > FRAME_LEAST ? at : n;
		else
			repeat(bytes, n, at, (uint32_t)(r >> 40) % n);
	}
	return n;
}

static struct frames mutate(const struct frames *from, const struct options *o)
{
	struct frames f = { make_area(o->room), 0, o->room, 0 };
	uint64_t state = o->seed, at = 0;
	uint8_t bytes[FRAME_MOST];
	uint32_t length;

	for (uint64_t i = 0; i < o->mutated; i++) {
		memcpy(&length, from->area + at, 4);
		memcpy(bytes, from->area + at + 4, length);
		at += laid_size(length);
		at = at < from->end ? at : 0;
		if (!lay(&f, bytes, damage(bytes, length, &state)))
			break;
	}
	return f;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned sum(const uint8_t *p, size_t n, unsigned s)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += (unsigned)(p[i] << 8 | p[i + 1]);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

/* The frame of flow 0: its words are 0, their complements 0xffff. */
static struct flood make_flood(const struct options *o, bool udp)
{
	struct flood f = { .udp = udp };
	uint8_t *ip = f.template + 14, *l4 = ip + 20;
	unsigned size = udp ? 26 : 20;

	memcpy(f.template, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0", 14);
	ip[0] = 0x45;
	put16(ip + 2, 20 + size);
	put16(ip + 4, 0xffff);
	ip[8] = 64;
	ip[9] = udp ? 17 : 6;
	char from[32];
	snprintf(from, sizeof(from), "%s.0.0", o->from);
	if (inet_pton(AF_INET, from, ip + 12) != 1 || inet_pton(AF_INET, o->to, ip + 16) != 1)
		die("-a, -b", "no address; give -a A.B and -b A.B.C.D");
	put16(ip + 10, ~sum(ip, 20, 0) & 0xffff);
	if (udp) {
		put16(l4 + 4, size);
		memset(l4 + 8, 0xff, 6);
	} else {
		put16(l4 + 2, 443);
		memset(l4 + 4, 0xff, 4);
		l4[12] = 0x50;
		l4[13] = 0x02;
		put16(l4 + 14, 64240);
	}
	unsigned s = ~sum(l4, size, sum(ip + 12, 8, ip[9] + size)) & 0xffff;
	put16(l4 + (udp ? 6 : 16), s ? s : 0xffff);
	return f;
}

/* --- by a socket --- */

static int open_socket(const char *interface)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex(interface) };

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		die(interface, strerror(errno));
	return fd;
}

static void flood_frame(const struct flood *f, uint32_t flow, uint8_t out[FLOOD_FRAME])
{
	uint32_t r = flow * (uint32_t)FLOOD_FACTOR;
	uint16_t a = (uint16_t)r, b = (uint16_t)(r >> 16), c = a ^ b;
	const struct {
		uint8_t at, complement;
		uint16_t word;
	} words[] = { { 28, 18, a },
		      { 28, f->udp ? 42 : 40, a },
		      { 34, f->udp ? 44 : 38, b },
		      { 36, 46, c } };

	memcpy(out, f->template, FLOOD_FRAME);
	for (size_t i = 0; i < (f->udp ? 4 : 3); i++) {
		uint16_t not = (uint16_t)~words[i].word;
		memcpy(out + words[i].at, &words[i].word, 2);
		memcpy(out + words[i].complement, &not, 2);
	}
}

static uint32_t point_at_next(struct sender *s, uint8_t made[FLOOD_FRAME], struct iovec *v)
{
	if (s->flood_count) {
		flood_frame(&s->floods[s->flow % s->flood_count], (uint32_t)s->flow, made);
		s->flow++;
		*v = (struct iovec){ made, FLOOD_FRAME };
		return FLOOD_FRAME;
	}
	uint32_t length;
	memcpy(&length, s->frames->area + s->next, 4);
	*v = (struct iovec){ s->frames->area + s->next + 4, length };
	s->next += laid_size(length);
	if (s->next >= s->frames->end)
		s->next = 0;
	return length;
}

static int64_t send_some(struct sender *s, uint32_t count)
{
	static uint8_t made[CHUNK][FLOOD_FRAME];
	struct iovec v[CHUNK];
	struct mmsghdr m[CHUNK] = { 0 };
	uint32_t n = count < CHUNK ? count : CHUNK;

	for (uint32_t i = 0; i < n; i++) {
		s->bytes += point_at_next(s, made[i], &v[i]);
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	for (uint32_t sent = 0; sent < n;) {
		int got = sendmmsg(s->socket, m + sent, n - sent, 0);
		if (got < 0 && errno != ENOBUFS && errno != EINTR)
			return -errno;
		sent += got > 0 ? (uint32_t)got : 0;
	}
	return n;
}

/* --- how fast --- */

static double now(void)
{
	return (double)clock_monotonic().v / USEC_PER_SECOND;
}

static void pause_a_little(void)
{
	struct timespec t = { 0, PAUSE_US * 1000 };

	nanosleep(&t, NULL);
}

static uint64_t left(const struct options *o, uint64_t sent)
{
	return o->frames ? o->frames - sent : UINT64_MAX / 2;
}

/* As many as are due by now. */
static int64_t send_due(struct sender *s, const struct options *o, uint64_t sent, double elapsed)
{
	double behind = elapsed * o->rate - (double)sent;
	uint64_t n = CHUNK;

	if (o->rate > 0 && behind < CHUNK)
		n = behind > 0 ? (uint64_t)behind : 0;
	n = n < left(o, sent) ? n : left(o, sent);
	if (!n)
		pause_a_little();
	return n ? send_some(s, (uint32_t)n) : 0;
}

static uint64_t run(struct sender *s, const struct options *o, double *elapsed)
{
	double began = now();
	uint64_t sent = 0;

	for (*elapsed = 0; !stop && (o->frames ? left(o, sent) > 0 : *elapsed < o->seconds);
	     *elapsed = now() - began) {
		double rest = o->frames ? MOST_SECONDS : o->seconds - *elapsed;
		int64_t got = s->inject ? inject_send(s->inject, left(o, sent), rest, o->rate)
					: send_due(s, o, sent, *elapsed);
		if (got < 0)
			die(o->interface, strerror((int)-got));
		sent += (uint64_t)got;
	}
	return sent;
}

/* --- */

static bool parse(int argc, char **argv, struct options *o)
{
	int option;

	while ((option = getopt(argc, argv, "i:w:r:t:n:m:s:a:b:l:c:")) != -1) {
		switch (option) {
		case 'i':
			o->interface = optarg;
			break;
		case 'w':
			o->send = !strcmp(optarg, "send");
			if (!o->send && strcmp(optarg, "inject"))
				return false;
			break;
		case 'r':
			o->rate = strtod(optarg, NULL);
			break;
		case 't':
			o->seconds = strtod(optarg, NULL);
			break;
		case 'n':
			o->frames = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			o->mutated = strtoull(optarg, NULL, 10);
			break;
		case 's':
			o->seed = strtoull(optarg, NULL, 10);
			break;
		case 'a':
			o->from = optarg;
			break;
		case 'b':
			o->to = optarg;
			break;
		case 'l':
			o->room = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			o->cpu = atoi(optarg);
			break;
		default:
			return false;
		}
	}
	return o->interface && optind < argc && o->room >= 2 * LAID_MOST && o->room < 1 << 29;
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("-c", strerror(errno));
}

/* Floods by name, or the frames of captures. */
static struct frames prepare(struct sender *s, const struct options *o, char **what)
{
	struct frames f = { 0 };

	if (!strcmp(*what, "syn") || !strcmp(*what, "syn+udp"))
		s->floods[s->flood_count++] = make_flood(o, false);
	if (!strcmp(*what, "udp") || !strcmp(*what, "syn+udp"))
		s->floods[s->flood_count++] = make_flood(o, true);
	if (s->flood_count)
		return f;
	f = (struct frames){ make_area(o->room), 0, o->room, 0 };
	for (; *what; what++)
		lay_capture(&f, *what);
	if (!f.count)
		die("cannot send", "the captures hold no Ethernet frames");
	if (!o->mutated)
		return f;
	struct frames damaged = mutate(&f, o);
	munmap(f.area, f.room);
	return damaged;
}

int main(int argc, char **argv)
{
	struct options o = { .from = "198.18",
			     .to = "198.19.0.1",
			     .seconds = 10,
			     .room = 400 << 20,
			     .seed = 1,
			     .cpu = -1 };
	struct sender s = { .socket = -1 };
	char why[256];

	log_init("send_frames", LOG_INFO);
	if (!parse(argc, argv, &o)) {
		fputs("usage: send_frames -i INTERFACE [-w inject|send] [-r RATE] [-t SECONDS | -n "
		      "FRAMES] [-m FRAMES] [-s SEED] [-a A.B] [-b A.B.C.D] [-l BYTES] [-c CPU] "
		      "CAPTURE... | syn | udp | syn+udp\n",
		      stderr);
		return 2;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (o.cpu >= 0)
		stay_on(o.cpu);
	struct frames f = prepare(&s, &o, argv + optind);
	s.frames = &f;
	if (o.send)
		s.socket = open_socket(o.interface);
	else if (!(s.inject = inject_open(o.interface, &f, s.floods, s.flood_count, why)))
		die("cannot inject", why);
	/* For scripts that wait until all is prepared. */
	fputs("ready\n", stderr);
	double seconds;
	uint64_t sent = run(&s, &o, &seconds);
	uint64_t bytes = s.inject ? inject_bytes(s.inject) : s.bytes;
	printf("{\"way\": \"%s\", \"frames\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"seconds\": %.6f, \"rate\": %.0f, \"laid\": %" PRIu64 "}\n",
	       o.send ? "send" : "inject", sent, bytes, seconds, (double)sent / seconds, f.count);
	inject_close(s.inject);
	return 0;
}
