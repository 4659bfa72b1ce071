/* SPDX-License-Identifier: Apache-2.0
 *
 * HL7 v2.x (chapter 2) over MLLP (Minimal Lower Layer Protocol, release 1) on
 * TCP, any port: which application feeds which, with what kinds of messages, how
 * they are answered and how fast. Beside the header segment, the sending program
 * and the outcome of an acknowledgement only the segments' names are looked at. */
#include "dissectors/hl7_internal.h"

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

/* At the end of a segment. */
static void note_line_feed(struct hl7_call *call)
{
	if (cursor_peek(&call->in->bytes, 0) == '\n')
		attributes_flag(call->out, &hl7_fields[F_LINE_FEEDS]);
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
	note_line_feed(call);
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

	if (!side->judged) {
		if (cursor_starts(bytes, "MSA"))
			return hl7_acknowledgement(call);
		if (cursor_starts(bytes, "SFT"))
			return hl7_software(call);
		if (!cursor_starts(bytes, "UAC")) /* only these may stand between MSH and MSA */
			hl7_judge(call, side->ack, "");
		return true;
	}
	return !side->ack || !cursor_starts(bytes, "ERR") || hl7_error(call);
}

/* Where segments end, these start another message; but in one that is framed, and
 * not a batch, they are part of what it carries. */
static bool starts_message(const struct hl7_side *side, const struct cursor *bytes)
{
	bool carried = side->framed && !side->batch && side->judged && !side->ack;

	return !carried && (cursor_peek(bytes, 0) == MLLP_START || cursor_starts(bytes, "MSH"));
}

static enum step name(struct hl7_call *call)
{
	struct hl7_side *side = call->side;
	const struct cursor *bytes = &call->in->bytes;
	bool whole = true;

	for (size_t i = 1; i <= SEGMENT_NAME && whole; i++) {
		if (cursor_peek(bytes, i) < 0)
			return STEP_WAIT;
		whole = !hl7_ends_segment(cursor_peek(bytes, i));
	}
	if (whole && starts_message(side, bytes)) {
		hl7_end(call, false);
		side->bytes = 0;
		side->stage = STAGE_HEADER;
		return STEP_ON;
	}
	if (whole && side->open && !read_segment(call))
		return STEP_WAIT;
	if (whole && side->batch && cursor_starts(bytes, "BHS")) /* behind FHS */
		hl7_count(call, F_BATCHES, 1);
	if (whole && side->open)
		hl7_count_segment(call);
	side->stage = STAGE_LINE;
	return STEP_ON;
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
	if (first == MLLP_START && starts_message(side, bytes)) { /* the end was left out */
		hl7_end(call, false);
		side->stage = STAGE_HUNT;
		return STEP_ON;
	}
	return name(call);
}

static enum step line(struct hl7_call *call)
{
	struct cursor c = call->in->bytes;

	c = cursor_sub(&c, distance(&c, '\r'));
	c = cursor_sub(&c, distance(&c, '\n'));
	size_t n = distance(&c, MLLP_END);
	take(call, n);
	if (!cursor_left(&call->in->bytes))
		return STEP_ON;
	note_line_feed(call);
	call->side->stage = STAGE_SEGMENT;
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
	.seeks = true,
	.state_size = sizeof(struct hl7),
	.probe = hl7_probe,
	.dissect = hl7_dissect,
};
