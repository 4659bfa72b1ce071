/* SPDX-License-Identifier: Apache-2.0
 *
 * OPC UA over TCP in its binary encoding (OPC 10000-6: section 6.7 secure
 * conversation, 7.1 connection protocol), any port: which security a channel has,
 * who logs in how, and what kinds of services are used. Where the channel is
 * encrypted, messages are only counted. */
#include "dissectors/opcua_internal.h"

#include <stdio.h>

const struct field opcua_fields[OPCUA_FIELD_COUNT + 1] = {
	/* clang-format off */
	[F_POLICY] = { "opcua.policy", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"security policy of the channel, as None or Basic256Sha256; other for what is not in the standard", PHI_NONE, ABOUT_FLOW },
	[F_MODE] = { "opcua.mode", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"none, sign or sign-and-encrypt: as asked for, or as the first messages show it", PHI_NONE, ABOUT_FLOW },
	[F_IDENTITY] = { "opcua.identity", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"how a session's user says who he is: anonymous, user-name, certificate, issued-token", PHI_NONE, ABOUT_FLOW },
	[F_CLEAR_PASSWORD] = { "opcua.clear_password", FIELD_FLAG, GRAMMAR_NONE, "",
		"a user name came with a password that is not encrypted", PHI_NONE, ABOUT_FLOW },
	[F_ENDPOINT_HOST] = { "opcua.endpoint_host", FIELD_TEXT, GRAMMAR_HOSTNAME, "",
		"host in the address of the endpoint that the client asks for", PHI_SITE, ABOUT_FLOW },
	[F_REVERSE] = { "opcua.reverse", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server made the connection (reverse hello)", PHI_NONE, ABOUT_FLOW },
	[F_REQUESTS] = { "opcua.requests", FIELD_COUNTER, GRAMMAR_NONE, "messages", "service requests", PHI_NONE, ABOUT_FLOW },
	[F_RESPONSES] = { "opcua.responses", FIELD_COUNTER, GRAMMAR_NONE, "messages", "service responses", PHI_NONE, ABOUT_FLOW },
	[F_FAULTS] = { "opcua.faults", FIELD_COUNTER, GRAMMAR_NONE, "messages", "of them, faults", PHI_NONE, ABOUT_FLOW },
	[F_READS] = { "opcua.reads", FIELD_COUNTER, GRAMMAR_NONE, "messages", "Read", PHI_NONE, ABOUT_FLOW },
	[F_WRITES] = { "opcua.writes", FIELD_COUNTER, GRAMMAR_NONE, "messages", "Write", PHI_NONE, ABOUT_FLOW },
	[F_CALLS] = { "opcua.calls", FIELD_COUNTER, GRAMMAR_NONE, "messages", "Call (of methods)", PHI_NONE, ABOUT_FLOW },
	[F_BROWSES] = { "opcua.browses", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"Browse, BrowseNext, TranslateBrowsePathsToNodeIds, QueryFirst, QueryNext", PHI_NONE, ABOUT_FLOW },
	[F_HISTORY_READS] = { "opcua.history_reads", FIELD_COUNTER, GRAMMAR_NONE, "messages", "HistoryRead", PHI_NONE, ABOUT_FLOW },
	[F_HISTORY_UPDATES] = { "opcua.history_updates", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"HistoryUpdate: what was recorded is changed", PHI_NONE, ABOUT_FLOW },
	[F_NODE_CHANGES] = { "opcua.node_changes", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"AddNodes, DeleteNodes, AddReferences, DeleteReferences", PHI_NONE, ABOUT_FLOW },
	[F_SUBSCRIPTIONS] = { "opcua.subscriptions", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"requests that make, change or end subscriptions and their items", PHI_NONE, ABOUT_FLOW },
	[F_PUBLISHES] = { "opcua.publishes", FIELD_COUNTER, GRAMMAR_NONE, "messages", "Publish and Republish", PHI_NONE, ABOUT_FLOW },
	[F_SESSIONS] = { "opcua.sessions", FIELD_COUNTER, GRAMMAR_NONE, "messages", "CreateSession", PHI_NONE, ABOUT_FLOW },
	[F_DISCOVERIES] = { "opcua.discoveries", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"GetEndpoints, FindServers, RegisterServer", PHI_NONE, ABOUT_FLOW },
	[F_OPAQUE] = { "opcua.opaque", FIELD_COUNTER, GRAMMAR_NONE, "messages", "messages that cannot be read", PHI_NONE, ABOUT_FLOW },
	[F_ERRORS] = { "opcua.errors", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"responses with a bad result, and errors of the connection", PHI_NONE, ABOUT_FLOW },
	[F_STATUS] = { "opcua.status", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"status codes that are bad, as 0x80340000 (part 6, A.2)", PHI_NONE, ABOUT_FLOW },
	[F_MALFORMED] = { "opcua.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages", "messages that break the format", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	[OPCUA_FIELD_COUNT] = { .name = NULL },
};

enum {
	PORT = 4840,
	HEADER = 8,
	HELLO_LEAST = 32,  /* its endpoint may be none */
	HELLO_MOST = 8192, /* an endpoint has at most 4096 bytes; later versions might add */
	ACKNOWLEDGE = 28,
	ERROR_LEAST = 16,
	CHANNEL_LEAST = 12,   /* of header, channel */
	MESSAGE_LEAST = 24,   /* ... token, sequence, request */
	CHUNK_MOST = 1 << 24, /* 16 MiB */
	CHUNK_SHOWN = 8192,   /* what is behind is skipped */
	POLICY_MOST = 255,
	BROKEN_MOST = 4, /* in a row */
};

#define POLICIES "http://opcfoundation.org/UA/SecurityPolicy#"

enum kind { KIND_NONE, HELLO, ACKNOWLEDGED, ERROR, REVERSE, OPEN, MESSAGE, CLOSE };

/* Type (three letters), F, C or A, size u32. */
struct chunk {
	enum kind kind;
	char part;
	uint32_t size;
};

void opcua_word(struct opcua_call *call, enum opcua_field f, const char *word)
{
	attributes_text(call->out, &opcua_fields[f], word, strlen(word));
}

void opcua_status(struct opcua_call *call, uint32_t code)
{
	char text[16];

	if (!(code >> 31)) /* good or uncertain */
		return;
	opcua_count(call, F_ERRORS);
	int n = snprintf(text, sizeof(text), "0x%08x", (unsigned)code);
	attributes_text(call->out, &opcua_fields[F_STATUS], text, (size_t)n);
}

static const struct {
	char text[4];
	uint32_t least, most;
} kinds[] = {
	[HELLO] = { "HEL", HELLO_LEAST, HELLO_MOST },
	[ACKNOWLEDGED] = { "ACK", ACKNOWLEDGE, ACKNOWLEDGE },
	[ERROR] = { "ERR", ERROR_LEAST, HELLO_MOST },
	[REVERSE] = { "RHE", ERROR_LEAST, 2 * HELLO_MOST },
	[OPEN] = { "OPN", MESSAGE_LEAST, CHUNK_MOST },
	[MESSAGE] = { "MSG", MESSAGE_LEAST, CHUNK_MOST },
	[CLOSE] = { "CLO", MESSAGE_LEAST, CHUNK_MOST },
};

/* As far as the bytes go they must fit. */
static enum probe_result read_chunk(struct cursor c, struct chunk *out)
{
	*out = (struct chunk){ 0 };
	for (enum kind k = HELLO; k <= CLOSE && !out->kind; k++) {
		bool fits = true;
		for (size_t i = 0; i < 3 && cursor_peek(&c, i) >= 0; i++)
			fits &= cursor_peek(&c, i) == kinds[k].text[i];
		if (fits)
			out->kind = k;
	}
	if (!out->kind)
		return PROBE_NO;
	if (cursor_left(&c) < 4)
		return PROBE_MORE;
	cursor_skip(&c, 3);
	out->part = (char)cursor_u8(&c);
	bool parted = out->kind >= OPEN && (out->part == 'C' || out->part == 'A');
	if (out->part != 'F' && !parted)
		return PROBE_NO;
	out->size = cursor_le32(&c);
	if (c.failed)
		return PROBE_MORE;
	if (out->part == 'A')
		return out->size >= ERROR_LEAST && out->size <= HELLO_MOST ? PROBE_YES : PROBE_NO;
	bool fits = out->size >= kinds[out->kind].least && out->size <= kinds[out->kind].most;
	return fits ? PROBE_YES : PROBE_NO;
}

static bool starts_or_is_cut(struct cursor c, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n && cursor_peek(&c, i) >= 0; i++)
		if (cursor_peek(&c, i) != text[i])
			return false;
	return true;
}

/* Channel u32, policy. */
static enum probe_result probe_open(struct cursor c)
{
	cursor_skip(&c, 4);
	uint32_t length = cursor_le32(&c);

	if (c.failed)
		return PROBE_MORE;
	if (length < sizeof(POLICIES) - 1 || length > POLICY_MOST || !starts_or_is_cut(c, POLICIES))
		return PROBE_NO;
	return cursor_left(&c) >= sizeof(POLICIES) - 1 ? PROBE_YES : PROBE_MORE;
}

/* Channel, token, sequence, request: in the clear a service's type follows; else
 * another chunk must, or nothing. */
static enum probe_result probe_message(const struct cursor *start, const struct chunk *chunk)
{
	struct cursor c = *start;
	struct chunk next;

	cursor_skip(&c, HEADER);
	uint32_t channel = cursor_le32(&c);
	cursor_skip(&c, 12);
	struct cursor type = c;
	uint32_t service = opcua_type(&type);
	if (type.failed && chunk->size > cursor_left(start))
		return PROBE_MORE;
	if (channel && opcua_is_service(service))
		return PROBE_YES;
	if (!channel || chunk->size > cursor_left(start))
		return PROBE_NO;
	c = *start;
	cursor_skip(&c, chunk->size);
	if (!cursor_left(&c))
		return PROBE_YES;
	return read_chunk(c, &next);
}

/* At a chunk. The one that a connection starts with is short and exact. */
static enum probe_result look(const struct cursor *start)
{
	struct cursor c = *start;
	struct chunk chunk;
	enum probe_result r = read_chunk(c, &chunk);

	if (r != PROBE_YES)
		return r;
	cursor_skip(&c, HEADER);
	switch (chunk.kind) {
	case HELLO:
	case ACKNOWLEDGED: {
		uint32_t version = cursor_le32(&c);
		if (c.failed)
			return PROBE_MORE;
		return version < 256 ? PROBE_YES : PROBE_NO;
	}
	case ERROR: /* a bad status */
		cursor_skip(&c, 3);
		return cursor_peek(&c, 0) < 0       ? PROBE_MORE
		       : cursor_peek(&c, 0) == 0x80 ? PROBE_YES
						    : PROBE_NO;
	case REVERSE: {
		uint32_t length = cursor_le32(&c);
		if (c.failed)
			return PROBE_MORE;
		return length + ERROR_LEAST <= chunk.size ? PROBE_YES : PROBE_NO;
	}
	case OPEN:
		return probe_open(c);
	default:
		return probe_message(start, &chunk);
	}
}

/* A place where a chunk begins, anywhere in the bytes: moves there, or to where one
 * may begin that is not all here. */
static enum probe_result find(struct cursor *c)
{
	while (cursor_left(c)) {
		int first = cursor_peek(c, 0);
		bool may = first == 'M' || first == 'O' || first == 'C' || first == 'H';
		enum probe_result r = may ? look(c) : PROBE_NO;
		if (r == PROBE_YES || (r == PROBE_MORE && cursor_left(c) < 2 * MESSAGE_LEAST))
			return r;
		cursor_skip(c, 1);
	}
	return PROBE_NO;
}

static enum probe_result opcua_probe(struct cursor bytes, enum transport transport,
				     uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)transport;
	(void)source_port;
	(void)dest_port;
	(void)midstream; /* a chunk begins with a segment sooner or later */

	return look(&bytes);
}

