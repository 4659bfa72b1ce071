/* SPDX-License-Identifier: Apache-2.0
 *
 * HL7 v2.x, chapter 2: MSH (2.15.9), MSA (2.15.8), ERR (2.15.5), original and
 * enhanced acknowledgement (2.9), SFT (2.15.12). Of MSH the fields 7 and 8 are never
 * looked at and 10 is only compared (hl7_kinds.c), of MSA only the code; of other
 * segments the names are counted. */
#include "dissectors/hl7_internal.h"

static size_t split(struct cursor text, uint8_t separator, struct cursor *out, size_t most)
{
	size_t count = 0;

	while (count < most) {
		size_t left = cursor_left(&text);
		const uint8_t *end = left ? memchr(text.at, separator, left) : NULL;
		out[count++] = cursor_sub(&text, end ? (size_t)(end - text.at) : left);
		if (!end)
			break;
		cursor_skip(&text, 1);
	}
	return count;
}

static struct cursor first_part(struct cursor text, uint8_t separator)
{
	struct cursor part;

	split(text, separator, &part, 1);
	return part;
}

static void note(struct hl7_call *call, enum hl7_field field, struct cursor text)
{
	size_t n = cursor_left(&text);

	attributes_text(call->out, &hl7_fields[field], cursor_take(&text, n), n);
}

/* What the field holds is not what the standard puts there; no grammar has a
 * question mark, so this is recorded as "invalid". */
static void note_invalid(struct hl7_call *call, enum hl7_field field)
{
	hl7_note_word(call, field, "?");
}

static bool are_marks(struct cursor marks, uint8_t separator)
{
	size_t n = cursor_left(&marks);

	if (n < 3 || n > 5)
		return false;
	while (cursor_left(&marks)) {
		uint8_t mark = cursor_u8(&marks);
		if (!hl7_is_mark(mark) || mark == separator)
			return false;
	}
	return true;
}

/* Brings the message's own component separator back to the usual one, which the
 * grammar knows. The longest type has 15 bytes; a 16th makes it invalid. */
static size_t plain_type(struct cursor field, uint8_t component, char out[16])
{
	size_t n = 0;

	while (cursor_left(&field) && n < 16) {
		uint8_t byte = cursor_u8(&field);
		out[n++] = byte == component ? '^' : (char)byte;
	}
	return n;
}

/* 2.1 to 2.9.1. Stricter than the grammar: in a header whose fields are shifted
 * a message's id would pass for a version. */
static void note_version(struct hl7_call *call, struct cursor version)
{
	size_t n = cursor_left(&version);

	if (n == 0)
		return;
	bool good = n == 3 || n == 5;
	for (size_t i = 0; i < n && good; i++) {
		int byte = cursor_peek(&version, i);
		good = i % 2 ? byte == '.' : byte >= '0' && byte <= '9';
	}
	if (good && cursor_peek(&version, 0) == '2')
		note(call, F_VERSION, version);
	else
		note_invalid(call, F_VERSION);
}

static void note_processing(struct hl7_call *call, struct cursor id)
{
	if (hl7_equals(&id, "P") || hl7_equals(&id, "D") || hl7_equals(&id, "T"))
		note(call, F_PROCESSING, id);
	else if (cursor_left(&id))
		note_invalid(call, F_PROCESSING);
	if (!call->side->ack && (hl7_equals(&id, "D") || hl7_equals(&id, "T")))
		hl7_count(call, F_TESTS, 1);
}

/* MSH-15 and MSH-16, table 0155. True: no answer is to follow, unless it is about an
 * error. An empty one beside the other is as good as NE. */
static bool note_wish(struct hl7_call *call, enum hl7_field field, struct cursor wish)
{
	bool never = hl7_equals(&wish, "NE") || hl7_equals(&wish, "ER");

	if (never || hl7_equals(&wish, "AL") || hl7_equals(&wish, "SU"))
		note(call, field, wish);
	else if (cursor_left(&wish))
		note_invalid(call, field);
	return never || !cursor_left(&wish);
}

