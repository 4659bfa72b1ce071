/* SPDX-License-Identifier: Apache-2.0
 *
 * HL7 v2.x (chapter 2) over MLLP (Minimal Lower Layer Protocol, release 1) on
 * TCP, any port: which application feeds which, with what kinds of messages, how
 * they are answered and how fast. Beside the header segment and the outcome of
 * an acknowledgement a message is only searched for its end. */
#include "dissectors/hl7_internal.h"

const struct field hl7_fields[HL7_FIELD_COUNT + 1] = {
	/* clang-format off */
	[F_SENDING_APP] = { "hl7.sending_app", FIELD_TEXTS, GRAMMAR_HL7_NAME, "",
		"MSH-3 of messages (not of acknowledgements)", PHI_SITE, ABOUT_FLOW },
	[F_SENDING_FACILITY] = { "hl7.sending_facility", FIELD_TEXTS, GRAMMAR_HL7_NAME, "",
		"MSH-4 of messages", PHI_SITE, ABOUT_FLOW },
	[F_RECEIVING_APP] = { "hl7.receiving_app", FIELD_TEXTS, GRAMMAR_HL7_NAME, "",
		"MSH-5 of messages", PHI_SITE, ABOUT_FLOW },
	[F_RECEIVING_FACILITY] = { "hl7.receiving_facility", FIELD_TEXTS, GRAMMAR_HL7_NAME, "",
		"MSH-6 of messages", PHI_SITE, ABOUT_FLOW },
	[F_TYPE] = { "hl7.message_type", FIELD_TEXTS, GRAMMAR_HL7_TYPE, "",
		"MSH-9 of messages and acknowledgements", PHI_NONE, ABOUT_FLOW },
	[F_VERSION] = { "hl7.version", FIELD_TEXTS, GRAMMAR_VERSION, "", "MSH-12", PHI_NONE, ABOUT_FLOW },
	[F_PROCESSING] = { "hl7.processing_id", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"MSH-11: P production, D debugging, T training", PHI_NONE, ABOUT_FLOW },
	[F_CHARSET] = { "hl7.charset", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"MSH-18, a word of table 0211", PHI_NONE, ABOUT_FLOW },
	[F_MESSAGES] = { "hl7.messages", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"messages that are not acknowledgements", PHI_NONE, ABOUT_FLOW },
	[F_ACKS] = { "hl7.acks", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"acknowledgements, and responses that contain one", PHI_NONE, ABOUT_FLOW },
	[F_ACK_AA] = { "hl7.ack_aa", FIELD_COUNTER, GRAMMAR_NONE, "messages", "application accept", PHI_NONE, ABOUT_FLOW },
	[F_ACK_AE] = { "hl7.ack_ae", FIELD_COUNTER, GRAMMAR_NONE, "messages", "application error", PHI_NONE, ABOUT_FLOW },
	[F_ACK_AR] = { "hl7.ack_ar", FIELD_COUNTER, GRAMMAR_NONE, "messages", "application reject", PHI_NONE, ABOUT_FLOW },
	[F_ACK_CA] = { "hl7.ack_ca", FIELD_COUNTER, GRAMMAR_NONE, "messages", "commit accept", PHI_NONE, ABOUT_FLOW },
	[F_ACK_CE] = { "hl7.ack_ce", FIELD_COUNTER, GRAMMAR_NONE, "messages", "commit error", PHI_NONE, ABOUT_FLOW },
	[F_ACK_CR] = { "hl7.ack_cr", FIELD_COUNTER, GRAMMAR_NONE, "messages", "commit reject", PHI_NONE, ABOUT_FLOW },
	[F_ERROR_CODE] = { "hl7.error_code", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"ERR-3.1, a number of table 0357", PHI_NONE, ABOUT_FLOW },
	[F_UNANSWERED] = { "hl7.unanswered", FIELD_NUMBER, GRAMMAR_NONE, "messages",
		"messages that no acknowledgement has answered so far", PHI_NONE, ABOUT_FLOW },
	[F_TIMED_ACKS] = { "hl7.timed_acks", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"acknowledgements whose latency is known", PHI_NONE, ABOUT_FLOW },
	[F_LATENCY_SUM] = { "hl7.ack_latency_sum_us", FIELD_COUNTER, GRAMMAR_NONE, "us",
		"from the end of a message to its acknowledgement, added up", PHI_NONE, ABOUT_FLOW },
	[F_LATENCY_MAX] = { "hl7.ack_latency_max_us", FIELD_NUMBER, GRAMMAR_NONE, "us",
		"the longest of them", PHI_NONE, ABOUT_FLOW },
	[F_BYTES] = { "hl7.message_bytes", FIELD_COUNTER, GRAMMAR_NONE, "bytes",
		"bytes of messages and acknowledgements, without framing", PHI_NONE, ABOUT_FLOW },
	[F_TRANSPORT_ACKS] = { "hl7.mllp_acks", FIELD_COUNTER, GRAMMAR_NONE, "blocks",
		"commit blocks of MLLP release 2, positive", PHI_NONE, ABOUT_FLOW },
	[F_TRANSPORT_NAKS] = { "hl7.mllp_naks", FIELD_COUNTER, GRAMMAR_NONE, "blocks",
		"commit blocks of MLLP release 2, negative", PHI_NONE, ABOUT_FLOW },
	[F_UNFRAMED] = { "hl7.unframed", FIELD_FLAG, GRAMMAR_NONE, "",
		"a message came without its MLLP frame", PHI_NONE, ABOUT_FLOW },
	[F_MALFORMED] = { "hl7.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"messages whose header cannot be read, or that do not end", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	[HL7_FIELD_COUNT] = { .name = NULL },
};

enum { LEADING_MOST = 8, SEGMENT_NAME = 3 };

static bool may_be_name(const struct cursor *c, size_t offset, const char *name)
{
	for (size_t i = 0; i < SEGMENT_NAME; i++) {
		int byte = cursor_peek(c, offset + i);
		if (byte >= 0 && byte != name[i])
			return false;
	}
	return true;
}

/* MSH, FHS or BHS, and a separator. */
static enum probe_result probe_name(const struct cursor *c, size_t offset)
{
	int separator = cursor_peek(c, offset + SEGMENT_NAME);

	if (!may_be_name(c, offset, "MSH") && !may_be_name(c, offset, "FHS") &&
	    !may_be_name(c, offset, "BHS"))
		return PROBE_NO;
	if (separator < 0)
		return PROBE_MORE;
	return hl7_is_mark(separator) ? PROBE_YES : PROBE_NO;
}

/* ... and three to five encoding characters. */
static enum probe_result probe_header(const struct cursor *c, size_t offset)
{
	enum probe_result name = probe_name(c, offset);
	int separator = cursor_peek(c, offset + SEGMENT_NAME);

	if (name != PROBE_YES)
		return name;
	for (size_t i = 0; i <= 5; i++) {
		int mark = cursor_peek(c, offset + SEGMENT_NAME + 1 + i);
		if (mark < 0)
			return PROBE_MORE;
		if (mark == separator)
			return i >= 3 ? PROBE_YES : PROBE_NO;
		if (!hl7_is_mark(mark))
			return PROBE_NO;
	}
	return PROBE_NO;
}

/* Without a frame only the usual encoding characters will do. */
static enum probe_result probe_bare(const struct cursor *c)
{
	static const char usual[] = "MSH|^~\\&";
	size_t left = cursor_left(c);
	size_t n = sizeof(usual) - 1;

	for (size_t i = 0; i < n && i < left; i++)
		if (cursor_peek(c, i) != usual[i])
			return PROBE_NO;
	if (left <= n)
		return PROBE_MORE;
	if (cursor_peek(c, n) == '|')
		return PROBE_YES;
	if (cursor_peek(c, n) != '#')
		return PROBE_NO;
	return left == n + 1 ? PROBE_MORE : cursor_peek(c, n + 1) == '|' ? PROBE_YES : PROBE_NO;
}

static size_t distance(const struct cursor *c, uint8_t byte)
{
	size_t left = cursor_left(c);
	const uint8_t *found = left ? memchr(c->at, byte, left) : NULL;

	return found ? (size_t)(found - c->at) : left;
}

/* A stream joined in the middle of a message is known by the next one's start. */
static enum probe_result probe_within(struct cursor c)
{
	for (;;) {
		cursor_skip(&c, distance(&c, MLLP_START));
		if (!cursor_left(&c))
			return PROBE_NO;
		enum probe_result header = probe_header(&c, 1);
		if (header != PROBE_NO)
			return header;
		cursor_skip(&c, 1);
	}
}

static enum probe_result hl7_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)source_port;
	(void)dest_port;

	if (transport != TRANSPORT_TCP)
		return PROBE_NO;
	struct cursor c = bytes;
	for (int i = 0; i < LEADING_MOST; i++)
		if (cursor_peek(&c, 0) == '\r' || cursor_peek(&c, 0) == '\n')
			cursor_skip(&c, 1);
	if (cursor_left(&c) == 0)
		return PROBE_MORE;
	enum probe_result header =
		cursor_peek(&c, 0) == MLLP_START ? probe_header(&c, 1) : probe_bare(&c);
	return header == PROBE_NO && midstream ? probe_within(bytes) : header;
}

