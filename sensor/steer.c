/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/steer.h"

#include <assert.h>
#include <linux/if_ether.h>

enum {
	TCP = 6,
	UDP = 17,
	SCTP = 132,
	MIX_SHIFT = 16,
	TAG = 4,
	V6_HEADER = 40,
	NET = SKF_NET_OFF, /* loads count from the network header there */
};

static const uint32_t mix = 0x9e3779b1; /* 2^32 over the golden ratio: spreads neighbours */

/* What the program keeps: the sum so far, where IP begins, a port. */
enum { SUM, BASE, PORT };

static uint32_t word(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t sum_of(const struct ip_addr *ip)
{
	const uint8_t *b = ip->bytes;

	if (ip_is_v4(ip))
		return word(b + 12);
	return word(b) + word(b + 4) + word(b + 8) + word(b + 12);
}

static bool has_ports(uint8_t protocol)
{
	return protocol == TCP || protocol == UDP || protocol == SCTP;
}

unsigned steer(const struct flow_key *key, unsigned workers)
{
	uint32_t sum = sum_of(&key->ip[0]) + sum_of(&key->ip[1]);

	if (workers < 2)
		return 0;
	if (has_ports(key->protocol))
		sum += (uint32_t)key->port[0] + key->port[1];
	return (sum * mix >> MIX_SHIFT) % workers;
}

struct code {
	struct sock_filter *at;
	unsigned short n;
};

static unsigned emit(struct code *c, int op, int64_t k)
{
	assert(c->n < STEER_LENGTH);
	c->at[c->n] = (struct sock_filter){ .code = (uint16_t)op, .k = (uint32_t)k };
	return c->n++;
}

static unsigned jump_if(struct code *c, int test, int64_t k)
{
	return emit(c, BPF_JMP | test | BPF_K, k);
}

/* The place where an earlier jump_if goes to. */
static void land(struct code *c, unsigned jump)
{
	c->at[jump].jt = (uint8_t)(c->n - jump - 1);
}

static void land_always(struct code *c, unsigned jump)
{
	c->at[jump].k = c->n - jump - 1;
}

/* Adds the word that lies `offset` behind the IP header's begin. */
static void add_word(struct code *c, int offset)
{
	emit(c, BPF_LDX | BPF_MEM, BASE);
	emit(c, BPF_LD | BPF_IND | BPF_W, NET + offset);
	emit(c, BPF_LDX | BPF_MEM, SUM);
	emit(c, BPF_ALU | BPF_ADD | BPF_X, 0);
	emit(c, BPF_ST, SUM);
}

/* Goes on where the jumps land if the protocol, at `offset`, has ports; else the
 * jump that is answered is taken. */
static unsigned test_protocol(struct code *c, int offset, unsigned with_ports[3])
{
	emit(c, BPF_LDX | BPF_MEM, BASE);
	emit(c, BPF_LD | BPF_IND | BPF_B, NET + offset);
	with_ports[0] = jump_if(c, BPF_JEQ, TCP);
	with_ports[1] = jump_if(c, BPF_JEQ, UDP);
	with_ports[2] = jump_if(c, BPF_JEQ, SCTP);
	return emit(c, BPF_JMP | BPF_JA, 0);
}

static void land_three(struct code *c, const unsigned jumps[3])
{
	for (int i = 0; i < 3; i++)
		land(c, jumps[i]);
}

/* One tag may be left: the kernel takes out the outer one only. */
static void find_ip(struct code *c)
{
	emit(c, BPF_LD | BPF_IMM, 0);
	emit(c, BPF_ST, SUM);
	emit(c, BPF_LDX | BPF_IMM, 0);
	emit(c, BPF_STX, BASE);
	emit(c, BPF_LD | BPF_ABS | BPF_W, SKF_AD_OFF + SKF_AD_PROTOCOL);
	unsigned tagged = jump_if(c, BPF_JEQ, ETH_P_8021Q);
	unsigned provider = jump_if(c, BPF_JEQ, ETH_P_8021AD);
	unsigned plain = emit(c, BPF_JMP | BPF_JA, 0);
	land(c, tagged);
	land(c, provider);
	emit(c, BPF_LDX | BPF_IMM, TAG);
	emit(c, BPF_STX, BASE);
	emit(c, BPF_LD | BPF_ABS | BPF_H, NET + 2);
	land_always(c, plain);
}

unsigned short steer_program(struct sock_filter code[STEER_LENGTH])
{
	enum { V4_SOURCE = 12, V4_DEST = 16, V4_PIECE = 6, V4_PROTOCOL = 9, PIECES = 0x3fff };
	enum { V6_ADDRESSES = 8, V6_WORDS = 8, V6_NEXT = 6 };
	struct code c = { code, 0 };
	unsigned ports4[3], ports6[3];

	find_ip(&c);
	unsigned v6 = jump_if(&c, BPF_JEQ, ETH_P_IPV6);
	unsigned v4 = jump_if(&c, BPF_JEQ, ETH_P_IP);
	emit(&c, BPF_RET | BPF_K, 0);

	land(&c, v4);
	add_word(&c, V4_SOURCE);
	add_word(&c, V4_DEST);
	emit(&c, BPF_LDX | BPF_MEM, BASE);
	emit(&c, BPF_LD | BPF_IND | BPF_H, NET + V4_PIECE);
	unsigned piece = jump_if(&c, BPF_JSET, PIECES);
	unsigned bare4 = test_protocol(&c, V4_PROTOCOL, ports4);
	land_three(&c, ports4);
	emit(&c, BPF_LD | BPF_IND | BPF_B, NET);
	emit(&c, BPF_ALU | BPF_AND | BPF_K, 0xf);
	emit(&c, BPF_ALU | BPF_LSH | BPF_K, 2);
	unsigned ports = emit(&c, BPF_JMP | BPF_JA, 0);

	land(&c, v6);
	for (int i = 0; i < V6_WORDS; i++)
		add_word(&c, V6_ADDRESSES + 4 * i);
	unsigned bare6 = test_protocol(&c, V6_NEXT, ports6);
	land_three(&c, ports6);
	emit(&c, BPF_LD | BPF_IMM, V6_HEADER);

	land_always(&c, ports); /* A: length of the IP header */
	emit(&c, BPF_ALU | BPF_ADD | BPF_X, 0);
	emit(&c, BPF_MISC | BPF_TAX, 0);
	emit(&c, BPF_LD | BPF_IND | BPF_H, NET);
	emit(&c, BPF_ST, PORT);
	emit(&c, BPF_LD | BPF_IND | BPF_H, NET + 2);
	emit(&c, BPF_LDX | BPF_MEM, PORT);
	emit(&c, BPF_ALU | BPF_ADD | BPF_X, 0);
	emit(&c, BPF_LDX | BPF_MEM, SUM);
	emit(&c, BPF_ALU | BPF_ADD | BPF_X, 0);
	emit(&c, BPF_ST, SUM);

	land(&c, piece);
	land_always(&c, bare4);
	land_always(&c, bare6);
	emit(&c, BPF_LD | BPF_MEM, SUM);
	emit(&c, BPF_ALU | BPF_MUL | BPF_K, mix);
	emit(&c, BPF_ALU | BPF_RSH | BPF_K, MIX_SHIFT);
	emit(&c, BPF_RET | BPF_A, 0);
	return c.n;
}
