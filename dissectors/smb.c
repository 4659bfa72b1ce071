/* SPDX-License-Identifier: Apache-2.0
 *
 * SMB over TCP (MS-SMB2 sections 2.1 and 2.2; MS-CIFS 2.2.4.52 for version 1; RFC 1002
 * 4.3 for the session service on port 139; NTLM from MS-NLMP 2.2.1.3), any port: the
 * dialect, whether messages are signed and encrypted, and how the client proves who it
 * is. No name of anybody, of a share, a file or a machine is taken. */
#include "dissectors/words.h"

enum {
	DIALECT,
	SMB1,
	SMB1_OFFERED,
	SIGNING,
	ENCRYPTED,
	CIPHER,
	AUTHENTICATION,
	SERVER_SYSTEM,
	GUEST,
	ANONYMOUS,
	CLEAR_PASSWORD,
	LOGONS,
	LOGON_FAILURES,
	DENIED,
	MESSAGES,
};

static const struct field fields[] = {
	/* clang-format off */
	[DIALECT] = { "smb.dialect", FIELD_TEXT, GRAMMAR_VERSION, "",
		"dialect that the server chose: 1, 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1", PHI_NONE, ABOUT_FLOW },
	[SMB1] = { "smb.smb1", FIELD_FLAG, GRAMMAR_NONE, "",
		"version 1 is spoken, which has been given up since 2014", PHI_NONE, ABOUT_FLOW },
	[SMB1_OFFERED] = { "smb.smb1_offered", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client began as version 1 does", PHI_NONE, ABOUT_FLOW },
	[SIGNING] = { "smb.signing", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"what the server says of signing: required, enabled or none", PHI_NONE, ABOUT_FLOW },
	[ENCRYPTED] = { "smb.encrypted", FIELD_FLAG, GRAMMAR_NONE, "",
		"encrypted messages were seen", PHI_NONE, ABOUT_FLOW },
	[CIPHER] = { "smb.cipher", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"cipher that the server chose for what may be encrypted", PHI_NONE, ABOUT_FLOW },
	[AUTHENTICATION] = { "smb.authentication", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"kerberos, ntlm, ntlmv1, ntlmv2, anonymous", PHI_NONE, ABOUT_FLOW },
	[SERVER_SYSTEM] = { "smb.server_build", FIELD_TEXT, GRAMMAR_VERSION, "",
		"version of the server's system as NTLM tells it, as 10.0.20348", PHI_DEVICE, ABOUT_SERVER },
	[GUEST] = { "smb.guest", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server let the client in as a guest", PHI_NONE, ABOUT_FLOW },
	[ANONYMOUS] = { "smb.null_session", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server let the client in as nobody", PHI_NONE, ABOUT_FLOW },
	[CLEAR_PASSWORD] = { "smb.clear_text_accepted", FIELD_FLAG, GRAMMAR_NONE, "",
		"the server takes passwords in clear text (version 1)", PHI_NONE, ABOUT_FLOW },
	[LOGONS] = { "smb.logons", FIELD_COUNTER, GRAMMAR_NONE, "sessions",
		"sessions that were set up", PHI_NONE, ABOUT_FLOW },
	[LOGON_FAILURES] = { "smb.logon_failures", FIELD_COUNTER, GRAMMAR_NONE, "attempts",
		"session set-ups that the server refused", PHI_NONE, ABOUT_FLOW },
	[DENIED] = { "smb.access_denied", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"answers that access is denied, as far as messages were looked at", PHI_NONE, ABOUT_FLOW },
	[MESSAGES] = { "smb.messages", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"messages looked at; not beyond the first 256 of a side, nor encrypted ones",
		PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum {
	FRAME = 4,
	FRAME_MOST = 0x00ffffff,
	HEADER_1 = 32,
	HEADER_2 = 64,
	BODY_MOST = 8192, /* of a message that is read; the rest is passed over */
	MESSAGES_MOST = 256,
	SESSION_MESSAGE = 0x00,
	SESSION_REQUEST = 0x81,
	SESSION_POSITIVE = 0x82,
	SESSION_LAST = 0x85,
	SESSION_NAMES = 68,
};

enum { MARK_2 = 0xfe, MARK_1 = 0xff, MARK_ENCRYPTED = 0xfd, MARK_COMPRESSED = 0xfc };
enum { COMMAND_NEGOTIATE = 0, COMMAND_SETUP = 1, COMMAND_TREE = 3 };
enum { COMMAND_1_NEGOTIATE = 0x72, COMMAND_1_SETUP = 0x73 };
enum { FLAG_RESPONSE = 1 };
#define STATUS_MORE UINT32_C(0xc0000016)
#define STATUS_DENIED UINT32_C(0xc0000022)

static const struct word dialects[] = {
	{ 0x0202, "2.0.2" }, { 0x0210, "2.1" },   { 0x0300, "3.0" },
	{ 0x0302, "3.0.2" }, { 0x0311, "3.1.1" }, { 0, NULL },
};

static const struct word ciphers[] = {
	{ 1, "aes-128-ccm" }, { 2, "aes-128-gcm" }, { 3, "aes-256-ccm" },
	{ 4, "aes-256-gcm" }, { 0, NULL },
};

struct smb {
	uint16_t seen[2];
	bool over[2], secret[2];
	bool known; /* one message had a header of ours */
};

enum reading { READ_OK, READ_SHORT, READ_BAD };

/* A name of RFC 1001 section 14.1: 32 letters A to P. */
static bool may_be_names(const struct cursor *c)
{
	int length = cursor_peek(c, FRAME);

	if (length >= 0 && length != 32)
		return false;
	for (size_t i = 0; i < 32; i++) {
		int letter = cursor_peek(c, FRAME + 1 + i);
		if (letter >= 0 && (letter < 'A' || letter > 'P'))
			return false;
	}
	return true;
}

static enum sight sees_mark(const struct cursor *c)
{
	static const char rest[] = "SMB";
	int mark = cursor_peek(c, FRAME);

	if (mark >= 0 && mark < MARK_COMPRESSED)
		return SIGHT_NO;
	for (size_t i = 0; i < 3; i++) {
		int byte = cursor_peek(c, FRAME + 1 + i);
		if (byte >= 0 && byte != rest[i])
			return SIGHT_NO;
	}
	return cursor_left(c) < FRAME + 4 ? SIGHT_MORE : SIGHT_YES;
}

static enum probe_result smb_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct cursor c = bytes;
	(void)transport, (void)source_port, (void)dest_port, (void)midstream;

	uint8_t type = cursor_u8(&c);
	if (c.failed)
		return PROBE_MORE;
	uint32_t length = cursor_be24(&c);
	if (type == SESSION_REQUEST) {
		if (!may_be_names(&bytes) || (!c.failed && length != SESSION_NAMES))
			return PROBE_NO;
		return cursor_left(&bytes) < FRAME + 33 ? PROBE_MORE : PROBE_YES;
	}
	if (type != SESSION_MESSAGE || (!c.failed && length < HEADER_1))
		return PROBE_NO;
	enum sight sight = sees_mark(&bytes);
	return sight == SIGHT_YES ? PROBE_YES : sight == SIGHT_MORE ? PROBE_MORE : PROBE_NO;
}

/* MS-NLMP 2.2.1.3: signature[8], type u32, then for type 3 six (length u16, room u16,
 * offset u32): LM response, NT response, domain, user, workstation, session key. */
static void read_ntlm(struct cursor c, struct attributes *out)
{
	cursor_skip(&c, 8);
	uint32_t type = cursor_le32(&c);
	if (type == 2) { /* name (8), flags u32, challenge[8], reserved[8], info (8), version */
		cursor_skip(&c, 8);
		uint32_t flags = cursor_le32(&c);
		cursor_skip(&c, 24);
		uint8_t major = cursor_u8(&c), minor = cursor_u8(&c);
		uint16_t build = cursor_le16(&c);
		char text[24];
		if (c.failed || !(flags & 0x02000000) || (!major && !minor && !build))
			return;
		snprintf(text, sizeof(text), "%u.%u.%u", major, minor, build);
		attributes_word(out, &fields[SERVER_SYSTEM], text);
		return;
	}
	if (type != 3)
		return;
	cursor_skip(&c, 8);
	uint16_t response = cursor_le16(&c);
	cursor_skip(&c, 14);
	uint16_t user = cursor_le16(&c);
	if (!c.failed)
		attributes_word(out, &fields[AUTHENTICATION],
				user == 0        ? "anonymous"
				: response == 24 ? "ntlmv1"
				: response > 24  ? "ntlmv2"
						 : "ntlm");
}

/* What stands in a security blob (RFC 4178, 4121): the token, not the list of what
 * could be used. */
static void read_blob(struct cursor blob, struct attributes *out)
{
	static const uint8_t request[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
					   0x12, 0x01, 0x02, 0x02, 0x01, 0x00 };
	long at = cursor_find(&blob, "NTLMSSP", 8);

	if (at >= 0) {
		attributes_word(out, &fields[AUTHENTICATION], "ntlm");
		cursor_skip(&blob, (size_t)at);
		read_ntlm(blob, out);
	} else if (cursor_find(&blob, request, sizeof(request)) >= 0) {
		attributes_word(out, &fields[AUTHENTICATION], "kerberos");
	}
}

/* Bytes that a message refers to by their place from its header on. */
static struct cursor at_offset(struct cursor message, size_t offset, size_t length)
{
	cursor_skip(&message, offset);
	return cursor_sub(&message,
			  length < cursor_left(&message) ? length : cursor_left(&message));
}

/* 2.2.4.1: type u16, length u16, reserved u32, data, each at a multiple of 8 */
static void read_contexts(struct cursor c, unsigned count, struct attributes *out)
{
	while (count--) {
		uint16_t type = cursor_le16(&c), length = cursor_le16(&c);
		cursor_skip(&c, 4);
		struct cursor data = cursor_sub(&c, length);
		if (data.failed)
			return;
		if (type == 2 && cursor_le16(&data) == 1) {
			uint16_t cipher = cursor_le16(&data);
			if (!data.failed && cipher)
				attributes_code(out, &fields[CIPHER], ciphers, cipher, "cipher");
		}
		size_t padding = (8 - length % 8u) % 8u;
		cursor_skip(&c, padding);
	}
}

/* 2.2.4: size u16, security u16, dialect u16, contexts u16, guid[16], capabilities u32,
 * three sizes u32, two times u64, blob offset u16 and length u16, contexts' offset u32 */
static void read_negotiated(struct cursor message, struct attributes *out)
{
	struct cursor c = message;

	cursor_skip(&c, HEADER_2);
	cursor_skip(&c, 2);
	uint16_t security = cursor_le16(&c), dialect = cursor_le16(&c), count = cursor_le16(&c);
	cursor_skip(&c, 16);
	uint32_t capabilities = cursor_le32(&c);
	cursor_skip(&c, 28);
	cursor_skip(&c, 4);
	uint32_t offset = cursor_le32(&c);
	if (c.failed || dialect == 0x02ff) /* the multi-protocol one: another follows */
		return;
	attributes_code(out, &fields[DIALECT], dialects, dialect, "0-");
	attributes_word(out, &fields[SIGNING],
			security & 2   ? "required"
			: security & 1 ? "enabled"
				       : "none");
	if (dialect == 0x0311 && count <= 16)
		read_contexts(at_offset(message, offset, BODY_MOST), count, out);
	else if (dialect >= 0x0300 && capabilities & 0x40)
		attributes_word(out, &fields[CIPHER], "aes-128-ccm");
}

static void count_setup(uint32_t status, uint16_t flags, struct attributes *out)
{
	if (status == STATUS_MORE)
		return;
	attributes_add(out, &fields[status ? LOGON_FAILURES : LOGONS], 1);
	if (status)
		return;
	if (flags & 1)
		attributes_flag(out, &fields[GUEST]);
	if (flags & 2)
		attributes_flag(out, &fields[ANONYMOUS]);
}

/* 2.2.5: size u16, flags, security, capabilities u32, channel u32, blob offset u16 and
 * length u16. 2.2.6: size u16, flags u16, blob offset u16 and length u16 */
static void read_setup(struct cursor message, bool response, uint32_t status,
		       struct attributes *out)
{
	struct cursor c = message;

	cursor_skip(&c, HEADER_2 + 2);
	uint16_t flags = cursor_le16(&c);
	if (!response)
		cursor_skip(&c, 8);
	uint16_t offset = cursor_le16(&c), length = cursor_le16(&c);
	if (response)
		count_setup(status, c.failed ? 0 : flags, out);
	if (!c.failed)
		read_blob(at_offset(message, offset, length), out);
}

/* 2.2.1: mark[4], size u16, charge u16, status u32, command u16, credits u16, flags u32 */
static bool read_message_2(struct cursor message, struct dissect_input *in, struct attributes *out)
{
	struct cursor c = message;

	cursor_skip(&c, 4);
	uint16_t size = cursor_le16(&c);
	cursor_skip(&c, 2);
	uint32_t status = cursor_le32(&c);
	uint16_t command = cursor_le16(&c);
	cursor_skip(&c, 2);
	uint32_t flags = cursor_le32(&c);
	if (c.failed || size != HEADER_2 || command > 0x12)
		return false;
	bool response = flags & FLAG_RESPONSE;
	in->role = response ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	if (command == COMMAND_NEGOTIATE && response)
		read_negotiated(message, out);
	else if (command == COMMAND_SETUP)
		read_setup(message, response, status, out);
	else if (response && status == STATUS_DENIED)
		attributes_add(out, &fields[DENIED], 1);
	return true;
}

/* MS-CIFS 2.2.4.52.2: words u8 (17), index u16, security mode u8 */
static void read_negotiated_1(struct cursor c, struct attributes *out)
{
	uint8_t words = cursor_u8(&c);
	uint16_t index = cursor_le16(&c);
	uint8_t security = cursor_u8(&c);

	attributes_flag(out, &fields[SMB1]);
	attributes_word(out, &fields[DIALECT], "1");
	if (c.failed || words < 13 || index == 0xffff)
		return;
	attributes_word(out, &fields[SIGNING],
			security & 8   ? "required"
			: security & 4 ? "enabled"
				       : "none");
	if (!(security & 2))
		attributes_flag(out, &fields[CLEAR_PASSWORD]);
}

/* MS-CIFS 2.2.3.1: mark[4], command u8, status u32, flags u8, ... to 32 bytes */
static bool read_message_1(struct cursor message, struct dissect_input *in, struct attributes *out)
{
	struct cursor c = message;

	cursor_skip(&c, 4);
	uint8_t command = cursor_u8(&c);
	uint32_t status = cursor_le32(&c);
	uint8_t flags = cursor_u8(&c);
	cursor_skip(&c, HEADER_1 - 10);
	if (c.failed)
		return false;
	bool response = flags & 0x80;
	in->role = response ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	if (command == COMMAND_1_NEGOTIATE) {
		if (response)
			read_negotiated_1(c, out);
		else
			attributes_flag(out, &fields[SMB1_OFFERED]);
		return true;
	}
	attributes_flag(out, &fields[SMB1]);
	if (command == COMMAND_1_SETUP) {
		if (response)
			count_setup(status, 0, out);
		read_blob(c, out);
	} else if (response && status == STATUS_DENIED) {
		attributes_add(out, &fields[DENIED], 1);
	}
	return true;
}

static bool read_message(struct smb *s, struct cursor message, struct dissect_input *in,
			 struct attributes *out)
{
	attributes_add(out, &fields[MESSAGES], 1);
	switch (cursor_peek(&message, 0)) {
	case MARK_1:
		return read_message_1(message, in, out);
	case MARK_2:
		return read_message_2(message, in, out);
	case MARK_ENCRYPTED:
		attributes_flag(out, &fields[ENCRYPTED]);
		in->encrypted = true;
		s->secret[in->direction] = true;
		return true;
	default: /* compressed */
		return true;
	}
}

/* RFC 1002 4.3.1 and MS-SMB2 2.1: type u8, length u24 */
static enum reading read_frame(const struct cursor *bytes, uint8_t *type, size_t *length)
{
	struct cursor c = *bytes;

	*type = cursor_u8(&c);
	*length = cursor_be24(&c);
	if (c.failed)
		return READ_SHORT;
	if (*type > SESSION_MESSAGE && (*type < SESSION_REQUEST || *type > SESSION_LAST))
		return READ_BAD;
	if (*type != SESSION_MESSAGE)
		return *length <= 256 ? READ_OK : READ_BAD;
	enum sight sight = sees_mark(bytes);
	if (sight == SIGHT_YES)
		return *length >= HEADER_1 ? READ_OK : READ_BAD;
	return sight == SIGHT_MORE ? READ_SHORT : READ_BAD;
}

static bool is_through(const struct smb *s)
{
	bool secret = s->secret[0] && s->secret[1];

	return secret || (s->over[0] && s->over[1]);
}

static enum dissect_result take_frame(struct smb *s, struct dissect_input *in,
				      struct attributes *out)
{
	struct cursor c = in->bytes;
	uint8_t type;
	size_t length;

	enum reading got = read_frame(&c, &type, &length);
	if (got == READ_SHORT)
		return DISSECT_MORE;
	if (got == READ_BAD)
		return s->known ? DISSECT_MALFORMED : DISSECT_NOT_MINE;
	cursor_skip(&c, FRAME);
	size_t want = length < BODY_MOST ? length : BODY_MOST;
	if (type == SESSION_MESSAGE) {
		if (cursor_left(&c) < want)
			return DISSECT_MORE;
		if (!read_message(s, cursor_sub(&c, want), in, out))
			return s->known ? DISSECT_MALFORMED : DISSECT_NOT_MINE;
		s->known = true;
		in->confidence = CONFIDENCE_HIGH;
		s->over[in->direction] |= ++s->seen[in->direction] == MESSAGES_MOST;
	} else if (!s->known) {
		in->role = type == SESSION_REQUEST ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
		in->confidence = CONFIDENCE_MEDIUM;
		want = 0;
	}
	in->bytes = c;
	dissect_pass_over(in, length - (type == SESSION_MESSAGE ? want : 0));
	return DISSECT_MORE;
}

static enum dissect_result smb_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct smb *s = state;
	bool *over = &s->over[in->direction];

	/* A lost boundary is found where a segment begins with a message. */
	if (in->gap && sees_mark(&in->bytes) == SIGHT_NO)
		*over = true;
	while (cursor_left(&in->bytes) && !*over && !in->skip) {
		size_t before = cursor_left(&in->bytes);
		enum dissect_result r = take_frame(s, in, out);
		if (r != DISSECT_MORE)
			return r;
		if (cursor_left(&in->bytes) == before)
			return DISSECT_MORE;
	}
	if (*over)
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return is_through(s) ? DISSECT_DONE : DISSECT_MORE;
}

const struct dissector dissector_smb = {
	.name = "smb",
	.summary = "Windows file sharing (SMB 1 to 3): dialect, signing, encryption, logons",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 445, 139, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { SESSION_MESSAGE, SESSION_MESSAGE },
					      { SESSION_REQUEST, SESSION_REQUEST },
					      BYTE_RANGES_END },
	.state_size = sizeof(struct smb),
	.probe = smb_probe,
	.dissect = smb_dissect,
};
