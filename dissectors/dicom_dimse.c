/* SPDX-License-Identifier: Apache-2.0
 *
 * DICOM commands: PS3.7 6.3.1 (command sets), annex C (status classes), annex E
 * (the registry of command elements). Message ids, instance UIDs and error
 * comments are read past: they identify patients, or may. */
#include "dissectors/dicom_internal.h"

enum element {
	ELEMENT_AFFECTED_SOP_CLASS = 0x0002,
	ELEMENT_REQUESTED_SOP_CLASS = 0x0003,
	ELEMENT_COMMAND = 0x0100,
	ELEMENT_MOVE_DESTINATION = 0x0600,
	ELEMENT_STATUS = 0x0900,
	ELEMENT_COMPLETED = 0x1021,
	ELEMENT_FAILED = 0x1022,
	ELEMENT_WARNED = 0x1023,
	ELEMENT_MOVE_ORIGINATOR = 0x1030,
};

enum { ELEMENT_HEADER = 8, RESPONSE = 0x8000 };

/* `scu`: only the service's user sends this request, so it tells who is who.
 * C-STORE comes from either end (C-GET), and so do event reports. */
static const struct {
	uint16_t code;
	uint8_t field; /* enum dicom_field */
	bool scu;
} commands[] = {
	{ 0x0001, F_C_STORE, false }, { 0x0010, F_C_GET, true },    { 0x0020, F_C_FIND, true },
	{ 0x0021, F_C_MOVE, true },   { 0x0030, F_C_ECHO, true },   { 0x0fff, F_C_CANCEL, true },
	{ 0x0100, F_N_EVENT, false }, { 0x0110, F_N_GET, true },    { 0x0120, F_N_SET, true },
	{ 0x0130, F_N_ACTION, true }, { 0x0140, F_N_CREATE, true }, { 0x0150, F_N_DELETE, true },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* Row of a request or of its response; COMMANDS when there is none. */
static size_t command_row(uint16_t code)
{
	size_t i = 0;

	while (i < COMMANDS && commands[i].code != (code & ~RESPONSE))
		i++;
	return i;
}

/* 24 (0000,0002) or (0000,0003), its length at 28, a UID at 32 */
static enum probe_result probe_sop_class(const struct cursor *c)
{
	if (!dicom_may_start(c, 24, "\0\0\2\0", 4) && !dicom_may_start(c, 24, "\0\0\3\0", 4))
		return PROBE_NO;
	if (cursor_peek(c, 28) > DICOM_UID_MOST || !dicom_may_start(c, 29, "\0\0\0", 3) ||
	    !dicom_may_start(c, 32, "1.2.840.10008", 13))
		return PROBE_NO;
	return cursor_left(c) >= 45 ? PROBE_YES : PROBE_MORE;
}

/* In a set that names no SOP class: 24 (0000,0100), length 2, the command at 32,
 * and then (0000,0110) or (0000,0120) */
static enum probe_result probe_bare_command(const struct cursor *c)
{
	struct cursor header = *c;

	if (!dicom_may_start(c, 24, "\0\0\0\1\2\0\0\0", 8))
		return PROBE_NO;
	cursor_skip(&header, 32);
	uint16_t code = cursor_le16(&header);
	if (!header.failed && command_row(code) == COMMANDS)
		return PROBE_NO;
	if (!dicom_may_start(c, 34, "\0\0\x10\1", 4) && !dicom_may_start(c, 34, "\0\0\x20\1", 4))
		return PROBE_NO;
	return cursor_left(c) >= 38 ? PROBE_YES : PROBE_MORE;
}

/*  0 PDU header  6 PDV length32  10 context id  11 flags
 * 12 (0000,0000), length 4, its value at 20 */
enum probe_result dicom_probe_command(const struct cursor *c)
{
	struct cursor header = *c;

	if (!dicom_may_be(c, 0, PDU_DATA) || !dicom_may_be(c, 1, 0))
		return PROBE_NO;
	cursor_skip(&header, 2);
	uint32_t length = cursor_be32(&header);
	if (!header.failed && length > DICOM_DATA_MOST)
		return PROBE_NO;
	uint32_t pdv = cursor_be32(&header);
	if (!header.failed &&
	    (pdv < 2 + 24 || pdv > DICOM_COMMAND_MOST || length < 4 || pdv > length - 4))
		return PROBE_NO;
	int context = cursor_peek(c, 10);
	int flags = cursor_peek(c, 11);
	if ((context >= 0 && !(context & 1)) || (flags >= 0 && !(flags & 1)))
		return PROBE_NO;
	if (!dicom_may_start(c, 12, "\0\0\0\0\4\0\0\0", 8))
		return PROBE_NO;
	enum probe_result named = probe_sop_class(c);
	return named == PROBE_NO ? probe_bare_command(c) : named;
}

/* Storage SOP classes (PS3.4 annex B.5), by what stands behind their common root, as
 * DICOM's words for modalities (PS3.3 C.7.3.1.1.1). A row counts for those below it too. */
static const struct {
	const char *root, *word;
} modalities[] = {
	{ "1", "CR" },          { "2", "CT" },         { "3", "US" },
	{ "4", "MR" },          { "6", "US" },         { "7", "OT" },
	{ "9.1", "ECG" },       { "11", "PR" },        { "12.1", "XA" },
	{ "12.2", "RF" },       { "20", "NM" },        { "66", "SEG" },
	{ "77.1.1", "ES" },     { "77.1.2", "GM" },    { "77.1.4", "XC" },
	{ "77.1.5", "OP" },     { "77.1.6", "SM" },    { "88", "SR" },
	{ "104", "DOC" },       { "128", "PT" },       { "130", "PT" },
	{ "481.1", "RTIMAGE" }, { "481.2", "RTDOSE" }, { "481.3", "RTSTRUCT" },
	{ "481.5", "RTPLAN" },  { "481", "RT" },       { "1.1", "DX" },
	{ "1.2", "MG" },        { "1.3", "IO" },
};

enum { MODALITIES = sizeof(modalities) / sizeof(modalities[0]) };

/* Its row plus one, the longest root that fits; 0: none of them. */
static uint8_t modality_of(struct cursor sop_class)
{
	static const char storage[] = "1.2.840.10008.5.1.4.1.1.";
	size_t longest = 0;
	uint8_t found = 0;

	if (!cursor_starts(&sop_class, storage))
		return 0;
	cursor_skip(&sop_class, sizeof(storage) - 1);
	for (size_t i = 0; i < MODALITIES; i++) {
		size_t n = strlen(modalities[i].root);
		int next = cursor_peek(&sop_class, n);
		bool whole = next < 0 || next == '.' || next == 0 || next == ' ';
		if (n > longest && whole && cursor_starts(&sop_class, modalities[i].root)) {
			longest = n;
			found = (uint8_t)(i + 1);
		}
	}
	return found;
}

static bool is_wanted(uint16_t element)
{
	switch (element) {
	case ELEMENT_AFFECTED_SOP_CLASS:
	case ELEMENT_REQUESTED_SOP_CLASS:
	case ELEMENT_COMMAND:
	case ELEMENT_MOVE_DESTINATION:
	case ELEMENT_STATUS:
	case ELEMENT_COMPLETED:
	case ELEMENT_FAILED:
	case ELEMENT_WARNED:
	case ELEMENT_MOVE_ORIGINATOR:
		return true;
	default:
		return false;
	}
}

static void keep_number(struct dicom_call *call, uint16_t element, uint16_t value)
{
	struct dicom_command *command = &call->side->command;

	switch (element) {
	case ELEMENT_COMMAND:
		command->code = value;
		command->has_code = true;
		break;
	case ELEMENT_STATUS:
		command->status = value;
		command->has_status = true;
		break;
	case ELEMENT_COMPLETED:
		command->completed = value;
		command->has_counts = true;
		attributes_number(call->out, &dicom_fields[F_COMPLETED], value);
		break;
	case ELEMENT_FAILED:
		command->failed = value;
		command->has_counts = true;
		attributes_number(call->out, &dicom_fields[F_FAILED], value);
		break;
	case ELEMENT_WARNED:
		command->warned = value;
		command->has_counts = true;
		attributes_number(call->out, &dicom_fields[F_WARNED], value);
		break;
	default:
		break;
	}
}

static void keep_text(struct dicom_call *call, enum dicom_field field, struct cursor value)
{
	size_t n = cursor_left(&value);

	attributes_text(call->out, &dicom_fields[field], cursor_take(&value, n), n);
}

static void keep(struct dicom_call *call, uint16_t element, struct cursor value)
{
	uint16_t number;

	switch (element) {
	case ELEMENT_AFFECTED_SOP_CLASS:
	case ELEMENT_REQUESTED_SOP_CLASS:
		keep_text(call, F_USED_SOP_CLASS, value);
		call->side->command.modality = modality_of(value);
		break;
	case ELEMENT_MOVE_DESTINATION:
		keep_text(call, F_MOVE_DESTINATION, value);
		break;
	case ELEMENT_MOVE_ORIGINATOR:
		keep_text(call, F_MOVE_ORIGINATOR, value);
		break;
	default:
		number = cursor_le16(&value);
		if (!value.failed)
			keep_number(call, element, number);
		break;
	}
}

/* Brings `held` up to n bytes; false while there are too few. */
static bool hold(struct dicom_command *command, struct cursor *bytes, size_t n)
{
	size_t missing = n - command->held_count;
	size_t left = cursor_left(bytes);
	size_t here = missing < left ? missing : left;

	const uint8_t *p = cursor_take(bytes, here);
	if (here)
		memcpy(command->held + command->held_count, p, here);
	command->held_count = (uint8_t)(command->held_count + here);
	return here == missing;
}

/* Implicit VR little endian (PS3.7 6.3.1): | group16 | element16 | length32 | value | */
static enum dicom_step feed_element(struct dicom_call *call, struct cursor *bytes)
{
	struct dicom_command *command = &call->side->command;

	if (command->held_count < ELEMENT_HEADER && !hold(command, bytes, ELEMENT_HEADER))
		return STEP_WAIT;
	struct cursor header = cursor_of(command->held, ELEMENT_HEADER);
	uint16_t group = cursor_le16(&header);
	uint16_t element = cursor_le16(&header);
	uint32_t length = cursor_le32(&header);
	if (group != 0 || length > DICOM_COMMAND_MOST)
		return STEP_BROKEN;
	if (!is_wanted(element) || length > DICOM_UID_MOST) {
		command->pass = length;
		command->held_count = 0;
		return STEP_ON;
	}
	if (!hold(command, bytes, ELEMENT_HEADER + length))
		return STEP_WAIT;
	command->held_count = 0;
	keep(call, element, cursor_of(command->held + ELEMENT_HEADER, length));
	return STEP_ON;
}

bool dicom_command_feed(struct dicom_call *call, struct cursor bytes)
{
	struct dicom_command *command = &call->side->command;

	while (cursor_left(&bytes)) {
		size_t left = cursor_left(&bytes);
		if (command->pass) {
			size_t here = command->pass < left ? command->pass : left;
			cursor_skip(&bytes, here);
			command->pass -= (uint32_t)here;
			continue;
		}
		if (feed_element(call, &bytes) == STEP_BROKEN)
			return false;
	}
	return true;
}

/* PS3.7 annex C. The three warnings outside Bxxx: optional attributes not
 * supported, attribute list error, attribute value out of range. */
static enum dicom_field status_class(uint16_t status)
{
	if (status == 0)
		return F_SUCCESS;
	if (status >> 8 == 0xff)
		return F_PENDING;
	if (status == 0xfe00)
		return F_CANCEL;
	if (status >> 12 == 0xb || status == 0x0001 || status == 0x0107 || status == 0x0116)
		return F_WARNING;
	return F_FAILURE;
}

/* Each response of a retrieval tells all of it so far; what came since the last
 * response is added up. */
static void add_since(struct dicom_call *call, enum dicom_field field, uint32_t *last, uint32_t now)
{
	uint32_t more = now >= *last ? now - *last : now;

	if (more)
		attributes_add(call->out, &dicom_fields[field], more);
	*last = now;
}

static void count_retrieval(struct dicom_call *call, bool pending)
{
	struct dicom_side *side = call->side;
	const struct dicom_command *command = &side->command;

	if (command->has_counts) {
		add_since(call, F_RETRIEVED, &side->retrieved,
			  (uint32_t)command->completed + command->warned);
		add_since(call, F_NOT_RETRIEVED, &side->not_retrieved, command->failed);
	}
	if (!pending)
		side->retrieved = side->not_retrieved = 0;
}

static void count_response(struct dicom_call *call)
{
	const struct dicom_command *command = &call->side->command;
	struct dicom_side *peer = &call->flow->sides[call->side == &call->flow->sides[0]];
	uint16_t request = command->code & (uint16_t)~RESPONSE;

	if (!command->has_status)
		return;
	enum dicom_field field = status_class(command->status);
	attributes_add(call->out, &dicom_fields[field], 1);
	if (field == F_FAILURE)
		attributes_number(call->out, &dicom_fields[F_FAILURE_STATUS], command->status);
	if (request == DICOM_C_MOVE || request == DICOM_C_GET)
		count_retrieval(call, field == F_PENDING);
	if (request == DICOM_C_STORE && peer->stores)
		peer->stores--;
}

static void count_request(struct dicom_call *call, size_t row)
{
	struct dicom_side *side = call->side;
	const struct dicom_command *command = &side->command;

	attributes_add(call->out,
		       &dicom_fields[row < COMMANDS ? commands[row].field : F_OTHER_COMMAND], 1);
	side->data_of = command->code;
	side->keys = (struct dicom_keys){ 0 };
	if (command->code != DICOM_C_STORE)
		return;
	side->stores += side->stores < UINT16_MAX;
	if (command->modality) {
		const char *word = modalities[command->modality - 1].word;
		attributes_text(call->out, &dicom_fields[F_MODALITY], word, strlen(word));
	}
}

bool dicom_command_end(struct dicom_call *call)
{
	struct dicom_command *command = &call->side->command;

	if (!command->has_code || command->held_count || command->pass)
		return false;
	size_t row = command_row(command->code);
	bool response = command->code & RESPONSE;
	call->side->data_of = 0;
	if (response)
		count_response(call);
	else
		count_request(call, row);
	if (row < COMMANDS && commands[row].scu)
		dicom_orient(call, response ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT);
	*command = (struct dicom_command){ 0 };
	return true;
}