static struct cursor read_string(struct cursor *c)
{
	uint32_t length = cursor_le32(c);

	return cursor_sub(c, length == UINT32_MAX ? 0 : length);
}

/* "opc.tcp://host:port/path": the host alone, and not that of an IPv6 address. */
static void record_host(struct opcua_call *call, struct cursor url)
{
	static const char scheme[] = "opc.tcp://";
	size_t n = 0;

	if (!cursor_starts(&url, scheme))
		return;
	cursor_skip(&url, sizeof(scheme) - 1);
	while (cursor_peek(&url, n) >= 0 && !strchr(":/?#", cursor_peek(&url, n)))
		n++;
	/* A name in front of the host could be anybody's. */
	if (n && cursor_peek(&url, 0) != '[' && !memchr(url.at, '@', cursor_left(&url)))
		attributes_text(call->out, &opcua_fields[F_ENDPOINT_HOST], url.at, n);
}

static bool read_hello(struct opcua_call *call, struct cursor c)
{
	call->in->role = ROLE_SENDER_IS_CLIENT;
	cursor_skip(&c, 20);
	struct cursor url = read_string(&c);
	if (c.failed)
		return false;
	record_host(call, url);
	return true;
}

static bool read_reverse(struct opcua_call *call, struct cursor c)
{
	call->in->role = ROLE_SENDER_IS_SERVER;
	(void)read_string(&c);
	(void)read_string(&c);
	if (c.failed)
		return false;
	attributes_flag(call->out, &opcua_fields[F_REVERSE]);
	return true;
}