enum step { STEP_ON, STEP_WAIT };

/* Takes n bytes of the message under way. */
static void take(struct hl7_call *call, size_t n)
{
	cursor_skip(&call->in->bytes, n);
	call->side->bytes += (uint32_t)n;
	hl7_count(call, F_BYTES, n);
}

static void begin(struct hl7_call *call, bool framed)
{
	struct hl7_side *side = call->side;

	side->framed = framed;
	side->batch = side->open = false;
	side->bytes = 0;
	side->stage = STAGE_HEADER;
	if (framed)
		call->in->confidence = CONFIDENCE_HIGH;
	else
		attributes_flag(call->out, &hl7_fields[F_UNFRAMED]);
	if (!framed && !call->flow->framed)
		call->in->confidence = CONFIDENCE_MEDIUM;
	call->flow->framed |= framed;
}

/* At MLLP_START: a message, a commit block, or just a byte. */
static enum probe_result begin_frame(struct hl7_call *call)
{
	struct cursor *bytes = &call->in->bytes;

	int second = cursor_peek(bytes, 1);
	if (second == MLLP_ACK || second == MLLP_NAK) {
		int third = cursor_peek(bytes, 2);
		if (third != MLLP_END)
			return third < 0 ? PROBE_MORE : PROBE_NO;
		hl7_count(call, second == MLLP_ACK ? F_TRANSPORT_ACKS : F_TRANSPORT_NAKS, 1);
		cursor_skip(bytes, 3);
		return PROBE_YES;
	}
	enum probe_result name = probe_name(bytes, 1);
	if (name == PROBE_YES) {
		cursor_skip(bytes, 1);
		begin(call, true);
	}
	return name;
}

