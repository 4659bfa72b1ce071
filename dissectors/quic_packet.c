/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions 1 and 2, and the drafts of version 1 from 23 on, which are still met: 23 to
 * 28 and 29 to 32 had a salt of their own, 33 and 34 that of version 1. */
#include "dissectors/quic_packet.h"

enum {
	LONG_HEADER = 0x80,
	FIXED_BIT = 0x40,
	PROTECTED_LEAST = 4 + 16, /* longest packet number, then the sample behind it */
	DRAFT = 0xff00,           /* versions 0xff0000NN */
};

/* clang-format off */
#define SALT_1 { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, \
		 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a }
#define SALT_2 { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, \
		 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 }
#define SALT_29 { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, \
		  0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 }
#define SALT_23 { 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, \
		  0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 }

static const struct quic_version versions[] = {
	{ 0x00000001, "1", false, SALT_1 },
	{ 0x6b3343cf, "2", true, SALT_2 },
	{ 0xff00001d, "draft-29", false, SALT_29 },
	{ 0xff00001e, "draft-30", false, SALT_29 },
	{ 0xff00001f, "draft-31", false, SALT_29 },
	{ 0xff000020, "draft-32", false, SALT_29 },
	{ 0xff000021, "draft-33", false, SALT_1 },
	{ 0xff000022, "draft-34", false, SALT_1 },
	{ 0xff000017, "draft-23", false, SALT_23 },
	{ 0xff000018, "draft-24", false, SALT_23 },
	{ 0xff000019, "draft-25", false, SALT_23 },
	{ 0xff00001a, "draft-26", false, SALT_23 },
	{ 0xff00001b, "draft-27", false, SALT_23 },
	{ 0xff00001c, "draft-28", false, SALT_23 },
	{ 0xfaceb002, "mvfst-2", false, SALT_23 }, /* Facebook's draft 27 */
};
/* clang-format on */

static const struct quic_version *version_of(uint32_t number)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].number == number)
			return &versions[i];
	return NULL;
}

uint64_t quic_varint(struct cursor *c)
{
	uint8_t first = cursor_u8(c);
	uint64_t v = first & 0x3f;

	for (int more = (1 << (first >> 6)) - 1; more; more--)
		v = v << 8 | cursor_u8(c);
	return c->failed ? 0 : v;
}

/* Bits 4 and 5 of the first byte; version 2 has them shifted round by one. */
static enum quic_kind kind_of(uint8_t first, const struct quic_version *v)
{
	static const enum quic_kind kinds[] = { QUIC_INITIAL, QUIC_EARLY, QUIC_HANDSHAKE,
						QUIC_RETRY };

	return kinds[((first >> 4) - v->second) & 3];
}

/* Those that a server may list: that we know, drafts, and RFC 9000's reserved ones. */
static bool is_plausible(uint32_t number)
{
	return version_of(number) || (number & 0x0f0f0f0f) == 0x0a0a0a0a || number >> 16 == DRAFT;
}

static bool read_negotiation(struct cursor *c, struct quic_packet *p)
{
	p->kind = QUIC_NEGOTIATION;
	p->versions = cursor_sub(c, cursor_left(c));
	struct cursor list = p->versions;
	bool known = false;
	while (cursor_left(&list) >= 4)
		known |= is_plausible(cursor_be32(&list));
	return known && !cursor_left(&list);
}

/* token (Initial only), length, and that many bytes of packet number and payload. */
static bool read_protected(struct cursor *c, bool cut, struct quic_packet *p)
{
	if (p->kind == QUIC_INITIAL) {
		uint64_t token = quic_varint(c);
		if (token > cursor_left(c))
			return cut && token < UINT16_MAX && !c->failed;
		cursor_skip(c, (size_t)token);
	}
	uint64_t length = quic_varint(c);
	if (c->failed)
		return cut;
	if (length < PROTECTED_LEAST || length > UINT16_MAX)
		return false;
	if (length > cursor_left(c) && !cut)
		return false;
	p->body = cursor_sub(c, length < cursor_left(c) ? (size_t)length : cursor_left(c));
	return true;
}

static struct cursor read_id(struct cursor *c)
{
	uint8_t n = cursor_u8(c);

	if (n > QUIC_ID_MOST)
		c->failed = true;
	return cursor_sub(c, n);
}

bool quic_read_packet(struct cursor *c, bool cut, struct quic_packet *p)
{
	*p = (struct quic_packet){ .start = c->at };
	uint8_t first = cursor_u8(c);
	uint32_t number = cursor_be32(c);
	p->destination_id = read_id(c);
	p->source_id = read_id(c);
	if (c->failed || !(first & LONG_HEADER))
		return false;
	if (number == 0)
		return read_negotiation(c, p);
	if (!(first & FIXED_BIT))
		return false;
	p->version = version_of(number);
	if (!p->version) {
		p->kind = QUIC_GREASED;
		p->body = cursor_sub(c, cursor_left(c));
		return (number & 0x0f0f0f0f) == 0x0a0a0a0a;
	}
	p->kind = kind_of(first, p->version);
	if (p->kind != QUIC_RETRY)
		return read_protected(c, cut, p);
	p->body = cursor_sub(c, cursor_left(c));
	return cursor_left(&p->body) > GCM_TAG;
}

void quic_client_keys(const struct quic_version *v, struct cursor id, struct quic_keys *k)
{
	uint8_t secret[SHA256_BYTES], client[SHA256_BYTES];

	hkdf_sha256_extract(v->salt, sizeof(v->salt), id.at, cursor_left(&id), secret);
	const struct hkdf_label first = { "client in", client, sizeof(client) };
	const struct hkdf_label rest[] = {
		{ v->second ? "quicv2 key" : "quic key", k->key, sizeof(k->key) },
		{ v->second ? "quicv2 iv" : "quic iv", k->nonce, sizeof(k->nonce) },
		{ v->second ? "quicv2 hp" : "quic hp", k->header, sizeof(k->header) },
	};
	hkdf_sha256_labels(secret, &first, 1);
	hkdf_sha256_labels(client, rest, sizeof(rest) / sizeof(rest[0]));
}

/* The packet number is not restored to its full 62 bits: a client's first packets have
 * small ones, which are whole on the wire. */
struct cursor quic_open(const struct quic_keys *k, const struct quic_packet *p,
			uint8_t out[QUIC_PACKET_MOST])
{
	uint8_t head[QUIC_PACKET_MOST], mask[AES_BLOCK], nonce[GCM_NONCE];
	struct cursor c = p->body;
	size_t n = (size_t)(c.at - p->start), body = cursor_left(&c);

	if (body < PROTECTED_LEAST || n + body > QUIC_PACKET_MOST)
		return (struct cursor){ .failed = true };
	aes128_block(k->header, c.at + 4, mask);
	memcpy(head, p->start, n);
	head[0] ^= mask[0] & 0x0f;
	size_t digits = (head[0] & 3) + 1U;
	memcpy(nonce, k->nonce, sizeof(nonce));
	for (size_t i = 0; i < digits; i++) {
		uint8_t digit = cursor_u8(&c) ^ mask[1 + i];
		head[n + i] = digit;
		nonce[sizeof(nonce) - digits + i] ^= digit;
	}
	size_t frames = cursor_left(&c) - GCM_TAG;
	if (!aes128_gcm_open(k->key, nonce, head, n + digits, c.at, frames, out))
		return (struct cursor){ .failed = true };
	return cursor_of(out, frames);
}
