/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/tcp.h"

#include <string.h>

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

bool tcp_reopens(const struct flow *f, const struct packet *p, unsigned side)
{
	bool first = !(f->flags[side] & TCP_SYN);

	if (!f->closed || (p->tcp_flags & (TCP_SYN | TCP_RST)) != TCP_SYN)
		return false;
	/* A mirror may show the SYN-ACK before its SYN. */
	if (p->tcp_flags & TCP_ACK)
		return !first && f->isn[side] != p->tcp_seq;
	return first || f->isn[side] != p->tcp_seq;
}

static void orient(struct flow *f, unsigned client_side)
{
	if (f->orientation == ORIENTATION_HANDSHAKE)
		return;
	f->orientation = ORIENTATION_HANDSHAKE;
	f->client_side = client_side & 1;
}

/* Of stamps the low half is kept: enough for what lies half an hour apart at most. */
static uint32_t elapsed(uint32_t from, int64_t to)
{
	uint32_t us = (uint32_t)to - from;

	return us <= INT32_MAX ? us + 1 : 0;
}

/* Round trips by Karn's rule: nothing is measured across a SYN sent twice. */
static void see_handshake(struct flow *f, const struct packet *p, unsigned side)
{
	if (p->tcp_flags & TCP_SYN) {
		bool answer = p->tcp_flags & TCP_ACK;
		orient(f, answer ? !side : side);
		f->midstream = false;
		if (!answer) {
			f->syn_twice |= f->syn_seen;
			f->syn_seen = true;
			f->syn_at = (uint32_t)p->time.v;
		} else {
			f->syn_twice |= f->synack_seen;
			f->synack_seen = true;
			f->synack_at = (uint32_t)p->time.v;
			f->shaking = !f->rtt_client;
			if (f->syn_seen && !f->syn_twice)
				f->rtt_server = elapsed(f->syn_at, p->time.v);
		}
		f->isn[side] = p->tcp_seq;
		return;
	}
	if (f->shaking && side == f->client_side && !f->syn_twice && (p->tcp_flags & TCP_ACK) &&
	    p->tcp_ack == f->isn[!side] + 1) {
		f->rtt_client = elapsed(f->synack_at, p->time.v);
		f->shaking = !f->rtt_client;
	}
}

/* What lies in a hole was lost to the mirror, it seems; it may yet come late. */
static void miss_hole(struct flow_trail *t, unsigned side, int i)
{
	const struct flow_hole *h = &t->holes[side][i];
	uint8_t bit = (uint8_t)(1u << i);

	if (h->from != h->to && !(t->holes_missed[side] & bit))
		t->missed_bytes += h->to - h->from;
	t->holes_missed[side] |= bit;
}

static int open_hole(struct flow_trail *t, unsigned side, uint32_t from, uint32_t to)
{
	struct flow_hole *holes = t->holes[side];
	int i = 0;

	while (i < FLOW_HOLES && holes[i].from != holes[i].to)
		i++;
	if (i == FLOW_HOLES) {
		miss_hole(t, side, 0); /* no room: the oldest is taken as never to come */
		for (i = 1; i < FLOW_HOLES; i++)
			holes[i - 1] = holes[i];
		t->holes_missed[side] >>= 1;
		i = FLOW_HOLES - 1;
	}
	holes[i] = (struct flow_hole){ from, to };
	t->holes_missed[side] &= (uint8_t) ~(1u << i);
	return i;
}

/* Bytes that were given up came after all. */
static void take_back(struct flow_trail *t, unsigned side, int i, uint32_t n)
{
	if (t->holes_missed[side] & 1u << i)
		t->missed_bytes -= n < t->missed_bytes ? n : t->missed_bytes;
}

/* True when [from, to) lies in a hole, at least in part: late, not sent again. */
static bool fill_hole(struct flow_trail *t, unsigned side, uint32_t from, uint32_t to)
{
	for (int i = 0; i < FLOW_HOLES; i++) {
		struct flow_hole *h = &t->holes[side][i];
		if (h->from == h->to || !before(from, h->to) || !before(h->from, to))
			continue;
		uint32_t first = before(from, h->from) ? h->from : from;
		uint32_t last = before(h->to, to) ? h->to : to;
		take_back(t, side, i, last - first);
		if (first == h->from)
			h->from = last; /* up to h->to: then there is no hole any more */
		else
			h->to = first; /* what lies behind is not followed up */
		return true;
	}
	return false;
}

