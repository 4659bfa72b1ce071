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
	f->client_side = (uint8_t)client_side;
}

static uint32_t elapsed(int64_t from, int64_t to)
{
	if (!from || to < from || to - from >= UINT32_MAX)
		return 0;
	return (uint32_t)(to - from) + 1;
}

/* Round trips by Karn's rule: nothing is measured across a SYN sent twice. */
static void see_handshake(struct flow *f, const struct packet *p, unsigned side)
{
	if (p->tcp_flags & TCP_SYN) {
		bool answer = p->tcp_flags & TCP_ACK;
		orient(f, answer ? !side : side);
		f->midstream = false;
		if (!answer) {
			f->syn_twice |= f->syn_at != 0;
			f->syn_at = p->time.v;
		} else {
			f->syn_twice |= f->synack_at != 0;
			f->synack_at = p->time.v;
			if (!f->syn_twice)
				f->rtt_server = elapsed(f->syn_at, p->time.v);
		}
		f->isn[side] = p->tcp_seq;
		return;
	}
	if (f->synack_at && !f->rtt_client && side == f->client_side && !f->syn_twice &&
	    (p->tcp_flags & TCP_ACK) && p->tcp_ack == f->isn[!side] + 1)
		f->rtt_client = elapsed(f->synack_at, p->time.v);
}

/* What lies in a hole was lost to the mirror, it seems; it may yet come late. */
static void miss_hole(struct flow *f, unsigned side, int i)
{
	const struct flow_hole *h = &f->holes[side][i];
	uint8_t bit = (uint8_t)(1u << i);

	if (h->from != h->to && !(f->holes_missed[side] & bit))
		f->missed_bytes += h->to - h->from;
	f->holes_missed[side] |= bit;
}

static int open_hole(struct flow *f, unsigned side, uint32_t from, uint32_t to)
{
	struct flow_hole *holes = f->holes[side];
	int i = 0;

	while (i < FLOW_HOLES && holes[i].from != holes[i].to)
		i++;
	if (i == FLOW_HOLES) {
		miss_hole(f, side, 0); /* no room: the oldest is taken as never to come */
		for (i = 1; i < FLOW_HOLES; i++)
			holes[i - 1] = holes[i];
		f->holes_missed[side] >>= 1;
		i = FLOW_HOLES - 1;
	}
	holes[i] = (struct flow_hole){ from, to };
	f->holes_missed[side] &= (uint8_t) ~(1u << i);
	return i;
}

/* Bytes that were given up came after all. */
static void take_back(struct flow *f, unsigned side, int i, uint32_t n)
{
	if (f->holes_missed[side] & 1u << i)
		f->missed_bytes -= n < f->missed_bytes ? n : f->missed_bytes;
}

/* True when [from, to) lies in a hole, at least in part: late, not sent again. */
static bool fill_hole(struct flow *f, unsigned side, uint32_t from, uint32_t to)
{
	for (int i = 0; i < FLOW_HOLES; i++) {
		struct flow_hole *h = &f->holes[side][i];
		if (h->from == h->to || !before(from, h->to) || !before(h->from, to))
			continue;
		uint32_t first = before(from, h->from) ? h->from : from;
		uint32_t last = before(h->to, to) ? h->to : to;
		take_back(f, side, i, last - first);
		if (first == h->from)
			h->from = last; /* up to h->to: then there is no hole any more */
		else
			h->to = first; /* what lies behind is not followed up */
		return true;
	}
	return false;
}

/* A SYN with another number: a connection on the ports of one whose end the
 * mirror did not show. Its numbers have nothing to do with the old ones. */
static void begin_anew(struct flow *f, const struct packet *p, unsigned side)
{
	if (!(p->tcp_flags & TCP_SYN) || !f->seq_known[side] || f->isn[side] == p->tcp_seq)
		return;
	f->seq_known[side] = false;
	f->ack_known[!side] = false;
	memset(f->holes[side], 0, sizeof(f->holes[side]));
}

static void see_sequence(struct flow *f, const struct packet *p, unsigned side)
{
	uint32_t length = p->payload_bytes + ((p->tcp_flags & TCP_SYN) != 0) +
			  ((p->tcp_flags & TCP_FIN) != 0);
	uint32_t from = p->tcp_seq, to = from + length;

	if (!f->seq_known[side]) {
		f->seq_known[side] = true;
		f->next_seq[side] = to;
		return;
	}
	if (length == 0)
		return;
	uint32_t next = f->next_seq[side];
	if (before(next, from) && from - next < 1u << 30)
		open_hole(f, side, next, from);
	if (before(from, next)) {
		/* A keep-alive repeats one byte on purpose (RFC 9293, 3.8.4). */
		bool keep_alive = length == 1 && p->payload_bytes <= 1 && to == next;
		if (!fill_hole(f, side, from, to) && !keep_alive)
			f->retransmissions++;
	}
	if (before(next, to))
		f->next_seq[side] = to;
}

/* Acknowledgements that run ahead of their bytes, one after the other, make one hole. */
static void miss_tail(struct flow *f, unsigned side, uint32_t from, uint32_t to)
{
	for (int i = 0; i < FLOW_HOLES; i++) {
		struct flow_hole *h = &f->holes[side][i];
		if (h->from == h->to || h->to != from || !(f->holes_missed[side] & 1u << i))
			continue;
		f->missed_bytes += to - from;
		h->to = to;
		return;
	}
	miss_hole(f, side, open_hole(f, side, from, to));
}

/* What the receiver acknowledges and we have not seen was lost to the mirror. */
static void see_acknowledgement(struct flow *f, const struct packet *p, unsigned side)
{
	unsigned other = !side;
	uint32_t ack = p->tcp_ack;

	if (!f->ack_known[side] || before(f->acked[side], ack)) {
		f->acked[side] = ack;
		f->ack_known[side] = true;
	}
	if (!f->seq_known[other])
		return;
	for (int i = 0; i < FLOW_HOLES; i++) {
		const struct flow_hole *h = &f->holes[other][i];
		if (h->from != h->to && !before(ack, h->to))
			miss_hole(f, other, i);
	}
	if (before(f->next_seq[other], ack) && ack - f->next_seq[other] < 1u << 30) {
		/* A mirror may show an acknowledgement before its bytes. The FIN's own
		 * number is no byte. */
		if (ack - f->next_seq[other] > 1 || !f->closed)
			miss_tail(f, other, f->next_seq[other], ack);
		f->next_seq[other] = ack;
	}
}

void tcp_see(struct flow *f, const struct packet *p, unsigned side)
{
	uint8_t flags = p->tcp_flags;

	if (!(f->flags[0] | f->flags[1]))
		f->midstream = !(flags & TCP_SYN);
	begin_anew(f, p, side);
	see_handshake(f, p, side);
	if (!(flags & TCP_RST)) /* whose number may be anything */
		see_sequence(f, p, side);
	if ((flags & TCP_ACK) && !(flags & TCP_RST))
		see_acknowledgement(f, p, side);
	f->flags[side] |= flags;
	if (f->closed)
		return;
	if (flags & TCP_RST)
		f->closed = END_RESET + 1;
	else if (f->flags[0] & f->flags[1] & TCP_FIN)
		f->closed = END_FIN + 1;
}
