/* SPDX-License-Identifier: Apache-2.0
 *
 * make_mix [-s SEED] [-c COPIES] [-n PACKETS] [-t SECONDS] [-m MOST] OUT.pcap CAPTURE...
 *
 * A large capture from many small ones, the same for the same seed: each copy of
 * each capture gets addresses of its own (the last two bytes of IPv4, four bytes
 * of IPv6 are changed alike for all of a copy), checksums that fit, and a start
 * of its own within the time that the whole is to last; then all frames are laid
 * in order of time. Only Ethernet captures are taken, and of each the first MOST
 * frames (default: all), so that no long transfer makes up the mix. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sensor/capture.h"

enum { ETHERNET = 1, SNAP = 65535 };

struct stored {
	uint8_t *bytes;
	uint32_t captured, wire;
	int64_t offset; /* us since the capture's first frame */
	uint32_t file;
};

struct placed {
	int64_t time;
	uint32_t frame, copy;
};

static struct stored *frames;
static size_t frame_count, frame_room;
static uint64_t state, most_frames = UINT64_MAX; /* of a capture */

/* splitmix64: small, and the same everywhere. */
static uint64_t next_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void *check(void *p)
{
	if (!p) {
		log_error("not enough memory");
		exit(2);
	}
	return p;
}

static void store(const struct frame *f, int64_t first, uint32_t file)
{
	if (frame_count == frame_room) {
		frame_room = frame_room ? frame_room * 2 : 65536;
		frames = check(realloc(frames, frame_room * sizeof(*frames)));
	}
	uint8_t *bytes = check(malloc(f->captured ? f->captured : 1));
	memcpy(bytes, f->bytes, f->captured);
	frames[frame_count++] = (struct stored){ bytes, f->captured, f->wire,
						 f->time.v > first ? f->time.v - first : 0, file };
}

static bool load(const char *path, uint32_t file)
{
	char why[256];
	struct frame f;
	int64_t first = 0;
	size_t before = frame_count;
	struct capture *c = capture_open(path, why);

	while (c && frame_count - before < most_frames && capture_next(c, &f) == 1) {
		if (f.link_type != ETHERNET || f.captured > SNAP || f.captured < 14)
			continue;
		if (frame_count == before)
			first = f.time.v;
		store(&f, first, file);
	}
	capture_close(c);
	return frame_count > before;
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* RFC 1624: what a changed 16-bit word does to a checksum. */
static void fix(uint8_t *sum, uint16_t old, uint16_t new)
{
	uint32_t s = (uint32_t)(uint16_t)~be16(sum) + (uint16_t)~old + new;

	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	sum[0] = (uint8_t)(~s >> 8);
	sum[1] = (uint8_t)~s;
}

static uint8_t *transport_sum(uint8_t *l4, const uint8_t *end, uint8_t protocol)
{
	if (protocol == 6 && end - l4 >= 18)
		return l4 + 16;
	if (protocol == 17 && end - l4 >= 8 && be16(l4 + 6))
		return l4 + 6;
	return NULL;
}

static void change(uint8_t *word, uint16_t by, uint8_t *sum1, uint8_t *sum2)
{
	uint16_t old = be16(word), new = old ^ by;

	word[0] = (uint8_t)(new >> 8);
	word[1] = (uint8_t) new;
	if (sum1)
		fix(sum1, old, new);
	if (sum2)
		fix(sum2, old, new);
}

static void move_v4(uint8_t *ip, const uint8_t *end, uint32_t by)
{
	size_t header = (ip[0] & 15) * 4u;

	if (end - ip < (ptrdiff_t)header || header < 20)
		return;
	bool first = (be16(ip + 6) & 0x1fff) == 0;
	uint8_t *sum = first ? transport_sum(ip + header, end, ip[9]) : NULL;
	for (int at = 12; at <= 16; at += 4)
		if (ip[at] < 224) /* groups stay groups */
			change(ip + at + 2, (uint16_t)by, ip + 10, sum);
}

static void move_v6(uint8_t *ip, const uint8_t *end, uint32_t by)
{
	uint8_t *sum = transport_sum(ip + 40, end, ip[6]);

	for (int at = 8; at <= 24; at += 16) {
		if (ip[at] == 0xff)
			continue;
		change(ip + at + 8, (uint16_t)by, sum, NULL);
		change(ip + at + 10, (uint16_t)(by >> 16), sum, NULL);
	}
}

static void move(uint8_t *bytes, size_t n, uint32_t by)
{
	uint8_t *at = bytes + 12, *end = bytes + n;

	while (end - at >= 6 && (be16(at) == 0x8100 || be16(at) == 0x88a8))
		at += 4;
	if (end - at < 2)
		return;
	uint16_t type = be16(at);
	at += 2;
	if (type == 0x0800 && end - at >= 20)
		move_v4(at, end, by);
	else if (type == 0x86dd && end - at >= 40)
		move_v6(at, end, by);
}

static int by_time(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->copy != y->copy)
		return x->copy < y->copy ? -1 : 1;
	return (x->frame > y->frame) - (x->frame < y->frame);
}

