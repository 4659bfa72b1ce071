/* SPDX-License-Identifier: Apache-2.0
 *
 * make_streams [-s SEED] [-n PACKETS] [-t SECONDS] [-k tcp|clinical] OUT.pcap [CAPTURE...]
 *
 * TCP conversations that are whole: handshake, segments of up to 1,460 bytes, an
 * acknowledgement for every second one, a close of four; sums and numbers are right.
 * The same for the same seed and captures.
 *
 * `tcp`: downloads by HTTP of 66 full segments each, 107 packets, PACKETS / 107 of
 * them, in turns, one frame of each. `clinical`: what the DICOM and HL7 conversations
 * of the captures said, between addresses of their own. Of 100 conversations three
 * are long ones of DICOM: the data of each object are sent 60 times over (the same
 * P-DATA, the mark of the last on the last alone), and the exchange between the
 * association and its release up to 24 times. Three are feeds of HL7, whose messages
 * and answers come 100 to 1,000 times. The others say what was captured, once. A
 * conversation has one pace, and all lie within SECONDS. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sensor/capture.h"

enum {
	MSS = 1460,
	HEADERS = 14 + 20 + 20,
	START = 1767225600,
	DOWNLOAD = 66 * MSS,
	DOWNLOAD_PACKETS = 3 + 1 + 66 + 33 + 4,
	STRETCH = 60,
	OBJECT = 4096, /* data this long are an image */
};
enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };
enum { CLIENT, SERVER };

/* What one side said until the other spoke. */
struct turn {
	int side;
	uint8_t *bytes;
	size_t n;
};

/* Something to say: turns loop_begin to loop_end may be repeated. */
struct script {
	struct turn *turns;
	size_t count, loop_begin, loop_end;
	uint16_t port;
	bool dicom, has_object;
};

/* A conversation of a capture while it is read. */
struct heard {
	struct ip_addr address[2];
	uint16_t port[2];
	uint32_t next[2];
	bool broken;
	struct script script;
};

enum phase { HANDSHAKE, TALK, CLOSE, OVER };

struct talk {
	const struct script *script;
	uint32_t repeats, loops; /* to do and done */
	size_t turn, at;
	enum phase phase;
	int step;    /* of handshake or close */
	int unacked; /* segments of this turn since the last acknowledgement */
	uint32_t sequence[2];
	uint16_t id[2], port;
	uint8_t address[2][4];
	int64_t time, gap; /* us */
};

static uint64_t state;

/* splitmix64: small, and the same everywhere. */
static uint64_t next_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t draw(uint64_t least, uint64_t most)
{
	return least + next_random() % (most - least + 1);
}

static void *grow(void *array, size_t count, size_t size)
{
	/* Powers of two: a new block each time that one is full. */
	if (count & (count - 1))
		return array;
	void *p = realloc(array, (count ? count * 2 : 1) * size);
	if (!p) {
		log_error("not enough memory");
		exit(2);
	}
	return p;
}

static void *copy(const void *bytes, size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p) {
		log_error("not enough memory");
		exit(2);
	}
	return memcpy(p, bytes, n);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* --- from captures to scripts --- */

static void say(struct script *s, int side, const uint8_t *bytes, size_t n)
{
	struct turn *last = s->count ? &s->turns[s->count - 1] : NULL;

	if (last && last->side == side) {
		uint8_t *more = realloc(last->bytes, last->n + n);
		if (!more)
			exit(2);
		memcpy(more + last->n, bytes, n);
		last->bytes = more;
		last->n += n;
		return;
	}
	s->turns = grow(s->turns, s->count, sizeof(*s->turns));
	s->turns[s->count++] = (struct turn){ side, copy(bytes, n), n };
}

static void forget(struct script *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->turns[i].bytes);
	free(s->turns);
}

static bool is(const struct heard *h, int side, const struct ip_addr *ip, uint16_t port)
{
	return h->port[side] == port && !memcmp(&h->address[side], ip, sizeof(*ip));
}