static enum step hunt(struct hl7_call *call)
{
	struct cursor *bytes = &call->in->bytes;
	enum probe_result found;

	int first = cursor_peek(bytes, 0);
	if (first == '\r' || first == '\n') {
		cursor_skip(bytes, 1);
		return STEP_ON;
	}
	if (first == MLLP_START) {
		found = begin_frame(call);
	} else {
		found = probe_bare(bytes);
		if (found == PROBE_YES)
			begin(call, false);
	}
	if (found == PROBE_NO) {
		cursor_skip(bytes, 1);
		cursor_skip(bytes, distance(bytes, MLLP_START));
	}
	return found == PROBE_MORE ? STEP_WAIT : STEP_ON;
}

static void give_up(struct hl7_call *call)
{
	hl7_count(call, F_MALFORMED, 1);
	call->side->stage = STAGE_HUNT;
	cursor_skip(&call->in->bytes, 1);
}

static enum step header(struct hl7_call *call)
{
	struct cursor c = call->in->bytes;
	size_t n = 0;

	while (n < HL7_HEADER_MOST && !hl7_ends_segment(cursor_peek(&c, n)))
		if (cursor_peek(&c, n++) < 0)
			return STEP_WAIT;
	if (n == HL7_HEADER_MOST) {
		give_up(call);
		return STEP_ON;
	}
	hl7_header(call, cursor_sub(&c, n));
	take(call, n);
	call->side->stage = STAGE_SEGMENT;
	return STEP_ON;
}

/* At MLLP_END. Some senders leave its CR out, and it may be under way still;
 * anything else behind it makes it a byte of the message. */