/* A status, and a reason in words that stays here. */
static bool read_error(struct opcua_call *call, struct cursor c)
{
	uint32_t code = cursor_le32(&c);

	if (!c.failed)
		opcua_status(call, code);
	return !c.failed;
}

static void record_policy(struct opcua_call *call, const struct cursor *uri)
{
	static const char *const known[] = {
		"None",
		"Basic128Rsa15",
		"Basic256",
		"Basic256Sha256",
		"Aes128_Sha256_RsaOaep",
		"Aes256_Sha256_RsaPss",
		"PubSub-Aes128-CTR",
		"PubSub-Aes256-CTR",
		"ECC_nistP256",
		"ECC_nistP384",
		"ECC_brainpoolP256r1",
		"ECC_brainpoolP384r1",
		"ECC_curve25519",
		"ECC_curve448",
	};
	struct cursor name = *uri;
	const char *word = "other";

	cursor_skip(&name, sizeof(POLICIES) - 1);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (cursor_left(&name) == strlen(known[i]) && cursor_starts(&name, known[i]))
			word = known[i];
	call->flow->policy = word == known[0] ? POLICY_NONE : POLICY_SECURED;
	opcua_word(call, F_POLICY, word);
}

/* Sequence, request, type: whole only in the first chunk of a message. */
static bool read_service(struct opcua_call *call, struct opcua_side *side, struct cursor c,
			 char part)
{
	cursor_skip(&c, 4);
	uint32_t request = cursor_le32(&c);
	bool continues = side->open && side->request == request;

	if (!continues) {
		uint32_t type = opcua_type(&c);
		if (!opcua_is_service(type))
			return false;
		if (part != 'A')
			opcua_service(call, type, c);
	}
	side->open = part == 'C';
	side->request = request;
	return true;
}