/* The conversation that a packet belongs to, and who sent it; NULL: none that began here. */
static struct heard *find(struct heard *all, size_t n, const struct packet *p, int *side)
{
	for (size_t i = n; i-- > 0;)
		for (int s = CLIENT; s <= SERVER; s++)
			if (is(&all[i], s, &p->source, p->source_port) &&
			    is(&all[i], !s, &p->dest, p->dest_port)) {
				*side = s;
				return &all[i];
			}
	return NULL;
}

static void hear(struct heard *h, int side, const struct packet *p)
{
	size_t n = cursor_left(&p->payload);

	if (p->tcp_flags & SYN)
		h->next[side] = p->tcp_seq + 1;
	if (!n || (int32_t)(p->tcp_seq - h->next[side]) < 0)
		return; /* a repetition */
	h->broken |= p->tcp_seq != h->next[side] || n != p->payload_bytes;
	h->next[side] += (uint32_t)n;
	say(&h->script, side, p->payload.at, n);
}

static struct heard *listen_to(const char *path, size_t *count)
{
	static struct counters counters;
	static struct packet p;
	char why[256];
	struct heard *all = NULL;
	struct frame f;
	struct decoder *d = decoder_create(16, &counters);
	struct capture *c = capture_open(path, why);
	int side;

	*count = 0;
	if (!c || !d) {
		log_error("%s", why);
		exit(2);
	}
	while (capture_next(c, &f) == 1) {
		if (decode(d, &f, &p) != DECODE_OK || p.protocol != 6 || !p.has_ports)
			continue;
		if ((p.tcp_flags & (SYN | ACK)) == SYN) {
			all = grow(all, *count, sizeof(*all));
			all[(*count)++] = (struct heard){ .address = { p.source, p.dest },
							  .port = { p.source_port, p.dest_port },
							  .script.port = p.dest_port };
		}
		struct heard *h = find(all, *count, &p, &side);
		if (h)
			hear(h, side, &p);
	}
	capture_close(c);
	decoder_destroy(d);
	return all;
}

/* DICOM's PDU: type 1 | 0 1 | length 4; P-DATA (4) of one item: length 4 | context 1 |
 * control 1: bit 0 a command, bit 1 the last of it. */
static size_t pdu_length(const uint8_t *at, size_t left)
{
	uint64_t n = left >= 6 ? 6 + (uint64_t)be32(at + 2) : 0;

	return n && n <= left ? (size_t)n : left;
}

static bool is_object(const uint8_t *pdu, size_t n)
{
	return n > OBJECT && pdu[0] == 4 && be32(pdu + 6) + 10 == n && (pdu[11] & 3) == 2;
}

/* The script with the data of its objects STRETCH times over. */
static struct script stretch(const struct script *s)
{
	struct script to = *s;

	to.turns = NULL;
	to.count = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct turn *t = &s->turns[i];
		for (size_t at = 0, n; at < t->n; at += n) {
			n = pdu_length(t->bytes + at, t->n - at);
			uint8_t *pdu = copy(t->bytes + at, n);
			for (int k = 1; k < STRETCH && is_object(t->bytes + at, n); k++) {
				pdu[11] = 0;
				say(&to, t->side, pdu, n);
				to.has_object = true;
			}
			say(&to, t->side, t->bytes + at, n);
			free(pdu);
		}
	}
	return to;
}

/* False for what is neither DICOM nor HL7 over MLLP, or has no two sides. */
static bool settle(struct script *s)
{
	if (s->count < 2 || s->turns[0].side != CLIENT)
		return false;
	s->loop_end = s->count;
	s->dicom = s->turns[0].bytes[0] == 1;
	if (!s->dicom)
		return s->turns[0].bytes[0] == 0x0b;
	while (s->loop_begin < s->count && s->turns[s->loop_begin].bytes[0] != 4)
		s->loop_begin++;
	s->loop_end = s->loop_begin;
	while (s->loop_end < s->count && s->turns[s->loop_end].bytes[0] == 4)
		s->loop_end++;
	return s->loop_begin > 1 && s->loop_end - s->loop_begin > 1;
}