static void note_wishes(struct hl7_call *call, const struct cursor *fields, size_t count)
{
	struct cursor none = cursor_of("", 0);
	struct cursor accept = count > MSH(15) ? fields[MSH(15)] : none;
	struct cursor application = count > MSH(16) ? fields[MSH(16)] : none;

	bool enhanced = cursor_left(&accept) || cursor_left(&application);
	bool no_accept = note_wish(call, F_ACCEPT_ACK, accept);
	bool no_application = note_wish(call, F_APPLICATION_ACK, application);
	call->side->silent = enhanced && no_accept && no_application;
}

/* Table 0211, and the words that it is exported as. */
static const struct {
	const char *name, *word;
} charsets[] = {
	{ "ASCII", "ASCII" },           { "8859/1", "8859/1" },
	{ "8859/2", "8859/2" },         { "8859/3", "8859/3" },
	{ "8859/4", "8859/4" },         { "8859/5", "8859/5" },
	{ "8859/6", "8859/6" },         { "8859/7", "8859/7" },
	{ "8859/8", "8859/8" },         { "8859/9", "8859/9" },
	{ "8859/15", "8859/15" },       { "ISO IR6", "ISO-IR6" },
	{ "ISO IR14", "ISO-IR14" },     { "ISO IR87", "ISO-IR87" },
	{ "ISO IR159", "ISO-IR159" },   { "GB 18030-2000", "GB18030" },
	{ "KS X 1001", "KS-X-1001" },   { "CNS 11643-1992", "CNS-11643" },
	{ "BIG-5", "BIG-5" },           { "UNICODE", "UNICODE" },
	{ "UNICODE UTF-8", "UTF-8" },   { "UNICODE UTF-16", "UTF-16" },
	{ "UNICODE UTF-32", "UTF-32" }, { "UTF-8", "UTF-8" },
};

static void note_charset(struct hl7_call *call, struct cursor name)
{
	if (cursor_left(&name) == 0)
		return;
	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
		if (hl7_equals(&name, charsets[i].name)) {
			hl7_note_word(call, F_CHARSET, charsets[i].word);
			return;
		}
	}
	note_invalid(call, F_CHARSET);
}

/* Sender and receiver of a message. An acknowledgement has the same names the
 * other way round, and would only blur who feeds whom. Where the type is no
 * type the fields are shifted, and any of them may hold anything. */
static void note_names(struct hl7_call *call, const struct cursor *fields, size_t count, bool sound)
{
	static const enum hl7_field names[] = { F_SENDING_APP, F_SENDING_FACILITY, F_RECEIVING_APP,
						F_RECEIVING_FACILITY };

	for (size_t i = 0; i < 4 && MSH(3) + i < count; i++) {
		struct cursor name = first_part(fields[MSH(3) + i], call->side->component);
		if (sound)
			note(call, names[i], name);
		else if (cursor_left(&name))
			note_invalid(call, names[i]);
	}
}

static void open_message(struct hl7_call *call, const struct cursor *fields, size_t count)
{
	struct hl7_side *side = call->side;
	char type[16];

	struct cursor none = cursor_of("", 0);
	struct cursor type_field = count > MSH(9) ? fields[MSH(9)] : none;
	size_t n = plain_type(type_field, side->component, type);
	struct cursor code = first_part(type_field, side->component);
	side->ack = hl7_equals(&code, "ACK") || hl7_equals(&code, "MCF");

	attributes_text(call->out, &hl7_fields[F_TYPE], type, n);
	side->sound = grammar_accepts(GRAMMAR_HL7_TYPE, type, n);
	side->silent = false;
	side->role = ROLE_UNKNOWN;
	if (!side->ack) {
		note_names(call, fields, count, side->sound);
		note_wishes(call, fields, count);
		hl7_note_dialect(call, fields, count);
	}
	if (!side->ack && side->sound)
		hl7_note_kind(call, cursor_of(type, n));
	if (count > MSH(11))
		note_processing(call, first_part(fields[MSH(11)], side->component));
	if (count > MSH(12))
		note_version(call, first_part(fields[MSH(12)], side->component));
	if (count > MSH(18)) {
		struct cursor marks = fields[MSH(2)];
		cursor_skip(&marks, 1);
		note_charset(call, first_part(fields[MSH(18)], cursor_u8(&marks)));
	}
}