/* Channel, policy, certificate, thumbprint, then a service in the clear if the policy
 * is none. */
static bool read_open(struct opcua_call *call, struct opcua_side *side, struct cursor c, char part)
{
	if (probe_open(c) != PROBE_YES)
		return false;
	cursor_skip(&c, 4);
	struct cursor policy = read_string(&c);
	(void)read_string(&c);
	(void)read_string(&c);
	if (policy.failed)
		return false;
	record_policy(call, &policy);
	if (call->flow->policy == POLICY_NONE)
		return !c.failed && read_service(call, side, c, part);
	side->open = false;
	return true;
}

/* The first message tells a channel that only signs from one that encrypts. */
static void record_mode(struct opcua_call *call, bool readable)
{
	struct opcua *flow = call->flow;

	if (flow->policy != POLICY_SECURED || flow->mode != MODE_UNKNOWN)
		return;
	flow->mode = readable ? MODE_SIGN : MODE_ENCRYPT;
	opcua_word(call, F_MODE, readable ? "sign" : "sign-and-encrypt");
	call->in->encrypted = !readable;
}

static bool read_message(struct opcua_call *call, struct opcua_side *side, struct cursor c,
			 char part)
{
	cursor_skip(&c, 4 + 4);
	bool readable =
		call->flow->mode != MODE_ENCRYPT && !c.failed && read_service(call, side, c, part);
	record_mode(call, readable);
	if (readable)
		return true;
	if (part != 'C')
		opcua_count(call, F_OPAQUE);
	/* In a channel without security there is nothing that cannot be read, but for
	 * services that are newer than this list. */
	return true;
}