/* --- from scripts to frames --- */

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (; n > 1; p += 2, n -= 2)
		sum += (unsigned)(p[0] << 8 | p[1]);
	return n ? sum + (unsigned)(p[0] << 8) : sum;
}

static unsigned fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void put_ip(uint8_t *ip, struct talk *t, int side, size_t n)
{
	put16(ip, 0x4500);
	put16(ip + 2, (unsigned)n);
	put16(ip + 4, t->id[side]++);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = 6;
	memcpy(ip + 12, t->address[side], 4);
	memcpy(ip + 16, t->address[!side], 4);
	put16(ip + 10, fold(add(0, ip, 20)));
}

static void put_tcp(uint8_t *tcp, struct talk *t, int side, unsigned flags, size_t n)
{
	const uint8_t *ip = tcp - 20;

	put16(tcp, side == CLIENT ? t->port : t->script->port);
	put16(tcp + 2, side == CLIENT ? t->script->port : t->port);
	put32(tcp + 4, t->sequence[side]);
	put32(tcp + 8, flags & ACK ? t->sequence[!side] : 0);
	put16(tcp + 12, 0x5000 | flags);
	put16(tcp + 14, 64240);
	put16(tcp + 16, fold(add(6 + 20 + (uint32_t)n, ip + 12, 8 + 20 + n)));
	t->sequence[side] += (uint32_t)n + !!(flags & (SYN | FIN));
}

static void send_one(FILE *out, struct talk *t, int side, unsigned flags, const uint8_t *bytes,
		     size_t n)
{
	uint8_t frame[HEADERS + MSS] = { 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 8, 0 };
	size_t whole = HEADERS + n < 60 ? 60 : HEADERS + n;
	uint32_t record[4] = { (uint32_t)(START + t->time / USEC_PER_SECOND),
			       (uint32_t)(t->time % USEC_PER_SECOND), (uint32_t)whole,
			       (uint32_t)whole };

	memcpy(frame + 2, t->address[!side], 4);
	memcpy(frame + 8, t->address[side], 4);
	if (n)
		memcpy(frame + HEADERS, bytes, n);
	put_ip(frame + 14, t, side, 40 + n);
	put_tcp(frame + 34, t, side, flags, n);
	fwrite(record, sizeof(record), 1, out);
	fwrite(frame, whole, 1, out);
}

static void next_turn(struct talk *t)
{
	t->at = 0;
	t->unacked = 0;
	if (++t->turn == t->script->loop_end && ++t->loops < t->repeats)
		t->turn = t->script->loop_begin;
	if (t->turn == t->script->count)
		t->phase = CLOSE;
}

static void talk_on(FILE *out, struct talk *t)
{
	const struct turn *now = &t->script->turns[t->turn];

	if (t->unacked == 2) {
		send_one(out, t, !now->side, ACK, NULL, 0);
		t->unacked = 0;
	} else {
		size_t n = now->n - t->at < MSS ? now->n - t->at : MSS;
		t->at += n;
		send_one(out, t, now->side, t->at == now->n ? PSH | ACK : ACK,
			 now->bytes + t->at - n, n);
		t->unacked++;
	}
	if (t->at == now->n && t->unacked < 2)
		next_turn(t);
}

static void step(FILE *out, struct talk *t)
{
	static const struct {
		int side;
		unsigned flags;
	} begin[] = { { CLIENT, SYN }, { SERVER, SYN | ACK }, { CLIENT, ACK } }, end[] = {
		{ CLIENT, FIN | ACK }, { SERVER, ACK }, { SERVER, FIN | ACK }, { CLIENT, ACK }
	};

	if (t->phase == TALK) {
		talk_on(out, t);
	} else if (t->phase == HANDSHAKE) {
		send_one(out, t, begin[t->step].side, begin[t->step].flags, NULL, 0);
		if (++t->step == 3) {
			t->phase = TALK;
			t->step = 0;
		}
	} else {
		send_one(out, t, end[t->step].side, end[t->step].flags, NULL, 0);
		if (++t->step == 4)
			t->phase = OVER;
	}
	t->time += t->gap;
}