void hl7_header(struct hl7_call *call, struct cursor segment)
{
	struct hl7_side *side = call->side;
	struct cursor fields[HL7_MSH_FIELDS];

	bool message = cursor_peek(&segment, 0) == 'M';
	cursor_skip(&segment, 3);
	side->separator = cursor_u8(&segment);
	size_t count = split(segment, side->separator, fields, HL7_MSH_FIELDS);
	bool sound = are_marks(fields[MSH(2)], side->separator);

	if (!sound)
		hl7_count(call, F_MALFORMED, 1);
	side->component = sound ? (uint8_t)cursor_peek(&fields[MSH(2)], 0) : '^';
	side->batch |= !message;
	if (!message)
		hl7_count(call, F_BATCHES, 1);
	side->open = message;
	side->judged = side->ack = side->timed = false;
	if (message && sound)
		open_message(call, fields, count);
}

/* MSA|AA|... : the code, and what ends it */
bool hl7_acknowledgement(struct hl7_call *call)
{
	static const char *const codes[] = { "AA", "AE", "AR", "CA", "CE", "CR" };
	const struct cursor *bytes = &call->in->bytes;
	struct cursor c = *bytes;
	const char *code = "";
	size_t n = 0;

	while (n < 3) {
		int byte = cursor_peek(bytes, 4 + n);
		if (byte < 0)
			return false;
		if (byte == call->side->separator || hl7_ends_segment(byte))
			break;
		n++;
	}
	cursor_skip(&c, 4);
	struct cursor given = cursor_sub(&c, n);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (hl7_equals(&given, codes[i])) {
			code = codes[i];
			hl7_count(call, (enum hl7_field)(F_ACK_AA + i), 1);
		}
	}
	hl7_judge(call, true, code);
	return true;
}

enum segment_state { SEGMENT_HERE, SEGMENT_PART, SEGMENT_TOO_LONG };

/* The fields of the segment ahead, its name first. */
static enum segment_state split_segment(struct hl7_call *call, struct cursor *fields, size_t most,
					size_t *count)
{
	struct cursor c = call->in->bytes;
	size_t n = 0;

	while (n < HL7_SEGMENT_MOST && !hl7_ends_segment(cursor_peek(&c, n)))
		if (cursor_peek(&c, n++) < 0)
			return SEGMENT_PART;
	if (n == HL7_SEGMENT_MOST)
		return SEGMENT_TOO_LONG;
	*count = split(cursor_sub(&c, n), call->side->separator, fields, most);
	return SEGMENT_HERE;
}

/* ERR-3.1, three digits of table 0357; the other fields quote the message. */
bool hl7_error(struct hl7_call *call)
{
	struct cursor fields[4];
	size_t count = 0;

	if (split_segment(call, fields, 4, &count) == SEGMENT_PART)
		return false;
	if (count < 4)
		return true;
	struct cursor code = first_part(fields[3], call->side->component);
	size_t digits = 0;
	while (cursor_peek(&code, digits) >= '0' && cursor_peek(&code, digits) <= '9')
		digits++;
	if (digits == 3 && cursor_left(&code) == 3)
		note(call, F_ERROR_CODE, code);
	return true;
}

/* SFT-1 to SFT-3. Said of a sender once: they come with every message. */
bool hl7_software(struct hl7_call *call)
{
	static const enum hl7_field names[] = { F_VENDOR, F_SOFTWARE, F_PRODUCT };
	struct cursor fields[4];
	size_t count = 0;

	if (split_segment(call, fields, 4, &count) == SEGMENT_PART)
		return false;
	if (!call->side->sound || call->side->introduced)
		return true;
	for (size_t i = 1; i < count; i++) {
		struct cursor text = first_part(fields[i], call->side->component);
		size_t n = cursor_left(&text);
		note(call, names[i - 1], text);
		if (n)
			dissect_says(call->in, &hl7_fields[names[i - 1]], FACT_SENDER, text.at, n);
	}
	call->side->introduced = true;
	return true;
}

