/* SPDX-License-Identifier: Apache-2.0
 *
 * DICOM associations: PS3.8 9.3.2 to 9.3.4 and 9.3.6 to 9.3.8 (PDUs), annex D
 * (user information items), PS3.7 annex D.3.3 (implementation, roles, user
 * identity). Of a user's identity only its kind leaves: the item carries names
 * and passwords in clear. */
#include "dissectors/dicom_internal.h"

enum item {
	ITEM_CONTEXT_RQ = 0x20,
	ITEM_CONTEXT_AC = 0x21,
	ITEM_ABSTRACT_SYNTAX = 0x30,
	ITEM_TRANSFER_SYNTAX = 0x40,
	ITEM_USER_INFORMATION = 0x50,
	ITEM_MAX_LENGTH = 0x51,
	ITEM_IMPLEMENTATION_UID = 0x52,
	ITEM_ROLE_SELECTION = 0x54,
	ITEM_IMPLEMENTATION_VERSION = 0x55,
	ITEM_USER_IDENTITY = 0x58,
};

enum { ITEM_HEADER = 4, AE_TITLE = 16 };

static bool may_be_ae_title(const struct cursor *c, size_t offset)
{
	bool blank = true;

	for (size_t i = offset; i < offset + AE_TITLE; i++) {
		int byte = cursor_peek(c, i);
		if (byte < 0)
			return true;
		if (byte < 0x20 || byte > 0x7e || byte == '\\')
			return false;
		blank &= byte == ' ';
	}
	return !blank;
}

/*  0 type  1 reserved  2 length32  6 version16  8 reserved16  10 called AE
 * 26 calling AE  42 reserved[32]  74 item 10, its length at 76, its UID at 78
 *
 * Reserved bytes are not tested, real programs fill some; but for byte 1, and
 * the first item's, which keep Modbus and its like out. */
enum probe_result dicom_probe_associate(const struct cursor *c)
{
	struct cursor header = *c;

	if (!dicom_may_be(c, 0, PDU_ASSOCIATE_RQ) && !dicom_may_be(c, 0, PDU_ASSOCIATE_AC))
		return PROBE_NO;
	if (!dicom_may_be(c, 1, 0) || !dicom_may_be(c, 2, 0) || cursor_peek(c, 3) > 0x10)
		return PROBE_NO;
	cursor_skip(&header, 2);
	uint32_t length = cursor_be32(&header);
	uint16_t version = cursor_be16(&header);
	if (cursor_left(c) >= 6 && (length < 72 || length > DICOM_ASSOCIATE_MOST))
		return PROBE_NO;
	if (!header.failed && !(version & 1))
		return PROBE_NO;
	if (!may_be_ae_title(c, 10) || !may_be_ae_title(c, 26))
		return PROBE_NO;
	if (!dicom_may_start(c, 74, "\x10\0\0", 3) || cursor_peek(c, 77) > DICOM_UID_MOST ||
	    !dicom_may_start(c, 78, "1.2.", 4))
		return PROBE_NO;
	return cursor_left(c) >= 82 ? PROBE_YES : PROBE_MORE;
}

static void end_associate(struct dicom_call *call)
{
	struct dicom_side *side = call->side;

	side->stage = STAGE_PDU;
	if (side->pdu == PDU_ASSOCIATE_RQ) {
		attributes_number(call->out, &dicom_fields[F_CONTEXTS_PROPOSED], side->contexts);
		return;
	}
	attributes_number(call->out, &dicom_fields[F_CONTEXTS_ACCEPTED], side->accepted);
	attributes_number(call->out, &dicom_fields[F_CONTEXTS_REJECTED],
			  side->contexts - side->accepted);
}

static struct cursor trimmed(const uint8_t *title)
{
	struct cursor c = cursor_of(title, AE_TITLE);

	while (cursor_peek(&c, 0) == ' ')
		cursor_skip(&c, 1);
	size_t n = cursor_left(&c);
	while (n && (cursor_peek(&c, n - 1) == ' ' || cursor_peek(&c, n - 1) == 0))
		n--;
	return cursor_sub(&c, n);
}

