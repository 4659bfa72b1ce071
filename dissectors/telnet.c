/* SPDX-License-Identifier: Apache-2.0
 *
 * Telnet (RFC 854; option numbers from IANA's registry) over TCP, any port: that it is
 * there, which options are agreed on, and whether a password is asked for in clear
 * text. What is typed and shown is only searched for the words of a prompt. */
#include "dissectors/words.h"

enum { OPTIONS, LOGIN_PROMPTS, PASSWORD_PROMPTS, CLEAR_PASSWORD, FAILURES, ENCRYPTION };

static const struct field fields[] = {
	/* clang-format off */
	[OPTIONS] = { "telnet.option", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"options that either side offers or asks for, of those that tell something", PHI_NONE, ABOUT_FLOW },
	[LOGIN_PROMPTS] = { "telnet.login_prompts", FIELD_COUNTER, GRAMMAR_NONE, "prompts",
		"the server asked who is there", PHI_NONE, ABOUT_FLOW },
	[PASSWORD_PROMPTS] = { "telnet.password_prompts", FIELD_COUNTER, GRAMMAR_NONE, "prompts",
		"the server asked for a password", PHI_NONE, ABOUT_FLOW },
	[CLEAR_PASSWORD] = { "telnet.clear_text_password", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client answered such a question, unencrypted", PHI_NONE, ABOUT_FLOW },
	[FAILURES] = { "telnet.login_failures", FIELD_COUNTER, GRAMMAR_NONE, "attempts",
		"the server said that a login was not right", PHI_NONE, ABOUT_FLOW },
	[ENCRYPTION] = { "telnet.encryption", FIELD_FLAG, GRAMMAR_NONE, "",
		"one side began to encrypt (RFC 2946) or both turn to TLS", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum { PORT = 23 };
enum { SE = 240, SB = 250, WILL = 251, WONT, DO, DONT, IAC };
enum {
	OPTION_ECHO = 1,
	OPTION_TERMINAL = 24,
	OPTION_NAWS = 31,
	OPTION_ENCRYPT = 38,
	OPTION_TLS = 46
};
enum {
	TEXT_MOST = 8192, /* of each side that is searched */
	KNOWN_MOST = 49,
};

static const struct word options[] = {
	{ 1, "echo" },         { 24, "terminal-type" },
	{ 31, "window-size" }, { 37, "authentication" },
	{ 38, "encryption" },  { 40, "tn3270e" },
	{ 44, "com-port" },    { 46, "start-tls" },
	{ 0, NULL },
};

/* Without first letters, which may be capitals. */
static const struct prompt {
	const char *text;
	unsigned field;
} prompts[] = {
	{ "ogin:", LOGIN_PROMPTS },           { "sername:", LOGIN_PROMPTS },
	{ "assword:", PASSWORD_PROMPTS },     { "asscode:", PASSWORD_PROMPTS },
	{ "ogin incorrect", FAILURES },       { "ogin failed", FAILURES },
	{ "uthentication failed", FAILURES },
};
enum { PROMPTS = sizeof(prompts) / sizeof(prompts[0]) };

struct telnet {
	uint16_t searched[2];
	uint8_t matched[2][PROMPTS];
	bool in_sub[2], asked[2], encrypts; /* asked: that side waits for a password */
	uint8_t server;                     /* direction + 1, when known */
};

static bool is_command(int c)
{
	return c >= WILL && c <= DONT;
}

/* One negotiation; -1: not all here. */
static int sees_option(const struct cursor *c, size_t at)
{
	int iac = cursor_peek(c, at), command = cursor_peek(c, at + 1);
	int option = cursor_peek(c, at + 2);

	if ((iac >= 0 && iac != IAC) || (command >= 0 && !is_command(command)) ||
	    option > KNOWN_MOST)
		return 0;
	return option < 0 ? -1 : 1;
}

/* On another port than its own a second negotiation is asked for. */
static enum probe_result telnet_probe(struct cursor bytes, enum transport transport,
				      uint16_t source_port, uint16_t dest_port, bool midstream)
{
	bool hinted = source_port == PORT || dest_port == PORT;
	(void)transport;

	int first = sees_option(&bytes, 0);
	if (first <= 0)
		return first < 0 && !midstream ? PROBE_MORE : PROBE_NO;
	if (hinted)
		return PROBE_YES;
	int second = sees_option(&bytes, 3);
	if (second == 0 || midstream)
		return PROBE_NO;
	return second < 0 ? PROBE_MORE : PROBE_YES;
}

static void learn(struct telnet *s, struct dissect_input *in, bool sender_is_server)
{
	if (s->server)
		return;
	s->server = (uint8_t)((sender_is_server ? in->direction : !in->direction) + 1);
	in->role = sender_is_server ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
}

/* Terminals are clients: they have a type and a size, and want their echo done. */
static void take_option(struct telnet *s, uint8_t command, uint8_t option, struct dissect_input *in,
			struct attributes *out)
{
	if (option > KNOWN_MOST)
		return;
	const char *word = word_of(options, option);
	if (word && (command == WILL || command == DO))
		attributes_word(out, &fields[OPTIONS], word);
	if (option == OPTION_TERMINAL || option == OPTION_NAWS) {
		if (command == DO)
			learn(s, in, true);
		else if (command == WILL)
			learn(s, in, false);
	} else if (option == OPTION_ECHO && command == WILL) {
		learn(s, in, true);
	}
}

/* RFC 2946 section 1: START is 3; draft-altman-telnet-starttls: FOLLOWS is 1. False: it
 * is not all here. */
static bool take_start(struct telnet *s, const struct dissect_input *in, struct attributes *out)
{
	int option = cursor_peek(&in->bytes, 2), what = cursor_peek(&in->bytes, 3);

	if (what < 0)
		return false;
	if ((option == OPTION_ENCRYPT && what == 3) || (option == OPTION_TLS && what == 1)) {
		attributes_flag(out, &fields[ENCRYPTION]);
		s->encrypts = true;
	}
	return true;
}

/* False: a command that is not all here. */
static bool take_command(struct telnet *s, struct dissect_input *in, struct attributes *out)
{
	int command = cursor_peek(&in->bytes, 1), option = cursor_peek(&in->bytes, 2);

	if (command < 0)
		return false;
	if (is_command(command)) {
		if (option < 0)
			return false;
		cursor_skip(&in->bytes, 3);
		take_option(s, (uint8_t)command, (uint8_t)option, in, out);
		return true;
	}
	if (command == SB && !take_start(s, in, out))
		return false;
	s->in_sub[in->direction] = command == SB || (command != SE && s->in_sub[in->direction]);
	cursor_skip(&in->bytes, 2);
	return true;
}

/* None of the texts begins with a letter that comes again within what it begins with,
 * so a mismatch starts over. */
static void search(struct telnet *s, uint8_t byte, unsigned side, struct attributes *out)
{
	for (size_t i = 0; i < PROMPTS; i++) {
		uint8_t *n = &s->matched[side][i];
		const char *text = prompts[i].text;
		if (byte == (uint8_t)text[*n])
			(*n)++;
		else
			*n = byte == (uint8_t)text[0];
		if (text[*n] == '\0') {
			attributes_add(out, &fields[prompts[i].field], 1);
			s->asked[side] |= prompts[i].field == PASSWORD_PROMPTS;
			*n = 0;
		}
	}
}

/* A server that is not known yet may be either. */
static void take_text(struct telnet *s, struct dissect_input *in, struct attributes *out)
{
	uint8_t byte = cursor_u8(&in->bytes);
	uint16_t *searched = &s->searched[in->direction];

	if (s->in_sub[in->direction])
		return;
	if (s->asked[!in->direction] && byte > ' ' && !s->encrypts)
		attributes_flag(out, &fields[CLEAR_PASSWORD]);
	s->asked[!in->direction] &= byte <= ' ';
	if (s->server && s->server - 1 != in->direction)
		return;
	if (*searched < TEXT_MOST) {
		(*searched)++;
		search(s, byte, in->direction, out);
	}
}

static enum dissect_result telnet_dissect(void *state, struct dissect_input *in,
					  struct attributes *out)
{
	struct telnet *s = state;

	if (in->gap)
		s->in_sub[in->direction] = false;
	while (cursor_left(&in->bytes)) {
		if (cursor_peek(&in->bytes, 0) != IAC)
			take_text(s, in, out);
		else if (!take_command(s, in, out))
			break;
	}
	bool through = s->searched[0] == TEXT_MOST || s->searched[1] == TEXT_MOST;
	return through ? DISSECT_DONE : DISSECT_MORE;
}

const struct dissector dissector_telnet = {
	.name = "telnet",
	.summary = "Telnet: options, and passwords asked for in clear text",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ PORT, 2323, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { IAC, IAC }, BYTE_RANGES_END },
	.state_size = sizeof(struct telnet),
	.probe = telnet_probe,
	.dissect = telnet_dissect,
};