static void end_or_pass(struct hl7_call *call)
{
	int next = cursor_peek(&call->in->bytes, 1);

	if (next < 0 || next == '\r' || next == '\n' || next == MLLP_START) {
		hl7_end(call, true);
		cursor_skip(&call->in->bytes, 1);
		call->side->stage = STAGE_HUNT;
		return;
	}
	take(call, 1);
	if (call->side->stage == STAGE_SEGMENT)
		call->side->stage = STAGE_LINE;
}

/* At the name of a segment. False: it is not all here. */
static bool read_segment(struct hl7_call *call)
{
	struct hl7_side *side = call->side;
	const struct cursor *bytes = &call->in->bytes;

	if (!side->open)
		return true;
	if (!side->judged) {
		if (cursor_starts(bytes, "MSA"))
			return hl7_acknowledgement(call);
		/* Only these may stand between MSH and MSA. */
		if (!cursor_starts(bytes, "SFT") && !cursor_starts(bytes, "UAC"))
			hl7_judge(call, side->ack, "");
		return true;
	}
	return !side->ack || !cursor_starts(bytes, "ERR") || hl7_error(call);
}

static enum step segment(struct hl7_call *call)
{
	struct hl7_side *side = call->side;
	const struct cursor *bytes = &call->in->bytes;

	int first = cursor_peek(bytes, 0);
	if (first == MLLP_END) {
		end_or_pass(call);
		return STEP_ON;
	}
	if (hl7_ends_segment(first)) {
		take(call, 1);
		return STEP_ON;
	}
	if (first == MLLP_START) { /* the last one's end was left out */
		hl7_end(call, false);
		side->stage = STAGE_HUNT;
		return STEP_ON;
	}
	bool whole = true;
	for (size_t i = 1; i <= SEGMENT_NAME && whole; i++) {
		if (cursor_peek(bytes, i) < 0)
			return STEP_WAIT;
		whole = !hl7_ends_segment(cursor_peek(bytes, i));
	}
	if (whole && may_be_name(bytes, 0, "MSH")) {
		hl7_end(call, false);
		side->bytes = 0;
		side->stage = STAGE_HEADER;
		return STEP_ON;
	}
	if (whole && !read_segment(call))
		return STEP_WAIT;
	bool rest = side->framed && !side->batch && side->judged && !side->ack;
	side->stage = rest ? STAGE_BULK : STAGE_LINE;
	return STEP_ON;
}

static enum step line(struct hl7_call *call)
{
	struct cursor c = call->in->bytes;

	c = cursor_sub(&c, distance(&c, '\r'));
	c = cursor_sub(&c, distance(&c, '\n'));
	size_t n = distance(&c, MLLP_END);
	take(call, n);
	if (cursor_left(&call->in->bytes))
		call->side->stage = STAGE_SEGMENT;
	return STEP_ON;
}

static enum step bulk(struct hl7_call *call)
{
	take(call, distance(&call->in->bytes, MLLP_END));
	if (cursor_left(&call->in->bytes))
		end_or_pass(call);
	return STEP_ON;
}

static enum step advance(struct hl7_call *call)
{
	switch ((enum hl7_stage)call->side->stage) {
	case STAGE_HUNT:
		return hunt(call);
	case STAGE_HEADER:
		return header(call);
	case STAGE_SEGMENT:
		return segment(call);
	case STAGE_LINE:
		return line(call);
	case STAGE_BULK:
		return bulk(call);
	}
	return STEP_WAIT;
}

static enum dissect_result hl7_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct hl7 *flow = state;
	struct hl7_side *side = &flow->sides[in->direction & 1];
	struct hl7_call call = { .flow = flow, .side = side, .in = in, .out = out };

	if (in->gap)
		side->stage = STAGE_HUNT;
	while (cursor_left(&in->bytes)) {
		if (advance(&call) == STEP_WAIT)
			break;
		if (side->stage != STAGE_HUNT && side->bytes > HL7_MESSAGE_MOST)
			give_up(&call);
	}
	return DISSECT_MORE;
}

const struct dissector dissector_hl7 = {
	.name = "hl7",
	.summary = "HL7 v2 messages and acknowledgements over MLLP",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 2575, 6661, 0 },
	.fields = hl7_fields,
	.first = (const struct byte_range[]){ { 10, 13 }, { 'B', 'M' }, BYTE_RANGES_END },
	.state_size = sizeof(struct hl7),
	.probe = hl7_probe,
	.dissect = hl7_dissect,
};