static bool is_word(struct cursor title, const char *word)
{
	return cursor_left(&title) == strlen(word) && cursor_starts(&title, word);
}

/* What DCMTK's programs and Orthanc are called when they are installed. Titles of others
 * are only known from memory, and an event hangs on this. */
static bool is_default(struct cursor title)
{
	static const char *const words[] = { "ECHOSCU", "FINDSCU", "STORESCU", "MOVESCU",
					     "GETSCU",  "ANY-SCP", "STORESCP", "ORTHANC" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(title, words[i]))
			return true;
	return false;
}

/* The titles in an AC are an echo that nobody checks: the first ones stay. */
static void note_titles(struct dicom_call *call, const uint8_t *calling, const uint8_t *called)
{
	struct cursor from = trimmed(calling), to = trimmed(called);

	attributes_text(call->out, &dicom_fields[F_CALLING_AE], calling, AE_TITLE);
	attributes_text(call->out, &dicom_fields[F_CALLED_AE], called, AE_TITLE);
	if (is_default(from) || is_default(to))
		attributes_flag(call->out, &dicom_fields[F_DEFAULT_AE]);
	const struct attribute *first = attributes_find(call->out, &dicom_fields[F_CALLED_AE]);
	if (call->side->pdu == PDU_ASSOCIATE_RQ && first &&
	    grammar_accepts(GRAMMAR_AE_TITLE, to.at, cursor_left(&to)) &&
	    !is_word(to, attribute_text(call->out, first)))
		attributes_text(call->out, &dicom_fields[F_FURTHER_CALLED], called, AE_TITLE);
}

/* nmap's dicom-ping and dicom-brute call themselves ECHOSCU of DCMTK 3.6.2, and put an
 * ASCII zero where the reserved bytes begin. */
static bool may_be_nmap(const uint8_t *calling, const uint8_t *reserved)
{
	return is_word(trimmed(calling), "ECHOSCU") && reserved[0] == '0' && reserved[1] == 0;
}

static void begin_request(struct dicom_call *call, bool scanner)
{
	struct dicom *flow = call->flow;

	flow->anchored = true;
	flow->scanner = scanner;
	flow->sides[0].stores = flow->sides[1].stores = 0;
	call->in->confidence = CONFIDENCE_HIGH;
	attributes_add(call->out, &dicom_fields[F_ASSOCIATIONS], 1);
}

enum dicom_step dicom_associate(struct dicom_call *call)
{
	struct dicom_side *side = call->side;
	struct cursor c = call->in->bytes;
	bool request = side->pdu == PDU_ASSOCIATE_RQ;

	cursor_skip(&c, 4);
	const uint8_t *called = cursor_take(&c, AE_TITLE);
	const uint8_t *calling = cursor_take(&c, AE_TITLE);
	const uint8_t *reserved = cursor_take(&c, 32);
	if (c.failed)
		return STEP_WAIT;
	call->in->bytes = c;
	side->pdu_left -= DICOM_ASSOCIATE_FIXED;
	side->contexts = side->accepted = 0;
	side->context_accepted = false;
	side->stage = STAGE_ITEM;

	note_titles(call, calling, called);
	if (request) {
		begin_request(call, may_be_nmap(calling, reserved));
	} else {
		attributes_text(call->out, &dicom_fields[F_RESULT], "accepted", 8);
		attributes_add(call->out, &dicom_fields[F_ACCEPTED], 1);
	}
	dicom_orient(call, request ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER);
	if (side->pdu_left == 0)
		end_associate(call);
	return STEP_ON;
}

/* How much of a value is looked at. Containers are entered, so that their items
 * are walked like all others; a UID that is too long is read one byte further
 * than the grammar allows, and comes out as "invalid". */
