/* SPDX-License-Identifier: Apache-2.0
 *
 * IPsec's key exchange over UDP, any port: IKEv2 (RFC 7296), IKEv1 (RFC 2408, 2409),
 * both also behind the non-ESP marker of port 4500 (RFC 3948), where the tunnel's own
 * packets are counted. ESP as IP protocol 50 has no ports and is not seen here. Identities are
 * not read, not even where IKEv1 shows them. */
#include "dissectors/words.h"

enum {
	VERSION,
	EXCHANGE,
	ENCRYPTION,
	INTEGRITY,
	PSEUDO_RANDOM,
	GROUP,
	METHOD,
	NOTIFY,
	AGGRESSIVE,
	WEAK,
	MESSAGES,
	TUNNELED,
};

static const struct field fields[] = {
	/* clang-format off */
	[VERSION] = { "ipsec.ike_version", FIELD_TEXTS, GRAMMAR_VERSION, "", "1 or 2", PHI_NONE, ABOUT_FLOW },
	[EXCHANGE] = { "ipsec.exchange", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"kinds of exchanges", PHI_NONE, ABOUT_FLOW },
	[ENCRYPTION] = { "ipsec.encryption", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"cipher that the responder chose for the key exchange", PHI_NONE, ABOUT_FLOW },
	[INTEGRITY] = { "ipsec.integrity", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"integrity check (IKEv1: hash) that the responder chose", PHI_NONE, ABOUT_FLOW },
	[PSEUDO_RANDOM] = { "ipsec.prf", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"pseudo-random function that the responder chose", PHI_NONE, ABOUT_FLOW },
	[GROUP] = { "ipsec.group", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"Diffie-Hellman group that the responder chose", PHI_NONE, ABOUT_FLOW },
	[METHOD] = { "ipsec.authentication", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"how the ends prove who they are (IKEv1 only): psk, rsa, xauth-psk, ...", PHI_NONE, ABOUT_FLOW },
	[NOTIFY] = { "ipsec.error", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"errors told in clear text", PHI_NONE, ABOUT_FLOW },
	[AGGRESSIVE] = { "ipsec.aggressive_mode", FIELD_FLAG, GRAMMAR_NONE, "",
		"IKEv1 with identities in clear text and a hash of the shared key to guess at", PHI_NONE, ABOUT_FLOW },
	[WEAK] = { "ipsec.weak", FIELD_FLAG, GRAMMAR_NONE, "",
		"the responder chose DES, 3DES, MD5 or a group of 1024 bits or less", PHI_NONE, ABOUT_FLOW },
	[MESSAGES] = { "ipsec.ike_messages", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"messages of the key exchange", PHI_NONE, ABOUT_FLOW },
	[TUNNELED] = { "ipsec.esp_packets", FIELD_COUNTER, GRAMMAR_NONE, "packets",
		"packets of the tunnel in UDP", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum {
	PORT_NAT = 4500,
	HEADER = 28,
	PAYLOADS_MOST = 32,
	TRANSFORMS_MOST = 64,
	V1_SA = 1,
	V1_NOTIFY = 11,
	V2_SA = 33,
	V2_NOTIFY = 41,
	V2_ENCRYPTED = 46,
	V1_AGGRESSIVE = 4,
	FLAG_V1_ENCRYPTED = 0x01,
	FLAG_V2_INITIATOR = 0x08,
	FLAG_V2_RESPONSE = 0x20,
};

enum { KIND_ENCRYPTION = 1, KIND_PRF, KIND_INTEGRITY, KIND_GROUP };

static const struct word exchanges[] = {
	{ 2, "main" },
	{ 4, "aggressive" },
	{ 5, "informational" },
	{ 6, "transaction" },
	{ 32, "quick" },
	{ 33, "new-group" },
	{ 34, "ike-sa-init" },
	{ 35, "ike-auth" },
	{ 36, "create-child-sa" },
	{ 37, "informational" },
	{ 38, "session-resume" },
	{ 43, "ike-intermediate" },
	{ 44, "followup" },
	{ 0, NULL },
};

static const struct word encryptions[] = {
	{ 2, "des" },
	{ 3, "3des" },
	{ 5, "idea" },
	{ 6, "cast" },
	{ 7, "blowfish" },
	{ 11, "null" },
	{ 12, "aes-cbc" },
	{ 13, "aes-ctr" },
	{ 14, "aes-ccm-8" },
	{ 15, "aes-ccm-12" },
	{ 16, "aes-ccm-16" },
	{ 18, "aes-gcm-8" },
	{ 19, "aes-gcm-12" },
	{ 20, "aes-gcm-16" },
	{ 23, "camellia-cbc" },
	{ 28, "chacha20-poly1305" },
	{ 0, NULL },
};

static const struct word prfs[] = {
	{ 1, "hmac-md5" },      { 2, "hmac-sha1" },
	{ 4, "aes128-xcbc" },   { 5, "hmac-sha2-256" },
	{ 6, "hmac-sha2-384" }, { 7, "hmac-sha2-512" },
	{ 8, "aes128-cmac" },   { 0, NULL },
};

static const struct word integrities[] = {
	{ 0, "none" },
	{ 1, "hmac-md5-96" },
	{ 2, "hmac-sha1-96" },
	{ 5, "aes-xcbc-96" },
	{ 8, "aes-cmac-96" },
	{ 12, "hmac-sha2-256-128" },
	{ 13, "hmac-sha2-384-192" },
	{ 14, "hmac-sha2-512-256" },
	{ 0, NULL },
};

static const struct word groups[] = {
	{ 1, "modp768" },
	{ 2, "modp1024" },
	{ 5, "modp1536" },
	{ 14, "modp2048" },
	{ 15, "modp3072" },
	{ 16, "modp4096" },
	{ 17, "modp6144" },
	{ 18, "modp8192" },
	{ 19, "ecp256" },
	{ 20, "ecp384" },
	{ 21, "ecp521" },
	{ 22, "modp1024s160" },
	{ 23, "modp2048s224" },
	{ 24, "modp2048s256" },
	{ 31, "curve25519" },
	{ 32, "curve448" },
	{ 0, NULL },
};

/* RFC 2409 appendix A, and numbers of Wi-Fi days for AES and SHA-2. */
static const struct word encryptions_1[] = {
	{ 1, "des" },  { 2, "idea" },    { 3, "blowfish" },     { 4, "rc5" }, { 5, "3des" },
	{ 6, "cast" }, { 7, "aes-cbc" }, { 8, "camellia-cbc" }, { 0, NULL },
};

static const struct word hashes_1[] = {
	{ 1, "md5" },      { 2, "sha1" },     { 3, "tiger" }, { 4, "sha2-256" },
	{ 5, "sha2-384" }, { 6, "sha2-512" }, { 0, NULL },
};

static const struct word methods_1[] = {
	{ 1, "psk" },           { 2, "dss" },
	{ 3, "rsa" },           { 4, "rsa-encryption" },
	{ 9, "ecdsa-256" },     { 10, "ecdsa-384" },
	{ 11, "ecdsa-521" },    { 64221, "hybrid" },
	{ 65001, "xauth-psk" }, { 65003, "xauth-dss" },
	{ 65005, "xauth-rsa" }, { 0, NULL },
};

static const struct word notifies[] = {
	{ 1, "unsupported-critical-payload" },
	{ 4, "invalid-spi" },
	{ 5, "invalid-major-version" },
	{ 7, "invalid-syntax" },
	{ 9, "invalid-message-id" },
	{ 11, "invalid-spi" },
	{ 14, "no-proposal-chosen" },
	{ 17, "invalid-ke-payload" },
	{ 18, "invalid-id" },
	{ 24, "authentication-failed" },
	{ 34, "single-pair-required" },
	{ 38, "ts-unacceptable" },
	{ 0, NULL },
};

struct ipsec {
	bool known;
};

struct ike {
	uint64_t initiator, responder;
	uint8_t next, version, exchange, flags;
	struct cursor payloads;
};

/* RFC 7296 section 3.1, RFC 2408 section 3.1: two cookies u64, next payload, version,
 * exchange, flags, message id u32, length u32 of all. */
static bool read_header(struct cursor c, struct ike *h)
{
	size_t n = cursor_left(&c);

	h->initiator = cursor_be64(&c);
	h->responder = cursor_be64(&c);
	h->next = cursor_u8(&c);
	h->version = cursor_u8(&c);
	h->exchange = cursor_u8(&c);
	h->flags = cursor_u8(&c);
	cursor_skip(&c, 4);
	uint32_t length = cursor_be32(&c);
	h->payloads = c;
	if (c.failed || length < HEADER || length != n || !h->initiator)
		return false;
	if (h->version == 0x20)
		return h->exchange >= 34 && h->exchange <= 44 && word_of(exchanges, h->exchange) &&
		       !(h->flags & 0xc7);
	return h->version == 0x10 && h->exchange <= 33 && word_of(exchanges, h->exchange) &&
	       !(h->flags & 0xf8);
}

/* RFC 3948 section 2.2: four zeros where ESP has its SPI. */
static bool read_marked(struct cursor c, struct ike *h)
{
	if (cursor_left(&c) > 4 && cursor_be32(&c) == 0)
		return read_header(c, h);
	return false;
}

static bool read_ike(struct cursor c, struct ike *h)
{
	return read_header(c, h) || read_marked(c, h);
}

static enum probe_result ipsec_probe(struct cursor bytes, enum transport transport,
				     uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct ike h;
	(void)transport, (void)source_port, (void)dest_port, (void)midstream;

	/* The length at the end of the header is that of the datagram, which may be
	 * longer than what is shown. */
	struct cursor c = bytes;
	size_t n = cursor_left(&c);
	if (n < DISSECT_PROBE_MOST)
		return read_ike(c, &h) ? PROBE_YES : PROBE_NO;
	for (size_t marker = 0; marker <= 4; marker += 4) {
		c = bytes;
		if (marker && cursor_be32(&c))
			break;
		struct cursor head = cursor_sub(&c, HEADER);
		uint8_t copy[HEADER];
		memcpy(copy, head.at, HEADER);
		uint32_t length = (uint32_t)copy[24] << 24 | (uint32_t)copy[25] << 16 |
				  (uint32_t)copy[26] << 8 | copy[27];
		if (length < n - marker || length > UINT16_MAX)
			continue;
		copy[24] = copy[25] = copy[26] = 0;
		copy[27] = HEADER;
		if (read_header(cursor_of(copy, HEADER), &h))
			return PROBE_YES;
	}
	return PROBE_NO;
}

static void weak_if(bool weak, struct attributes *out)
{
	if (weak)
		attributes_flag(out, &fields[WEAK]);
}

/* RFC 7296 section 3.3.2: last u8, reserved, length u16, type u8, reserved, id u16,
 * attributes (14: key length in bits) */
static void read_transform_2(struct cursor c, struct attributes *out)
{
	cursor_skip(&c, 4);
	uint8_t kind = cursor_u8(&c);
	cursor_skip(&c, 1);
	uint16_t id = cursor_be16(&c);
	if (c.failed)
		return;
	switch (kind) {
	case KIND_ENCRYPTION: {
		char text[40];
		const char *word = word_of(encryptions, id);
		uint16_t attribute = cursor_be16(&c), bits = cursor_be16(&c);
		if (word && attribute == 0x800e && !c.failed)
			snprintf(text, sizeof(text), "%s-%u", word, bits);
		else
			snprintf(text, sizeof(text), "%s", word ? word : "other");
		attributes_word(out, &fields[ENCRYPTION], text);
		weak_if(id <= 3 || id == 11, out);
		break;
	}
	case KIND_PRF:
		attributes_code(out, &fields[PSEUDO_RANDOM], prfs, id, "prf");
		weak_if(id == 1, out);
		break;
	case KIND_INTEGRITY:
		attributes_code(out, &fields[INTEGRITY], integrities, id, "integrity");
		weak_if(id == 1, out);
		break;
	case KIND_GROUP:
		attributes_code(out, &fields[GROUP], groups, id, "group");
		weak_if(id <= 2 || id == 22, out);
		break;
	default:
		break;
	}
}

/* RFC 2409 appendix A: attributes type u16 and value u16 (high bit), or length u16. */
static void read_transform_1(struct cursor c, struct attributes *out)
{
	const char *cipher = NULL;
	unsigned bits = 0;
	char text[40];

	cursor_skip(&c, 8); /* next, reserved, length u16, number, id, reserved u16 */
	while (cursor_left(&c) >= 4) {
		uint16_t type = cursor_be16(&c), value = cursor_be16(&c);
		if (!(type & 0x8000)) {
			cursor_skip(&c, value);
			continue;
		}
		switch (type & 0x7fff) {
		case 1:
			cipher = word_of(encryptions_1, value);
			weak_if(value == 1 || value == 5, out);
			break;
		case 2:
			attributes_code(out, &fields[INTEGRITY], hashes_1, value, "hash");
			weak_if(value == 1, out);
			break;
		case 3:
			attributes_code(out, &fields[METHOD], methods_1, value, "method");
			break;
		case 4:
			attributes_code(out, &fields[GROUP], groups, value, "group");
			weak_if(value <= 2, out);
			break;
		case 14:
			bits = value;
			break;
		default:
			break;
		}
	}
	snprintf(text, sizeof(text), bits && cipher ? "%s-%u" : "%s", cipher ? cipher : "other",
		 bits);
	attributes_word(out, &fields[ENCRYPTION], text);
}

/* RFC 7296 section 3.3.1 and RFC 2408 3.5: last u8, reserved, length u16, number,
 * protocol, SPI size, transforms */
static void read_proposal(struct cursor c, bool second, struct attributes *out)
{
	cursor_skip(&c, 6);
	size_t spi = cursor_u8(&c);
	cursor_skip(&c, 1);
	cursor_skip(&c, spi);
	for (int i = 0; i < TRANSFORMS_MOST && cursor_left(&c) >= 8; i++) {
		struct cursor head = c;
		cursor_skip(&head, 2);
		size_t length = cursor_be16(&head);
		struct cursor transform = cursor_sub(&c, length);
		if (transform.failed || length < 8)
			return;
		if (second)
			read_transform_2(transform, out);
		else
			read_transform_1(transform, out);
	}
}

static void read_notify(struct cursor c, bool second, struct attributes *out)
{
	if (!second)
		cursor_skip(&c, 4); /* domain of interpretation */
	cursor_skip(&c, 2);         /* protocol, SPI size */
	uint16_t type = cursor_be16(&c);
	if (!c.failed && type > 0 && type < 8192)
		attributes_code(out, &fields[NOTIFY], notifies, type, "notify");
}

/* RFC 7296 section 3.2: next u8, flags, length u16, and the payload */
static void read_payloads(const struct ike *h, bool response, struct attributes *out)
{
	bool second = h->version == 0x20;
	struct cursor c = h->payloads;
	uint8_t type = h->next;

	for (int i = 0; i < PAYLOADS_MOST && type && cursor_left(&c); i++) {
		uint8_t next = cursor_u8(&c);
		cursor_skip(&c, 1);
		uint16_t length = cursor_be16(&c);
		struct cursor body = cursor_sub(&c, length < 4 ? SIZE_MAX : (size_t)length - 4);
		if (body.failed)
			return;
		if (type == (second ? V2_NOTIFY : V1_NOTIFY))
			read_notify(body, second, out);
		if (type == (second ? V2_SA : V1_SA) && response) {
			if (!second)
				cursor_skip(&body, 8); /* domain u32, situation u32 */
			read_proposal(body, second, out);
		}
		if (second && type == V2_ENCRYPTED)
			return;
		type = next;
	}
}

static void record(const struct ike *h, struct dissect_input *in, struct attributes *out)
{
	bool second = h->version == 0x20;
	bool response = second ? h->flags & FLAG_V2_RESPONSE : h->responder != 0;
	bool secret = second ? h->next == V2_ENCRYPTED : h->flags & FLAG_V1_ENCRYPTED;

	in->confidence = CONFIDENCE_HIGH;
	in->encrypted = secret;
	attributes_add(out, &fields[MESSAGES], 1);
	attributes_word(out, &fields[VERSION], second ? "2" : "1");
	attributes_code(out, &fields[EXCHANGE], exchanges, h->exchange, "exchange");
	if (second)
		in->role = h->flags & FLAG_V2_INITIATOR ? ROLE_SENDER_IS_CLIENT
							: ROLE_SENDER_IS_SERVER;
	else if (!h->responder)
		in->role = ROLE_SENDER_IS_CLIENT;
	if (!second && h->exchange == V1_AGGRESSIVE)
		attributes_flag(out, &fields[AGGRESSIVE]);
	if (!secret)
		read_payloads(h, response, out);
}

static enum dissect_result ipsec_dissect(void *state, struct dissect_input *in,
					 struct attributes *out)
{
	struct ipsec *s = state;
	struct ike h;

	if (read_ike(in->bytes, &h)) {
		s->known = true;
		record(&h, in, out);
		return DISSECT_MORE;
	}
	if (!s->known)
		return DISSECT_NOT_MINE;
	/* One byte keeps a translation alive (RFC 3948 section 2.3). */
	if (cursor_left(&in->bytes) > 8 && cursor_be32(&in->bytes) != 0)
		attributes_add(out, &fields[TUNNELED], 1);
	return DISSECT_MORE;
}

const struct dissector dissector_ipsec = {
	.name = "ipsec",
	.summary = "IPsec key exchange (IKEv1, IKEv2) and tunnels in UDP",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ 500, PORT_NAT, 0 },
	.fields = fields,
	.state_size = sizeof(struct ipsec),
	.probe = ipsec_probe,
	.dissect = ipsec_dissect,
};