static uint64_t packets_of(const struct script *s, uint32_t repeats)
{
	uint64_t n = 3 + 4;

	for (size_t i = 0; i < s->count; i++) {
		uint64_t segments = (s->turns[i].n + MSS - 1) / MSS;
		bool again = i >= s->loop_begin && i < s->loop_end;
		n += (segments + segments / 2) * (again ? repeats : 1);
	}
	return n;
}

/* --- who talks, and when --- */

static struct talk *talks;
static size_t talk_count;

static struct talk *add_talk(const struct script *s, uint32_t repeats)
{
	talks = grow(talks, talk_count, sizeof(*talks));
	struct talk *t = &talks[talk_count++];
	*t = (struct talk){
		.script = s,
		.repeats = repeats,
		.sequence = { (uint32_t)next_random(), (uint32_t)next_random() },
		.id = { (uint16_t)next_random(), (uint16_t)next_random() },
		.port = (uint16_t)(32768 + talk_count % 28000),
		.address = { { 10, (uint8_t)(30 + talk_count / 65536 % 60),
			       (uint8_t)(talk_count >> 8), (uint8_t)talk_count },
			     { 10, 200, (uint8_t)(s->dicom ? 8 : 9),
			       (uint8_t)(1 + talk_count % 20) } },
	};
	return t;
}

static void download(struct script *s)
{
	static const char ask[] = "GET /images/volume.bin HTTP/1.1\r\nHost: files.example\r\n"
				  "User-Agent: bench/1\r\nAccept: */*\r\n\r\n";
	static uint8_t answer[DOWNLOAD];
	char head[128];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
			 "Content-Length: %05d\r\n\r\n",
			 0);

	for (size_t i = 0; i < sizeof(answer); i++)
		answer[i] = (uint8_t)next_random();
	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
		 "Content-Length: %05d\r\n\r\n",
		 DOWNLOAD - n);
	memcpy(answer, head, (size_t)n);
	say(s, CLIENT, (const uint8_t *)ask, sizeof(ask) - 1);
	say(s, SERVER, answer, sizeof(answer));
	s->port = 80;
}

static void plan_downloads(uint64_t packets, int64_t length)
{
	static struct script s;
	uint64_t n = packets / DOWNLOAD_PACKETS ? packets / DOWNLOAD_PACKETS : 1;
	int64_t round = length / DOWNLOAD_PACKETS;

	download(&s);
	for (uint64_t i = 0; i < n; i++) {
		struct talk *t = add_talk(&s, 1);
		t->time = (int64_t)i * round / (int64_t)n;
		t->gap = round;
	}
}

struct scripts {
	struct script **all;
	size_t count;
};

static void keep(struct scripts *to, const struct script *s)
{
	to->all = grow(to->all, to->count, sizeof(struct script *));
	to->all[to->count++] = copy(s, sizeof(*s));
}

static struct script *any(const struct scripts *from)
{
	return from->all[next_random() % from->count];
}

/* What the captures say: of DICOM, HL7, and of DICOM with long objects. */
static void learn(char **paths, int count, struct scripts *dicom, struct scripts *hl7,
		  struct scripts *objects)
{
	for (int i = 0; i < count; i++) {
		size_t n;
		struct heard *all = listen_to(paths[i], &n);
		for (size_t k = 0; k < n; k++) {
			struct script *s = &all[k].script;
			if (all[k].broken || !settle(s)) {
				forget(s);
				continue;
			}
			keep(s->dicom ? dicom : hl7, s);
			struct script longer = s->dicom ? stretch(s) : (struct script){ 0 };
			if (longer.has_object)
				keep(objects, &longer);
			else
				forget(&longer);
		}
		free(all);
	}
	if (!dicom->count || !hl7->count || !objects->count) {
		log_error("the captures must have whole conversations of DICOM, of them one with "
			  "an object "
			  "over %d bytes, and of HL7",
			  OBJECT);
		exit(2);
	}
}