static void put32(FILE *out, uint32_t v)
{
	fwrite(&v, 4, 1, out);
}

static void write_one(FILE *out, const struct placed *p, const uint32_t *by)
{
	static uint8_t bytes[SNAP];
	const struct stored *f = &frames[p->frame];

	memcpy(bytes, f->bytes, f->captured);
	move(bytes, f->captured, by[p->copy]);
	put32(out, (uint32_t)(1767225600 + p->time / USEC_PER_SECOND));
	put32(out, (uint32_t)(p->time % USEC_PER_SECOND));
	put32(out, f->captured);
	put32(out, f->wire);
	fwrite(bytes, f->captured, 1, out);
}

/* Starts of each capture's copies; a capture that lasts longer than the whole
 * is pressed together. */
static struct placed *place(uint32_t files, uint32_t copies, int64_t length)
{
	struct placed *all = check(malloc(frame_count * copies * sizeof(*all)));
	int64_t *lasts = check(calloc(files, sizeof(*lasts)));
	size_t n = 0;

	for (size_t i = 0; i < frame_count; i++)
		if (frames[i].offset > lasts[frames[i].file])
			lasts[frames[i].file] = frames[i].offset;
	for (uint32_t copy = 0; copy < copies; copy++) {
		uint32_t file = UINT32_MAX;
		int64_t start = 0, last = 1;
		for (size_t i = 0; i < frame_count; i++) {
			if (frames[i].file != file) {
				file = frames[i].file;
				last = lasts[file] > length / 2 ? lasts[file] : 0;
				int64_t room = last ? length / 2 : length - lasts[file];
				start = (int64_t)(next_random() % (uint64_t)(room > 0 ? room : 1));
			}
			int64_t offset = last ? (int64_t)((double)frames[i].offset / (double)last *
							  (double)length / 2)
					      : frames[i].offset;
			all[n++] = (struct placed){ start + offset, (uint32_t)i, copy };
		}
	}
	free(lasts);
	qsort(all, n, sizeof(*all), by_time);
	return all;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, packets = 2500000;
	uint32_t copies = 0, files = 0;
	int64_t seconds = 60;
	int option;

	log_init("make_mix", LOG_INFO);
	while ((option = getopt(argc, argv, "s:c:n:t:m:")) != -1) {
		switch (option) {
		case 's':
			seed = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			copies = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			packets = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			most_frames = strtoull(optarg, NULL, 10);
			break;
		case 't':
			seconds = strtoll(optarg, NULL, 10);
			break;
		default:
			optind = argc;
		}
	}
	if (argc - optind < 2 || seconds < 1) {
		fputs("usage: make_mix [-s SEED] [-c COPIES] [-n PACKETS] [-t SECONDS] [-m MOST] "
		      "OUT.pcap CAPTURE...\n",
		      stderr);
		return 2;
	}
	for (int i = optind + 1; i < argc; i++)
		files += load(argv[i], files);
	if (!frame_count) {
		log_error("none of the captures holds an Ethernet frame");
		return 2;
	}
	if (!copies)
		copies = (uint32_t)((packets + frame_count - 1) / frame_count);
	state = seed;
	uint32_t *by = check(calloc(copies, sizeof(*by)));
	for (uint32_t i = 0; i < copies; i++)
		by[i] = (uint32_t)(i << 16 | (i * 2654435761u >> 16)) ^ i;
	struct placed *all = place(files, copies, seconds * USEC_PER_SECOND);
	FILE *out = fopen(argv[optind], "wb");
	if (!out) {
		log_error("%s: %s", argv[optind], strerror(errno));
		return 2;
	}
	static const uint32_t head[6] = { 0xa1b2c3d4, 0x00040002, 0, 0, SNAP, ETHERNET };
	fwrite(head, sizeof(head), 1, out);
	for (size_t i = 0; i < frame_count * copies; i++)
		write_one(out, &all[i], by);
	if (fclose(out)) {
		log_error("%s: %s", argv[optind], strerror(errno));
		return 1;
	}
	fprintf(stderr,
		"make_mix: %zu packets, %u copies of %zu frames of %u captures, seed %" PRIu64 "\n",
		frame_count * copies, copies, frame_count, files, seed);
	return 0;
}
