/* SPDX-License-Identifier: Apache-2.0
 *
 * FTP's control connection (RFC 959, 4217) over TCP: which program serves, whether
 * passwords go in clear text, how many logins fail and files move. Names of users,
 * files and hosts are passed over; a greeting of 220 is mail's as well, so elsewhere
 * than on port 21 it must say FTP. */
#include "dissectors/words.h"

#include <ctype.h>

enum { SOFTWARE, USERS, CLEAR_PASSWORD, ANONYMOUS, AUTH_TLS, LOGINS, FAILURES, STORES, RETRIEVALS };

static const struct field fields[] = {
	/* clang-format off */
	[SOFTWARE] = { "ftp.server_software", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"a known server program, and its version if the greeting tells", PHI_DEVICE, ABOUT_SERVER },
	[USERS] = { "ftp.users", FIELD_COUNTER, GRAMMAR_NONE, "commands",
		"user names sent; none is taken", PHI_NONE, ABOUT_FLOW },
	[CLEAR_PASSWORD] = { "ftp.clear_text_password", FIELD_FLAG, GRAMMAR_NONE, "",
		"a password was sent in clear text", PHI_NONE, ABOUT_FLOW },
	[ANONYMOUS] = { "ftp.anonymous", FIELD_FLAG, GRAMMAR_NONE, "",
		"a login as anonymous or ftp was asked for", PHI_NONE, ABOUT_FLOW },
	[AUTH_TLS] = { "ftp.auth_tls", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server agreed to go on in TLS", PHI_NONE, ABOUT_FLOW },
	[LOGINS] = { "ftp.logins", FIELD_COUNTER, GRAMMAR_NONE, "logins", "logins that were let in",
		PHI_NONE, ABOUT_FLOW },
	[FAILURES] = { "ftp.login_failures", FIELD_COUNTER, GRAMMAR_NONE, "attempts",
		"logins that were refused", PHI_NONE, ABOUT_FLOW },
	[STORES] = { "ftp.stores", FIELD_COUNTER, GRAMMAR_NONE, "commands",
		"commands that bring a file to the server", PHI_NONE, ABOUT_FLOW },
	[RETRIEVALS] = { "ftp.retrievals", FIELD_COUNTER, GRAMMAR_NONE, "commands",
		"commands that fetch a file from the server", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum { PORT = 21, LINE_MOST = 2048, PATIENCE = 8 };

struct ftp {
	bool known, tls, passing[2]; /* passing: the rest of a long line */
	uint8_t server;              /* direction + 1, when known */
	uint8_t waited;
	bool password; /* sent, not answered */
};

static bool equal_folded(uint8_t a, char b)
{
	return toupper(a) == toupper((unsigned char)b);
}

static bool starts_folded(const struct cursor *c, const char *text)
{
	size_t n = strlen(text);

	if (cursor_left(c) < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!equal_folded(c->at[i], text[i]))
			return false;
	return true;
}

static bool contains_folded(struct cursor c, const char *text)
{
	for (; cursor_left(&c); cursor_skip(&c, 1))
		if (starts_folded(&c, text))
			return true;
	return false;
}

/* The next line without its end. SIGHT_MORE: it is not all here. */
static enum sight next_line(struct cursor *c, struct cursor *line)
{
	size_t left = cursor_left(c);
	const uint8_t *end = left ? memchr(c->at, '\n', left) : NULL;

	if (!end)
		return left > LINE_MOST ? SIGHT_NO : SIGHT_MORE;
	*line = cursor_sub(c, (size_t)(end - c->at));
	cursor_skip(c, 1);
	return SIGHT_YES;
}

static bool is_greeting(struct cursor text, bool hinted)
{
	if (contains_folded(text, "SMTP") || contains_folded(text, " mail"))
		return false;
	return hinted || contains_folded(text, "FTP");
}

/* Does it, as far as it is here, begin so? */
static enum sight begins(const struct cursor *c, const char *text)
{
	for (size_t i = 0; text[i]; i++) {
		int byte = cursor_peek(c, i);
		if (byte < 0)
			return SIGHT_MORE;
		if (!equal_folded((uint8_t)byte, text[i]))
			return SIGHT_NO;
	}
	return SIGHT_YES;
}

static enum probe_result probe_greeting(struct cursor bytes, uint16_t source_port)
{
	int separator = cursor_peek(&bytes, 3);

	if (separator < 0)
		return PROBE_MORE;
	if (separator != ' ' && separator != '-')
		return PROBE_NO;
	if (is_greeting(bytes, source_port == PORT))
		return PROBE_YES;
	return separator == ' ' && contains_folded(bytes, "\n") ? PROBE_NO : PROBE_MORE;
}

static enum probe_result ftp_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	static const char *const commands[] = { "USER ", "AUTH TLS", "AUTH SSL", "FEAT\r" };
	(void)transport;

	if (midstream)
		return PROBE_NO;
	if (begins(&bytes, "220") != SIGHT_NO)
		return probe_greeting(bytes, source_port);
	/* A server's greeting is late, or is not seen. */
	for (size_t i = 0; dest_port == PORT && i < sizeof(commands) / sizeof(commands[0]); i++) {
		enum sight sight = begins(&bytes, commands[i]);
		if (sight != SIGHT_NO)
			return sight == SIGHT_YES ? PROBE_YES : PROBE_MORE;
	}
	return PROBE_NO;
}

/* The names of programs that are met, and a version right behind: a host's own name
 * may stand in a greeting as well. */
static void read_greeting(struct cursor line, struct attributes *out)
{
	static const char *const programs[] = {
		"vsFTPd",
		"ProFTPD",
		"Pure-FTPd",
		"FileZilla Server",
		"Serv-U",
		"wu-ftpd",
		"Microsoft FTP Service",
		"pyftpdlib",
		"Titan FTP Server",
		"WS_FTP Server",
		"Cerberus FTP Server",
		"CrushFTP",
	};
	char text[33];

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct cursor c = line;
		while (cursor_left(&c) && !starts_folded(&c, programs[i]))
			cursor_skip(&c, 1);
		if (!cursor_left(&c))
			continue;
		size_t n = strlen(programs[i]);
		memcpy(text, programs[i], n);
		cursor_skip(&c, n);
		int blank = cursor_peek(&c, 0), digit = cursor_peek(&c, 1);
		if (blank == ' ' && digit >= '0' && digit <= '9') {
			text[n++] = (char)cursor_u8(&c);
			while (n < sizeof(text) - 1 &&
			       (isdigit(cursor_peek(&c, 0)) || cursor_peek(&c, 0) == '.'))
				text[n++] = (char)cursor_u8(&c);
		}
		attributes_text(out, &fields[SOFTWARE], text, n);
		return;
	}
}

static void take_reply(struct ftp *s, struct cursor line, struct attributes *out)
{
	int separator = cursor_peek(&line, 3);

	if (cursor_starts(&line, "220"))
		read_greeting(line, out);
	if (cursor_left(&line) >= 4 && separator == '-')
		return; /* its last line tells */
	if (cursor_starts(&line, "230")) {
		attributes_add(out, &fields[LOGINS], 1);
	} else if (cursor_starts(&line, "530") && s->password) {
		attributes_add(out, &fields[FAILURES], 1);
	} else if (cursor_starts(&line, "234")) {
		attributes_flag(out, &fields[AUTH_TLS]);
		s->tls = true;
	}
	if (separator == ' ')
		s->password = false;
}

static void take_command(struct ftp *s, struct cursor line, struct attributes *out)
{
	if (starts_folded(&line, "USER ")) {
		attributes_add(out, &fields[USERS], 1);
		if (starts_folded(&line, "USER anonymous\r") || starts_folded(&line, "USER ftp\r"))
			attributes_flag(out, &fields[ANONYMOUS]);
	} else if (starts_folded(&line, "PASS ")) {
		attributes_flag(out, &fields[CLEAR_PASSWORD]);
		s->password = true;
	} else if (starts_folded(&line, "STOR ") || starts_folded(&line, "STOU") ||
		   starts_folded(&line, "APPE ")) {
		attributes_add(out, &fields[STORES], 1);
	} else if (starts_folded(&line, "RETR ")) {
		attributes_add(out, &fields[RETRIEVALS], 1);
	}
}

static bool is_reply(const struct cursor *line)
{
	int separator = cursor_peek(line, 3);

	for (size_t i = 0; i < 3; i++)
		if (!isdigit(cursor_peek(line, i)))
			return false;
	return separator == ' ' || separator == '-' || separator == '\r' || separator < 0;
}

static bool is_command(const struct cursor *line)
{
	return isalpha(cursor_peek(line, 0)) && isalpha(cursor_peek(line, 1));
}

/* The first line tells who serves. */
static enum dissect_result take_line(struct ftp *s, struct cursor line, struct dissect_input *in,
				     struct attributes *out)
{
	if (!s->server) {
		bool server = is_reply(&line);
		if (!server && !is_command(&line))
			return DISSECT_NOT_MINE;
		s->server = (uint8_t)((server ? in->direction : !in->direction) + 1);
		in->role = server ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
		in->confidence = CONFIDENCE_MEDIUM;
	} else if (s->server - 1 != in->direction && is_command(&line)) {
		if (starts_folded(&line, "EHLO") || starts_folded(&line, "HELO"))
			return DISSECT_NOT_MINE;
		if (starts_folded(&line, "USER ") || starts_folded(&line, "AUTH "))
			in->confidence = CONFIDENCE_HIGH;
	}
	if (s->server - 1 == in->direction)
		take_reply(s, line, out);
	else
		take_command(s, line, out);
	return DISSECT_MORE;
}

static enum dissect_result watch(struct ftp *s, struct dissect_input *in)
{
	if (s->server - 1 == in->direction) {
		enum sight sight = sees_hello(&in->bytes, 2);
		if (sight == SIGHT_MORE)
			return DISSECT_MORE;
		in->encrypted = sight == SIGHT_YES;
		return DISSECT_DONE;
	}
	cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return ++s->waited == PATIENCE ? DISSECT_DONE : DISSECT_MORE;
}

static enum dissect_result ftp_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct ftp *s = state;
	bool *passing = &s->passing[in->direction];
	struct cursor line;

	*passing |= in->gap && s->known;
	s->known = true;
	while (cursor_left(&in->bytes)) {
		if (s->tls)
			return watch(s, in);
		enum sight sight = next_line(&in->bytes, &line);
		if (sight == SIGHT_MORE && !*passing)
			break;
		if (sight != SIGHT_YES) {
			*passing = true;
			cursor_skip(&in->bytes, cursor_left(&in->bytes));
			break;
		}
		bool whole = !*passing;
		*passing = false;
		enum dissect_result r = whole ? take_line(s, line, in, out) : DISSECT_MORE;
		if (r != DISSECT_MORE)
			return r;
	}
	return DISSECT_MORE;
}

const struct dissector dissector_ftp = {
	.name = "ftp",
	.summary = "FTP control connections: software, clear-text passwords, logins",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ PORT, 2121, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { '2', '2' },
					      { 'A', 'A' },
					      { 'F', 'F' },
					      { 'U', 'U' },
					      { 'a', 'a' },
					      { 'f', 'f' },
					      { 'u', 'u' },
					      BYTE_RANGES_END },
	.state_size = sizeof(struct ftp),
	.probe = ftp_probe,
	.dissect = ftp_dissect,
};