static size_t wanted(unsigned type, size_t length)
{
	switch (type) {
	case ITEM_CONTEXT_RQ:
	case ITEM_CONTEXT_AC:
	case ITEM_MAX_LENGTH:
		return 4;
	case ITEM_USER_IDENTITY:
		return 1;
	case ITEM_ABSTRACT_SYNTAX:
	case ITEM_TRANSFER_SYNTAX:
	case ITEM_IMPLEMENTATION_UID:
	case ITEM_IMPLEMENTATION_VERSION:
		return length <= DICOM_UID_MOST ? length : DICOM_UID_MOST + 1;
	default:
		return 0;
	}
}

static bool enter_context(struct dicom_call *call, struct cursor value)
{
	struct dicom_side *side = call->side;

	uint8_t id = cursor_u8(&value);
	cursor_skip(&value, 1);
	uint8_t result = cursor_u8(&value);
	if (!(id & 1) || ++side->contexts > DICOM_CONTEXTS_MOST)
		return false;
	side->context_accepted = side->pdu == PDU_ASSOCIATE_AC && result == 0;
	side->accepted += side->context_accepted;
	if (side->pdu == PDU_ASSOCIATE_AC && result >= 1 && result <= 4)
		attributes_add(call->out, &dicom_fields[F_CONTEXT_USER + result - 1], 1);
	return true;
}

static void note_identity(struct dicom_call *call, uint8_t type)
{
	static const char *const words[] = { "none",     "user", "user-password",
					     "kerberos", "saml", "jwt" };
	const char *word = type < sizeof(words) / sizeof(words[0]) ? words[type] : "other";

	attributes_text(call->out, &dicom_fields[F_IDENTITY], word, strlen(word));
	if (type == 2)
		attributes_add(call->out, &dicom_fields[F_PASSWORDS], 1);
}

static bool note_item(struct dicom_call *call, unsigned type, struct cursor value)
{
	bool request = call->side->pdu == PDU_ASSOCIATE_RQ;
	size_t n = cursor_left(&value);
	enum dicom_field field;

	switch (type) {
	case ITEM_CONTEXT_RQ:
	case ITEM_CONTEXT_AC:
		return enter_context(call, value);
	case ITEM_MAX_LENGTH:
		field = request ? F_CALLING_MAX_PDU : F_CALLED_MAX_PDU;
		attributes_number(call->out, &dicom_fields[field], cursor_be32(&value));
		return true;
	case ITEM_USER_IDENTITY:
		note_identity(call, cursor_u8(&value));
		return true;
	case ITEM_ROLE_SELECTION:
		attributes_flag(call->out, &dicom_fields[F_ROLE_SELECTION]);
		return true;
	case ITEM_ABSTRACT_SYNTAX:
		field = F_SOP_CLASS;
		break;
	case ITEM_TRANSFER_SYNTAX:
		if (!call->side->context_accepted)
			return true;
		field = F_TRANSFER_SYNTAX;
		break;
	case ITEM_IMPLEMENTATION_UID:
		field = request ? F_CALLING_UID : F_CALLED_UID;
		break;
	case ITEM_IMPLEMENTATION_VERSION:
		field = request ? F_CALLING_VERSION : F_CALLED_VERSION;
		if (request && call->flow->scanner && is_word(value, "OFFIS_DCMTK_362"))
			attributes_text(call->out, &dicom_fields[F_SCANNER], "nmap", 4);
		break;
	default:
		return true;
	}
	attributes_text(call->out, &dicom_fields[field], cursor_take(&value, n), n);
	return true;
}

/* | type | reserved | length16 | value | */
enum dicom_step dicom_item(struct dicom_call *call)
{
	struct dicom_side *side = call->side;
	struct cursor c = call->in->bytes;

	if (side->pdu_left < ITEM_HEADER)
		return STEP_BROKEN;
	uint8_t type = cursor_u8(&c);
	cursor_skip(&c, 1);
	uint16_t length = cursor_be16(&c);
	if (c.failed)
		return STEP_WAIT;
	size_t look = wanted(type, length);
	if (length > side->pdu_left - ITEM_HEADER || look > length)
		return STEP_BROKEN;
	struct cursor value = cursor_sub(&c, look);
	if (value.failed)
		return STEP_WAIT;
	if (!note_item(call, type, value))
		return STEP_BROKEN;