static void plan_clinical(char **paths, int count, uint64_t packets, int64_t length)
{
	static struct scripts dicom, hl7, objects; /* talks go on referring to them */

	learn(paths, count, &dicom, &hl7, &objects);
	for (uint64_t n = 0; n < packets;) {
		uint64_t kind = next_random() % 100;
		const struct script *s = any(kind < 3 ? &objects : kind < 55 ? &hl7 : &dicom);
		uint32_t repeats = (uint32_t)(kind < 3   ? draw(1, 24)
					      : kind < 6 ? draw(100, 1000)
							 : 1);
		uint64_t whole = packets_of(s, repeats);
		struct talk *t = add_talk(s, repeats);
		int64_t slowest = length / 2 / (int64_t)whole;
		t->gap = (int64_t)draw(20, 2000);
		t->gap = slowest < 1 ? 1 : t->gap > slowest ? slowest : t->gap;
		t->time = (int64_t)draw(0, (uint64_t)length / 2);
		n += whole;
	}
}

static bool before(const struct talk *a, const struct talk *b)
{
	return a->time != b->time ? a->time < b->time : a < b;
}

/* Of a heap whose first goes first. */
static void sink(struct talk **heap, size_t n, size_t i)
{
	for (size_t least = i;; i = least) {
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (before(heap[child], heap[least]))
				least = child;
		if (least == i)
			return;
		struct talk *t = heap[i];
		heap[i] = heap[least];
		heap[least] = t;
	}
}

static uint64_t write_all(FILE *out)
{
	static const uint32_t head[6] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 };
	struct talk **heap = calloc(talk_count, sizeof(struct talk *));
	size_t n = talk_count;
	uint64_t packets = 0;

	if (!heap)
		return 0;
	fwrite(head, sizeof(head), 1, out);
	for (size_t i = 0; i < n; i++)
		heap[i] = &talks[i];
	for (size_t i = n; i-- > 0;)
		sink(heap, n, i);
	for (; n; packets++) {
		step(out, heap[0]);
		if (heap[0]->phase == OVER)
			heap[0] = heap[--n];
		sink(heap, n, 0);
	}
	free(heap);
	return packets;
}

int main(int argc, char **argv)
{
	uint64_t packets = 1070000, seed = 1;
	int64_t seconds = 60;
	bool clinical = false, bad = false;
	int option;

	log_init("make_streams", LOG_INFO);
	while ((option = getopt(argc, argv, "s:n:t:k:")) != -1) {
		switch (option) {
		case 's':
			seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			packets = strtoull(optarg, NULL, 10);
			break;
		case 't':
			seconds = strtoll(optarg, NULL, 10);
			break;
		case 'k':
			clinical = !strcmp(optarg, "clinical");
			bad |= !clinical && strcmp(optarg, "tcp");
			break;
		default:
			bad = true;
		}
	}
	if (bad || optind >= argc || clinical == (argc - optind == 1) || seconds < 1) {
		fputs("usage: make_streams [-s SEED] [-n PACKETS] [-t SECONDS] [-k tcp|clinical] "
		      "OUT.pcap "
		      "[CAPTURE...]\n",
		      stderr);
		return 2;
	}
	state = seed;
	if (clinical)
		plan_clinical(argv + optind + 1, argc - optind - 1, packets,
			      seconds * USEC_PER_SECOND);
	else
		plan_downloads(packets, seconds * USEC_PER_SECOND);
	FILE *out = fopen(argv[optind], "wb");
	packets = out ? write_all(out) : 0;
	if (!packets || ferror(out) || fclose(out)) {
		log_error("%s: %s", argv[optind], strerror(errno));
		return 1;
	}
	fprintf(stderr, "make_streams: %" PRIu64 " packets, %zu conversations, seed %" PRIu64 "\n",
		packets, talk_count, seed);
	return 0;
}
