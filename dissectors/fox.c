/* SPDX-License-Identifier: Apache-2.0
 *
 * Niagara Fox (Tridium, unpublished; the form of its greeting is known from nmap's fox-info
 * and from captures): which versions of which software answer and ask, in clear text. Only
 * greetings are read; host, station and user names, licence numbers and all that follows
 * the greetings are not. */
#include "dissectors/dissector.h"

#include <string.h>

enum {
	HELLOS,
	REFUSALS,
	MALFORMED,
	VERSION,
	APP,
	APP_VERSION,
	VM,
	VM_VERSION,
	OS,
	OS_VERSION,
	BRAND,
	AUTH,
	CLIENT_VERSION,
	CLIENT_APP,
	CLIENT_APP_VERSION,
	CLIENT_OS,
	CLIENT_OS_VERSION,
};

#define SERVER(noun, grammar, meaning) \
	{ \
		"fox." noun, FIELD_TEXT, grammar, "", meaning, PHI_DEVICE, ABOUT_SERVER \
	}
#define CLIENT(noun, grammar, meaning) \
	{ \
		"fox." noun, FIELD_TEXT, grammar, "", meaning, PHI_DEVICE, ABOUT_CLIENT \
	}

static const struct field fields[] = {
	/* clang-format off */
	[HELLOS] = { "fox.hellos", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"greetings, of both sides", PHI_NONE, ABOUT_FLOW },
	[REFUSALS] = { "fox.refusals", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"greetings that say the other side cannot be served", PHI_NONE, ABOUT_FLOW },
	[MALFORMED] = { "fox.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"greetings that break off or do not end", PHI_NONE, ABOUT_FLOW },
	[VERSION] = SERVER("version", GRAMMAR_VERSION, "version of the protocol that the server speaks"),
	[APP] = SERVER("app", GRAMMAR_PRODUCT, "the server's program: Station, Workbench, ..."),
	[APP_VERSION] = SERVER("app_version", GRAMMAR_VERSION, "its version"),
	[VM] = SERVER("vm", GRAMMAR_PRODUCT, "the virtual machine that it runs in, the first 32 letters"),
	[VM_VERSION] = SERVER("vm_version", GRAMMAR_VERSION, "its version"),
	[OS] = SERVER("os", GRAMMAR_PRODUCT, "the server's operating system"),
	[OS_VERSION] = SERVER("os_version", GRAMMAR_VERSION, "its version"),
	[BRAND] = SERVER("brand", GRAMMAR_TOKEN, "the brand it is sold under"),
	[AUTH] = SERVER("auth", GRAMMAR_TOKEN, "how clients prove who they are, the first of what it offers; or other"),
	[CLIENT_VERSION] = CLIENT("client_version", GRAMMAR_VERSION, "version of the protocol that the client speaks"),
	[CLIENT_APP] = CLIENT("client_app", GRAMMAR_PRODUCT, "the client's program"),
	[CLIENT_APP_VERSION] = CLIENT("client_app_version", GRAMMAR_VERSION, "its version"),
	[CLIENT_OS] = CLIENT("client_os", GRAMMAR_PRODUCT, "the client's operating system"),
	[CLIENT_OS_VERSION] = CLIENT("client_os_version", GRAMMAR_VERSION, "its version"),
	/* clang-format on */
	{ 0 },
};

enum { NONE = 0xff };

static const struct key {
	const char *name;
	uint8_t of_server, of_client;
} keys[] = {
	{ "fox.version", VERSION, CLIENT_VERSION },
	{ "app.name", APP, CLIENT_APP },
	{ "app.version", APP_VERSION, CLIENT_APP_VERSION },
	{ "vm.name", VM, NONE },
	{ "vm.version", VM_VERSION, NONE },
	{ "os.name", OS, CLIENT_OS },
	{ "os.version", OS_VERSION, CLIENT_OS_VERSION },
	{ "brandId", BRAND, NONE },
	{ "authAgentTypeSpecs", AUTH, NONE },
};

enum { LINE_MOST = 512, HELLO_MOST = 65536, PRODUCT_MOST = 32 };

enum stage { STAGE_HEADER, STAGE_BRACE, STAGE_LINES, STAGE_LONG_LINE, STAGE_OVER };

struct fox {
	struct side {
		uint8_t stage; /* of enum stage */
		bool client;
		uint32_t bytes;
	} sides[2];
};

/* Whether the line goes on with a text; so far as there is any. */
static bool expect(struct cursor *c, const char *text)
{
	for (; *text && cursor_left(c); text++)
		if (cursor_u8(c) != (uint8_t)*text)
			return false;
	return true;
}

/* "fox a 1 -1 fox hello": a request (1) or its reply (0), a number, what it is. NO and
 * MORE as of a probe. */
static enum probe_result read_header(struct cursor *c, bool *client)
{
	bool good = expect(c, "fox a ");
	int kind = cursor_peek(c, 0);

	if (!good || (kind >= 0 && kind != '0' && kind != '1'))
		return PROBE_NO;
	*client = kind == '1';
	cursor_skip(c, kind >= 0);
	if (!expect(c, " "))
		return PROBE_NO;
	if (cursor_peek(c, 0) == '-')
		cursor_skip(c, 1);
	for (unsigned digits = 0; cursor_left(c); digits++) {
		int digit = cursor_peek(c, 0);
		if (digit == ' ' && digits)
			break;
		if (digit < '0' || digit > '9' || digits == 10)
			return PROBE_NO;
		cursor_skip(c, 1);
	}
	if (!expect(c, " fox hello"))
		return PROBE_NO;
	if (cursor_peek(c, 0) == '\r')
		cursor_skip(c, 1);
	if (!cursor_left(c))
		return PROBE_MORE;
	return cursor_u8(c) == '\n' ? PROBE_YES : PROBE_NO;
}

static enum probe_result fox_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	bool client;

	(void)source_port;
	(void)dest_port;
	(void)midstream; /* a connection taken up later has greeted already */
	return transport == TRANSPORT_TCP ? read_header(&bytes, &client) : PROBE_NO;
}