	bool container =
		type == ITEM_CONTEXT_RQ || type == ITEM_CONTEXT_AC || type == ITEM_USER_INFORMATION;
	size_t taken = ITEM_HEADER + (container ? look : length);
	dicom_pass(call, taken);
	side->pdu_left -= (uint32_t)taken;
	if (side->pdu_left == 0)
		end_associate(call);
	return STEP_ON;
}

/* PS3.8 table 9-21; reason 0 stands for the source itself. */
static const struct {
	uint8_t source, reason;
	const char *word;
} rejects[] = {
	{ 1, 0, "user" },
	{ 1, 1, "no-reason" },
	{ 1, 2, "application-context" },
	{ 1, 3, "calling-ae" },
	{ 1, 7, "called-ae" },
	{ 2, 0, "acse" },
	{ 2, 1, "no-reason" },
	{ 2, 2, "protocol-version" },
	{ 3, 0, "presentation" },
	{ 3, 1, "congestion" },
	{ 3, 2, "limit" },
};

static const char *reject_word(uint8_t source, uint8_t reason)
{
	for (size_t i = 0; i < sizeof(rejects) / sizeof(rejects[0]); i++)
		if (rejects[i].source == source && rejects[i].reason == reason)
			return rejects[i].word;
	return "reserved";
}

static void note_word(struct dicom_call *call, enum dicom_field field, const char *word)
{
	attributes_text(call->out, &dicom_fields[field], word, strlen(word));
}

static void note_reject(struct dicom_call *call, uint8_t result, uint8_t source, uint8_t reason)
{
	note_word(call, F_RESULT, "rejected");
	attributes_add(call->out, &dicom_fields[F_REJECTED], 1);
	note_word(call, F_REJECT_RESULT,
		  result == 1   ? "permanent"
		  : result == 2 ? "transient"
				: "reserved");
	note_word(call, F_REJECT_SOURCE, reject_word(source, 0));
	note_word(call, F_REJECT_REASON, reason ? reject_word(source, reason) : "reserved");
	dicom_orient(call, ROLE_SENDER_IS_SERVER);
}

static void note_abort(struct dicom_call *call, uint8_t source, uint8_t reason)
{
	struct dicom_side *sides = call->flow->sides;
	unsigned stores = sides[0].stores + sides[1].stores;

	note_word(call, F_ABORT_SOURCE,
		  source == 0   ? "user"
		  : source == 2 ? "provider"
				: "reserved");
	if (source == 2) /* a user's abort has none: PS3.8 9.3.8 */
		attributes_number(call->out, &dicom_fields[F_ABORT_REASON], reason);
	attributes_add(call->out, &dicom_fields[F_ABORTS], 1);
	if (stores)
		attributes_add(call->out, &dicom_fields[F_ABORT_IN_STORE], stores);
	sides[0].stores = sides[1].stores = 0;
}

/* RJ:    reserved, result, source, reason
 * abort: reserved, reserved, source, reason */
enum dicom_step dicom_outcome(struct dicom_call *call)
{
	struct dicom_side *side = call->side;
	struct cursor c = call->in->bytes;

	cursor_skip(&c, 1);
	uint8_t result = cursor_u8(&c);
	uint8_t source = cursor_u8(&c);
	uint8_t reason = cursor_u8(&c);
	if (c.failed)
		return STEP_WAIT;
	call->in->bytes = c;
	side->pdu_left = 0;
	side->stage = STAGE_PDU;

	switch (side->pdu) {
	case PDU_ASSOCIATE_RJ:
		note_reject(call, result, source, reason);
		break;
	case PDU_ABORT:
		note_abort(call, source, reason);
		break;
	default:
		attributes_flag(call->out, &dicom_fields[F_RELEASED]);
		break;
	}
	return STEP_ON;
}