/* The flow's trail, in which there is a hole from now on. */
static struct flow_trail *holed(struct flow_trails *trails, struct flow *f)
{
	f->has_holes = true;
	return flow_trail_of(trails, f);
}

/* A SYN with another number: a connection on the ports of one whose end the
 * mirror did not show. Its numbers have nothing to do with the old ones. */
static void begin_anew(struct flow *f, const struct packet *p, unsigned side)
{
	if (!(p->tcp_flags & TCP_SYN) || !(f->seq_known >> side & 1) || f->isn[side] == p->tcp_seq)
		return;
	f->seq_known &= (uint8_t) ~(1u << side);
	f->ack_known &= (uint8_t) ~(1u << !side);
	if (f->has_holes)
		memset(f->trail->holes[side], 0, sizeof(f->trail->holes[side]));
}

static void see_sequence(struct flow_trails *trails, struct flow *f, const struct packet *p,
			 unsigned side)
{
	uint32_t length = p->payload_bytes + ((p->tcp_flags & TCP_SYN) != 0) +
			  ((p->tcp_flags & TCP_FIN) != 0);
	uint32_t from = p->tcp_seq, to = from + length;

	if (!(f->seq_known >> side & 1)) {
		f->seq_known |= (uint8_t)(1u << side);
		f->next_seq[side] = to;
		return;
	}
	if (length == 0)
		return;
	uint32_t next = f->next_seq[side];
	if (before(next, from) && from - next < 1u << 30)
		open_hole(holed(trails, f), side, next, from);
	if (before(from, next)) {
		/* A keep-alive repeats one byte on purpose (RFC 9293, 3.8.4). */
		bool keep_alive = length == 1 && p->payload_bytes <= 1 && to == next;
		bool late = f->has_holes && fill_hole(f->trail, side, from, to);
		if (!late && !keep_alive)
			f->retransmissions++;
	}
	if (before(next, to))
		f->next_seq[side] = to;
}

/* Acknowledgements that run ahead of their bytes, one after the other, make one hole. */
static void miss_tail(struct flow_trail *t, unsigned side, uint32_t from, uint32_t to)
{
	for (int i = 0; i < FLOW_HOLES; i++) {
		struct flow_hole *h = &t->holes[side][i];
		if (h->from == h->to || h->to != from || !(t->holes_missed[side] & 1u << i))
			continue;
		t->missed_bytes += to - from;
		h->to = to;
		return;
	}
	miss_hole(t, side, open_hole(t, side, from, to));
}

static void miss_acknowledged(struct flow_trail *t, unsigned side, uint32_t ack)
{
	for (int i = 0; i < FLOW_HOLES; i++) {
		const struct flow_hole *h = &t->holes[side][i];
		if (h->from != h->to && !before(ack, h->to))
			miss_hole(t, side, i);
	}
}

/* What the receiver acknowledges and we have not seen was lost to the mirror. */
static void see_acknowledgement(struct flow_trails *trails, struct flow *f, const struct packet *p,
				unsigned side)
{
	unsigned other = !side;
	uint32_t ack = p->tcp_ack;

	if (!(f->ack_known >> side & 1) || before(f->acked[side], ack)) {
		f->acked[side] = ack;
		f->ack_known |= (uint8_t)(1u << side);
	}
	if (!(f->seq_known >> other & 1))
		return;
	if (f->has_holes)
		miss_acknowledged(f->trail, other, ack);
	if (before(f->next_seq[other], ack) && ack - f->next_seq[other] < 1u << 30) {
		/* A mirror may show an acknowledgement before its bytes. The FIN's own
		 * number is no byte. */
		if (ack - f->next_seq[other] > 1 || !f->closed)
			miss_tail(holed(trails, f), other, f->next_seq[other], ack);
		f->next_seq[other] = ack;
	}
}

void tcp_see(struct flow_trails *trails, struct flow *f, const struct packet *p, unsigned side)
{
	uint8_t flags = p->tcp_flags;

	if (!(f->flags[0] | f->flags[1]))
		f->midstream = !(flags & TCP_SYN);
	begin_anew(f, p, side);
	see_handshake(f, p, side);
	if (!(flags & TCP_RST)) /* whose number may be anything */
		see_sequence(trails, f, p, side);
	if ((flags & TCP_ACK) && !(flags & TCP_RST))
		see_acknowledgement(trails, f, p, side);
	f->flags[side] |= flags;
	if (f->closed)
		return;
	if (flags & TCP_RST)
		f->closed = END_RESET + 1;
	else if (f->flags[0] & f->flags[1] & TCP_FIN)
		f->closed = END_FIN + 1;
}
