/* SPDX-License-Identifier: Apache-2.0
 *
 * Remote Desktop (MS-RDPBCGR 2.2.1.1 and 2.2.1.2 over X.224 over TPKT, RFC 1006) on
 * TCP, any port: which protections are asked for and chosen. A cookie mostly holds a
 * user's name: only that there is one is said. S7 and MMS begin with the same TPKT, so
 * a request is ours by its cookie or its negotiation alone. */
#include "dissectors/words.h"

enum { REQUESTED, SELECTED, FAILURE, COOKIE, TOKEN, RESTRICTED };

static const struct field fields[] = {
	/* clang-format off */
	[REQUESTED] = { "rdp.requested", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"protections that the client can do: rdp (RC4 at best), tls, credssp, rdstls, credssp-early, aad",
		PHI_NONE, ABOUT_FLOW },
	[SELECTED] = { "rdp.selected", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"the protection that the server chose", PHI_NONE, ABOUT_FLOW },
	[FAILURE] = { "rdp.failure", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"why the server refused to negotiate", PHI_NONE, ABOUT_FLOW },
	[COOKIE] = { "rdp.user_cookie", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client sent a user name in clear text; the name is not taken", PHI_NONE, ABOUT_FLOW },
	[TOKEN] = { "rdp.routing_token", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client was sent here by a load balancer", PHI_NONE, ABOUT_FLOW },
	[RESTRICTED] = { "rdp.restricted_admin", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client asks for restricted administration: no credentials are handed over",
		PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum {
	PORT = 3389,
	TPKT = 4,
	X224_HEADER = 7, /* length, code, two references u16, class */
	REQUEST = 0xe0,
	CONFIRM = 0xd0,
	DATA = 0xf0,
	NEGOTIATION = 8,
	NEGOTIATION_REQUEST = 1,
	NEGOTIATION_RESPONSE = 2,
	NEGOTIATION_FAILURE = 3,
	COOKIE_MOST = 300,
	PATIENCE = 32, /* offers behind the confirmation */
};

static const struct word protections[] = {
	{ 0, "rdp" },           { 1, "tls" },  { 2, "credssp" }, { 4, "rdstls" },
	{ 8, "credssp-early" }, { 16, "aad" }, { 0, NULL },
};

static const struct word failures[] = {
	{ 1, "tls-required" },
	{ 2, "tls-not-allowed" },
	{ 3, "no-certificate" },
	{ 4, "inconsistent-flags" },
	{ 5, "credssp-required" },
	{ 6, "tls-user-auth-required" },
	{ 0, NULL },
};

struct rdp {
	bool asked, answered, over[2];
	uint8_t server, waited;
	bool secured; /* TLS is to follow */
};

struct request {
	uint8_t code;
	bool cookie, token, negotiates;
	uint8_t type, flags;
	uint32_t value;
};

enum reading { READ_OK, READ_SHORT, READ_BAD };

/* RFC 1006: version 3, reserved, length u16 of all. */
static enum reading read_tpkt(struct cursor *c, struct cursor *body)
{
	uint8_t version = cursor_u8(c);
	bool started = !c->failed;
	uint8_t reserved = cursor_u8(c);
	uint16_t length = cursor_be16(c);

	if (started && (version != 3 || reserved != 0))
		return READ_BAD;
	if (c->failed)
		return READ_SHORT;
	if (length < TPKT + 3)
		return READ_BAD;
	*body = cursor_sub(c, (size_t)length - TPKT);
	return body->failed ? READ_SHORT : READ_OK;
}

/* Takes a line that ends in CR LF. */
static bool take_line(struct cursor *c)
{
	long end = cursor_find(c, "\r\n", 2);

	if (end < 0 || end > COOKIE_MOST)
		return false;
	cursor_skip(c, (size_t)end + 2);
	return true;
}

/* X.224 section 13.3: length, 1110 or 1101 and credit, destination u16, source u16,
 * class; then what RDP puts in. */
static bool read_x224(struct cursor c, struct request *r)
{
	size_t length = cursor_u8(&c);

	*r = (struct request){ .code = cursor_u8(&c) & 0xf0 };
	if (c.failed || length != cursor_left(&c) + 1 || (r->code != REQUEST && r->code != CONFIRM))
		return false;
	cursor_skip(&c, 4);
	uint8_t class = cursor_u8(&c);
	if (c.failed || class != 0)
		return false;
	if (r->code == REQUEST && cursor_starts(&c, "Cookie: mstshash="))
		r->cookie = take_line(&c);
	else if (r->code == REQUEST &&
		 (cursor_starts(&c, "Cookie: msts=") || cursor_starts(&c, "tsv:")))
		r->token = take_line(&c);
	if (!cursor_left(&c))
		return true;
	r->type = cursor_u8(&c);
	r->flags = cursor_u8(&c);
	uint16_t size = cursor_le16(&c);
	r->value = cursor_le32(&c);
	r->negotiates = true;
	return !c.failed && size == NEGOTIATION;
}

/* ISO transport without any parameters asks for nothing else that is known. */
static bool is_request(const struct request *r, uint16_t port)
{
	if (r->code != REQUEST)
		return false;
	if (r->negotiates)
		return r->type == NEGOTIATION_REQUEST && r->value < 0x20;
	return r->cookie || r->token || port == PORT;
}

static bool is_confirm(const struct request *r)
{
	return r->code == CONFIRM && (!r->negotiates || r->type == NEGOTIATION_RESPONSE ||
				      r->type == NEGOTIATION_FAILURE);
}

static enum probe_result rdp_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct cursor body;
	struct request r;
	(void)transport, (void)source_port, (void)midstream;

	int code = cursor_peek(&bytes, 5), high = cursor_peek(&bytes, 2);
	if ((code >= 0 && code != REQUEST) || high > 1)
		return PROBE_NO;
	enum reading got = read_tpkt(&bytes, &body);
	if (got == READ_SHORT)
		return PROBE_MORE;
	if (got == READ_BAD || !read_x224(body, &r))
		return PROBE_NO;
	return is_request(&r, dest_port) ? PROBE_YES : PROBE_NO;
}

static void take_request(struct rdp *s, const struct request *r, struct dissect_input *in,
			 struct attributes *out)
{
	s->asked = true;
	s->server = !in->direction;
	in->role = ROLE_SENDER_IS_CLIENT;
	in->confidence = r->negotiates ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
	if (r->cookie)
		attributes_flag(out, &fields[COOKIE]);
	if (r->token)
		attributes_flag(out, &fields[TOKEN]);
	if (!r->negotiates || r->value == 0)
		attributes_word(out, &fields[REQUESTED], "rdp");
	for (uint32_t bit = 1; r->negotiates && bit < 0x20; bit <<= 1)
		if (r->value & bit)
			attributes_code(out, &fields[REQUESTED], protections, bit, "bit");
	if (r->negotiates && r->flags & 1)
		attributes_flag(out, &fields[RESTRICTED]);
}

static void take_confirm(struct rdp *s, const struct request *r, struct dissect_input *in,
			 struct attributes *out)
{
	s->answered = true;
	in->role = ROLE_SENDER_IS_SERVER;
	in->confidence = CONFIDENCE_HIGH;
	if (r->negotiates && r->type == NEGOTIATION_FAILURE) {
		attributes_code(out, &fields[FAILURE], failures, r->value, "failure");
		return;
	}
	uint32_t selected = r->negotiates ? r->value : 0;
	attributes_code(out, &fields[SELECTED], protections, selected, "protocol");
	s->secured = selected != 0;
}

/* Only what was read is called encrypted: the server's TLS hello. */
static enum dissect_result watch(struct rdp *s, struct dissect_input *in)
{
	enum sight sight = sees_hello(&in->bytes, 2);

	if (in->direction == s->server) {
		if (sight == SIGHT_MORE)
			return DISSECT_MORE;
		in->encrypted = sight == SIGHT_YES;
		return DISSECT_DONE;
	}
	cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return ++s->waited == PATIENCE ? DISSECT_DONE : DISSECT_MORE;
}

static enum dissect_result rdp_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct rdp *s = state;
	struct cursor body;
	struct request r;

	if (in->gap && s->answered)
		return DISSECT_DONE;
	if (!cursor_left(&in->bytes))
		return DISSECT_MORE;
	if (s->asked && s->answered)
		return s->secured ? watch(s, in) : DISSECT_DONE;
	struct cursor c = in->bytes;
	enum reading got = read_tpkt(&c, &body);
	if (got == READ_SHORT)
		return DISSECT_MORE;
	bool ours = got == READ_OK && read_x224(body, &r);
	if (!s->asked) {
		if (!ours || !is_request(&r, in->dest_port))
			return DISSECT_NOT_MINE;
		take_request(s, &r, in, out);
	} else if (in->direction == s->server) {
		if (!ours || !is_confirm(&r))
			return DISSECT_MALFORMED;
		take_confirm(s, &r, in, out);
	} else {
		return DISSECT_MORE; /* the client is ahead of an answer that is still to be seen */
	}
	in->bytes = c;
	return s->answered && !s->secured ? DISSECT_DONE : DISSECT_MORE;
}

const struct dissector dissector_rdp = {
	.name = "rdp",
	.summary = "Remote Desktop Protocol: protection asked for and chosen",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 3, 3 }, BYTE_RANGES_END },
	.state_size = sizeof(struct rdp),
	.probe = rdp_probe,
	.dissect = rdp_dissect,
};