static void note_text(struct attributes *out, unsigned number, const uint8_t *text, size_t n)
{
	if (number == NONE)
		return;
	const struct field *f = &fields[number];

	if (f->grammar == GRAMMAR_PRODUCT && n > PRODUCT_MOST)
		n = PRODUCT_MOST;
	attributes_text(out, f, text, n);
}

/* A class of somebody's own may be called anything. */
static const char *known_auth(const uint8_t *text, size_t n)
{
	static const char *const words[] = { "FoxUsernamePasswordAuthAgent", "FoxDigestAuthAgent",
					     "digest-md5", "basic" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (n == strlen(words[i]) && !memcmp(text, words[i], n))
			return words[i];
	return "other";
}

/* "fox:FoxUsernamePasswordAuthAgent;...": the class, without its module. */
static void note_auth(struct attributes *out, struct cursor value)
{
	const uint8_t *text = value.at;
	size_t n = 0;

	while (cursor_left(&value)) {
		uint8_t c = cursor_u8(&value);
		if (c == ':') {
			text = value.at;
			n = 0;
		} else if (c == ';' || c == ',' || c == ' ') {
			break;
		} else {
			n++;
		}
	}
	const char *word = known_auth(text, n);
	note_text(out, AUTH, (const uint8_t *)word, strlen(word));
}

/* key=type:value, of which strings are wanted. */
static void note_line(const struct side *side, struct cursor line, struct attributes *out)
{
	if (cursor_starts(&line, "fatal=")) {
		attributes_add(out, &fields[REFUSALS], 1);
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct cursor c = line;
		if (!cursor_starts(&c, keys[i].name))
			continue;
		cursor_skip(&c, strlen(keys[i].name));
		if (!cursor_starts(&c, "=s:"))
			continue;
		cursor_skip(&c, 3);
		if (keys[i].of_server == AUTH && !side->client)
			note_auth(out, c);
		else
			note_text(out, side->client ? keys[i].of_client : keys[i].of_server, c.at,
				  cursor_left(&c));
		return;
	}
}

/* The next line without its end. False: it is not all here. */
static bool take_line(struct cursor *bytes, struct cursor *line)
{
	size_t left = cursor_left(bytes);
	const uint8_t *end = left ? memchr(bytes->at, '\n', left) : NULL;

	if (!end)
		return false;
	size_t n = (size_t)(end - bytes->at);
	*line = cursor_sub(bytes, n);
	cursor_skip(bytes, 1);
	if (n && line->at[n - 1] == '\r')
		line->end--;
	return true;
}

static void take_header(struct side *side, struct dissect_input *in, struct attributes *out)
{
	if (read_header(&in->bytes, &side->client) != PROBE_YES) {
		attributes_add(out, &fields[MALFORMED], 1);
		side->stage = STAGE_OVER;
		return;
	}
	attributes_add(out, &fields[HELLOS], 1);
	in->role = side->client ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
	in->confidence = CONFIDENCE_HIGH;
	side->stage = STAGE_BRACE;
}

/* False: more bytes are needed. */
static bool advance(struct side *side, struct dissect_input *in, struct attributes *out)
{
	struct cursor line, ahead = in->bytes;

	if (!take_line(&ahead, &line)) {
		if (cursor_left(&in->bytes) <= LINE_MOST)
			return false;
		/* Whatever it is, it is none of the keys. */
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
		side->stage = side->stage < STAGE_LINES ? STAGE_OVER : STAGE_LONG_LINE;
		return true;
	}
	if (side->stage == STAGE_HEADER) {
		take_header(side, in, out);
		in->bytes = ahead;
		return true;
	}
	in->bytes = ahead;
	if (side->stage == STAGE_BRACE) {
		side->stage = cursor_starts(&line, "{") ? STAGE_LINES : STAGE_OVER;
	} else if (side->stage == STAGE_LONG_LINE) {
		side->stage = STAGE_LINES;
	} else if (cursor_starts(&line, "};;")) {
		side->stage = STAGE_OVER;
	} else {
		note_line(side, line, out);
	}
	return true;
}

static enum dissect_result fox_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct fox *s = state;
	struct side *side = &s->sides[in->direction & 1];
	size_t before = cursor_left(&in->bytes);

	if (in->gap && side->stage != STAGE_OVER) {
		attributes_add(out, &fields[MALFORMED], 1);
		side->stage = STAGE_OVER;
	}
	while (side->stage != STAGE_OVER && cursor_left(&in->bytes))
		if (!advance(side, in, out))
			break;
	side->bytes += (uint32_t)(before - cursor_left(&in->bytes));
	if (side->stage != STAGE_OVER && side->bytes > HELLO_MOST) {
		attributes_add(out, &fields[MALFORMED], 1);
		side->stage = STAGE_OVER;
	}
	if (side->stage == STAGE_OVER)
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
	bool over = s->sides[0].stage == STAGE_OVER && s->sides[1].stage == STAGE_OVER;
	return over ? DISSECT_DONE : DISSECT_MORE;
}

const struct dissector dissector_fox = {
	.name = "fox",
	.summary = "Niagara Fox: versions of building automation stations and their clients",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 1911, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 'f', 'f' }, BYTE_RANGES_END },
	.state_size = sizeof(struct fox),
	.probe = fox_probe,
	.dissect = fox_dissect,
};