void hl7_count_segment(struct hl7_call *call)
{
	static const struct {
		const char *name;
		enum hl7_field field;
	} rows[] = { { "PID", F_PID }, { "MRG", F_MRG }, { "ORC", F_ORC }, { "OBR", F_OBR },
		     { "OBX", F_OBX }, { "RX", F_RX },   { "Z", F_Z } };
	const struct cursor *bytes = &call->in->bytes;

	if (call->side->ack || cursor_peek(bytes, 3) != call->side->separator ||
	    cursor_starts(bytes, "BTS") || cursor_starts(bytes, "FTS"))
		return;
	hl7_count(call, F_SEGMENTS, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (cursor_starts(bytes, rows[i].name))
			hl7_count(call, rows[i].field, 1);
}

static void expect_answer(struct hl7_call *call)
{
	struct hl7_side *side = call->side;

	if (side->untimed || side->sent_count == HL7_TIMED_MOST) {
		side->untimed += side->untimed < UINT32_MAX;
		return;
	}
	side->sent[(side->sent_first + side->sent_count++) % HL7_TIMED_MOST] = call->in->time.v;
	side->timed = true;
}

static void note_latency(struct hl7_call *call, uint64_t latency)
{
	struct hl7 *flow = call->flow;

	if (latency > flow->latency_max)
		flow->latency_max = latency;
	if (latency < flow->latency_min || !flow->timed)
		flow->latency_min = latency;
	flow->timed = true;
	hl7_count(call, F_TIMED_ACKS, 1);
	hl7_count(call, F_LATENCY_SUM, latency);
	attributes_number(call->out, &hl7_fields[F_LATENCY_MIN], flow->latency_min);
	attributes_number(call->out, &hl7_fields[F_LATENCY_MAX], flow->latency_max);
	if (latency > HL7_SLOW_ACK)
		hl7_count(call, F_SLOW, 1);
}

/* Answers come in the order of the messages: MSH-10, which would pair them
 * better, may hold a patient's number and is never kept. */
static void settle(struct hl7_call *call, struct hl7_side *asker)
{
	if (asker->sent_count == 0) {
		asker->untimed -= asker->untimed > 0;
		return;
	}
	int64_t latency = call->in->time.v - asker->sent[asker->sent_first];
	asker->sent_first = (uint8_t)((asker->sent_first + 1) % HL7_TIMED_MOST);
	asker->sent_count--;
	if (latency < 0)
		latency = 0;
	note_latency(call, (uint64_t)latency);
}

static uint64_t unanswered(const struct hl7_side *side)
{
	return (uint64_t)side->sent_count + side->untimed;
}

/* Who sends messages is the client, unless the dialect knows better. */
static void orient(struct hl7_call *call, bool ack)
{
	struct hl7 *flow = call->flow;
	const struct hl7_side *side = call->side;

	if (flow->oriented || (flow->dialect && !ack && side->role == ROLE_UNKNOWN))
		return;
	flow->oriented = true;
	call->in->role = ack          ? ROLE_SENDER_IS_SERVER
			 : side->role ? (enum role)side->role
				      : ROLE_SENDER_IS_CLIENT;
}

void hl7_judge(struct hl7_call *call, bool ack, const char *code)
{
	struct hl7 *flow = call->flow;
	struct hl7_side *side = call->side;
	struct hl7_side *peer = &flow->sides[side == &flow->sides[0]];

	side->judged = true;
	side->ack = ack;
	orient(call, ack);
	hl7_count(call, ack ? F_ACKS : F_MESSAGES, 1);
	if (!ack && side->silent) {
		hl7_count(call, F_SILENT, 1);
	} else if (!ack) {
		expect_answer(call);
	} else {
		/* In enhanced mode the commit answers, and the application's word
		 * that may follow later does not answer once more. */
		side->commits |= *code == 'C';
		if (*code == 'C' || !side->commits)
			settle(call, peer);
	}
	attributes_number(call->out, &hl7_fields[F_UNANSWERED],
			  unanswered(side) + unanswered(peer));
}

void hl7_end(struct hl7_call *call, bool exact)
{
	struct hl7_side *side = call->side;

	if (side->open && !side->judged)
		hl7_judge(call, side->ack, "");
	if (side->open && side->bytes > call->flow->largest) {
		call->flow->largest = side->bytes;
		attributes_number(call->out, &hl7_fields[F_LARGEST], side->bytes);
	}
	if (exact && side->timed && side->sent_count)
		side->sent[(side->sent_first + side->sent_count - 1) % HL7_TIMED_MOST] =
			call->in->time.v;
	side->open = side->timed = false;
}