static bool read_body(struct opcua_call *call, const struct chunk *chunk, struct cursor c)
{
	struct opcua_side *side = &call->flow->sides[call->in->direction & 1];

	switch (chunk->kind) {
	case HELLO:
		return read_hello(call, c);
	case ACKNOWLEDGED:
		call->in->role = ROLE_SENDER_IS_SERVER;
		return true;
	case REVERSE:
		return read_reverse(call, c);
	case ERROR:
		return read_error(call, c);
	case OPEN:
		return read_open(call, side, c, chunk->part);
	default:
		return read_message(call, side, c, chunk->part);
	}
}

/* Behind a gap: true when the bytes start with a chunk again. */
static bool found_again(struct opcua_call *call, struct opcua_side *side)
{
	side->open = false;
	side->lost = find(&call->in->bytes) != PROBE_YES;
	return !side->lost;
}

static enum dissect_result opcua_dissect(void *state, struct dissect_input *in,
					 struct attributes *out)
{
	struct opcua_call call = { .flow = state, .in = in, .out = out };
	struct opcua_side *side = &call.flow->sides[in->direction & 1];

	side->lost |= in->gap;
	while (cursor_left(&in->bytes) && !in->skip) {
		struct chunk chunk;
		if (side->lost && !found_again(&call, side))
			return DISSECT_MORE;
		enum probe_result r = read_chunk(in->bytes, &chunk);
		size_t shown = chunk.size < CHUNK_SHOWN ? chunk.size : CHUNK_SHOWN;
		if (r == PROBE_MORE || (r == PROBE_YES && cursor_left(&in->bytes) < shown))
			return DISSECT_MORE;
		struct cursor body = in->bytes;
		body = cursor_sub(&body, r == PROBE_YES ? shown : 0);
		cursor_skip(&body, HEADER);
		if (r == PROBE_YES && read_body(&call, &chunk, body)) {
			in->confidence =
				call.flow->known || !in->gap ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
			call.flow->known = true;
			call.flow->broken = 0;
		} else {
			if (!call.flow->known)
				return DISSECT_NOT_MINE;
			opcua_count(&call, F_MALFORMED);
			if (++call.flow->broken == BROKEN_MOST)
				return DISSECT_MALFORMED;
			side->lost = r == PROBE_NO;
		}
		dissect_pass_over(in, r == PROBE_YES ? chunk.size : 1);
	}
	return DISSECT_MORE;
}

const struct dissector dissector_opcua = {
	.name = "opcua",
	.summary = "OPC UA binary protocol over TCP",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = opcua_fields,
	.first = (const struct byte_range[]){ { 'A', 'A' },
					      { 'C', 'C' },
					      { 'E', 'E' },
					      { 'H', 'H' },
					      { 'M', 'M' },
					      { 'O', 'O' },
					      { 'R', 'R' },
					      BYTE_RANGES_END },
	.state_size = sizeof(struct opcua),
	.probe = opcua_probe,
	.dissect = opcua_dissect,
};
