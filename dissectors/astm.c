/* SPDX-License-Identifier: Apache-2.0
 *
 * Laboratory analyzers and their information system: ASTM E1381 (CLSI LIS01-A2,
 * frames) with ASTM E1394 (CLSI LIS02-A2, records) inside, over TCP, any port. Frames
 * are checked and counted, records are counted by their kind; of the header record
 * the sender's product, its version and the processing id are read, of all others
 * nothing: they name patients, samples and results. */
#include "dissectors/dissector.h"

#include <string.h>

enum { STX = 0x02, ETX = 0x03, EOT = 0x04, ENQ = 0x05, ACK = 0x06, NAK = 0x15, ETB = 0x17 };

enum {
	TEXT_MOST = 64240, /* LIS01-A2 allows 64,000; E1381 240 */
	TRAILER = 4,       /* two hexadecimal digits, CR, LF */
	LEADING_MOST = 8,
	SENDER_MOST = 33, /* one more than the grammar takes */
	WORD_MOST = 12,
};

/* clang-format off */
enum field_number {
	F_FRAMES, F_BAD, F_RETRIES, F_SEQUENCE, F_ENQ, F_ACK, F_NAK, F_EOT, F_BYTES, F_BARE,
	F_HEADERS, F_PATIENTS, F_ORDERS, F_RESULTS, F_COMMENTS, F_QUERIES, F_MAKER, F_SCIENTIFIC,
	F_TERMINATORS, F_OTHER, F_SENDER, F_VERSION, F_PROCESSING, F_ROLE, F_COUNT,
};

#define COUNTER FIELD_COUNTER, GRAMMAR_NONE

static const struct field fields[F_COUNT + 1] = {
	[F_FRAMES] = { "astm.frames", COUNTER, "frames",
		"frames whose checksum is right, and frames without one", PHI_NONE, ABOUT_FLOW },
	[F_BAD] = { "astm.bad_frames", COUNTER, "frames",
		"frames whose checksum is wrong, or that do not end", PHI_NONE, ABOUT_FLOW },
	[F_RETRIES] = { "astm.retries", COUNTER, "frames", "frames sent again", PHI_NONE, ABOUT_FLOW },
	[F_SEQUENCE] = { "astm.sequence_errors", COUNTER, "frames",
		"frames whose number does not follow the last one's", PHI_NONE, ABOUT_FLOW },
	[F_ENQ] = { "astm.enquiries", COUNTER, "", "requests to send (ENQ)", PHI_NONE, ABOUT_FLOW },
	[F_ACK] = { "astm.acks", COUNTER, "", "positive answers", PHI_NONE, ABOUT_FLOW },
	[F_NAK] = { "astm.naks", COUNTER, "", "negative answers", PHI_NONE, ABOUT_FLOW },
	[F_EOT] = { "astm.transmissions", COUNTER, "", "transmissions ended (EOT)", PHI_NONE, ABOUT_FLOW },
	[F_BYTES] = { "astm.text_bytes", COUNTER, "bytes", "bytes of records", PHI_NONE, ABOUT_FLOW },
	[F_BARE] = { "astm.bare", FIELD_FLAG, GRAMMAR_NONE, "",
		"records came without frame numbers and checksums", PHI_NONE, ABOUT_FLOW },
	[F_HEADERS] = { "astm.headers", COUNTER, "records", "H: messages", PHI_NONE, ABOUT_FLOW },
	[F_PATIENTS] = { "astm.patients", COUNTER, "records", "P", PHI_NONE, ABOUT_FLOW },
	[F_ORDERS] = { "astm.orders", COUNTER, "records", "O", PHI_NONE, ABOUT_FLOW },
	[F_RESULTS] = { "astm.results", COUNTER, "records", "R", PHI_NONE, ABOUT_FLOW },
	[F_COMMENTS] = { "astm.comments", COUNTER, "records", "C", PHI_NONE, ABOUT_FLOW },
	[F_QUERIES] = { "astm.queries", COUNTER, "records", "Q: requests for information", PHI_NONE, ABOUT_FLOW },
	[F_MAKER] = { "astm.manufacturer_records", COUNTER, "records", "M", PHI_NONE, ABOUT_FLOW },
	[F_SCIENTIFIC] = { "astm.scientific_records", COUNTER, "records", "S", PHI_NONE, ABOUT_FLOW },
	[F_TERMINATORS] = { "astm.terminators", COUNTER, "records", "L: ends of messages", PHI_NONE, ABOUT_FLOW },
	[F_OTHER] = { "astm.other_records", COUNTER, "records", "of kinds that E1394 does not know", PHI_NONE, ABOUT_FLOW },
	[F_SENDER] = { "astm.sender", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"H-5, first component: the sending program or analyzer", PHI_DEVICE, ABOUT_FLOW },
	[F_VERSION] = { "astm.version", FIELD_TEXTS, GRAMMAR_TOKEN, "", "H-13, version of the standard", PHI_NONE, ABOUT_FLOW },
	[F_PROCESSING] = { "astm.processing_id", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"H-12: P production, T training, D debugging, Q quality control", PHI_NONE, ABOUT_FLOW },
	[F_ROLE] = { "astm.role", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"what the sender of results is: analyzer", PHI_DEVICE, ABOUT_FLOW },
	[F_COUNT] = { .name = NULL },
};
/* clang-format on */

static const char record_letters[] = "HPORCQMSL"; /* in the order of F_HEADERS ... */

enum { KINDS = sizeof(record_letters) }; /* and one for all others */

/* ---- the probe ---- */

static bool is_mark(int byte)
{
	return byte > 0x20 && byte < 0x7f && !(byte >= '0' && byte <= '9') &&
	       !((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

static bool is_text(int byte)
{
	return byte >= 0x20 || byte == '\r' || byte == '\t';
}

static bool is_control(int byte)
{
	return byte == ENQ || byte == ACK || byte == NAK || byte == EOT;
}

/* H, the four delimiters, all different, and the first of them or the end again. */
static enum probe_result probe_header(const struct cursor *c, size_t offset)
{
	int marks[4];

	int letter = cursor_peek(c, offset);
	if (letter != 'H')
		return letter < 0 ? PROBE_MORE : PROBE_NO;
	for (size_t i = 0; i < 4; i++) {
		marks[i] = cursor_peek(c, offset + 1 + i);
		if (marks[i] < 0)
			return PROBE_MORE;
		for (size_t j = 0; j < i; j++)
			if (marks[i] == marks[j])
				return PROBE_NO;
		if (!is_mark(marks[i]))
			return PROBE_NO;
	}
	int next = cursor_peek(c, offset + 5);
	return next < 0 ? PROBE_MORE : next == marks[0] || next == '\r' ? PROBE_YES : PROBE_NO;
}

static int hex_of(int byte)
{
	return byte >= '0' && byte <= '9'   ? byte - '0'
	       : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
	       : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
					    : -1;
}

/* | STX | number | text | ETB or ETX | sum, two digits | CR | LF |, the sum being that of
 * number to ETB or ETX. A frame that is not all here must begin a message. */
static enum probe_result probe_frame(const struct cursor *c, size_t offset)
{
	uint8_t sum = 0;
	size_t i = offset + 1;
	int byte = cursor_peek(c, i);

	if (byte >= 0 && (byte < '0' || byte > '7'))
		return PROBE_NO;
	for (; is_text(byte = cursor_peek(c, i)); i++)
		sum = (uint8_t)(sum + byte);
	if (byte < 0 || cursor_peek(c, i + TRAILER) < 0)
		return byte < 0 || byte == ETB || byte == ETX ? probe_header(c, offset + 2)
							      : PROBE_NO;
	if (byte != ETB && byte != ETX)
		return PROBE_NO;
	sum = (uint8_t)(sum + byte);
	int high = hex_of(cursor_peek(c, i + 1));
	int low = hex_of(cursor_peek(c, i + 2));
	bool ends = cursor_peek(c, i + 3) == '\r' && cursor_peek(c, i + 4) == '\n';
	return ends && high >= 0 && low >= 0 && high * 16 + low == sum ? PROBE_YES : PROBE_NO;
}

/* A stream joined in the middle of a frame is known by the next whole one. */
static enum probe_result probe_within(const struct cursor *c)
{
	const uint8_t *at = c->at, *end = at + cursor_left(c);

	while (at < end && (at = memchr(at, STX, (size_t)(end - at)))) {
		if (probe_frame(c, (size_t)(at - c->at)) == PROBE_YES)
			return PROBE_YES;
		at++;
	}
	return PROBE_NO;
}

static enum probe_result astm_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	size_t at = 0;

	(void)source_port;
	(void)dest_port;
	if (transport != TRANSPORT_TCP)
		return PROBE_NO;
	while (at < LEADING_MOST && is_control(cursor_peek(&bytes, at)))
		at++;
	if (cursor_left(&bytes) == at && at < LEADING_MOST)
		return PROBE_MORE;
	enum probe_result found = PROBE_NO;
	if (cursor_peek(&bytes, at) == STX) {
		found = probe_frame(&bytes, at);
		if (found == PROBE_NO)
			found = probe_header(&bytes, at + 1);
	}
	return found == PROBE_NO && midstream ? probe_within(&bytes) : found;
}

/* ---- records ---- */

/* What is read of a header record. */
struct header {
	uint8_t delimiter, component;
	uint8_t field; /* 1: its H was read, and no delimiter yet */
	uint8_t marks; /* read of the second field */
	bool in_first; /* component of the field */
	bool whole;    /* its end was read, and it was not noted yet */
	uint8_t sender_count, version_count, processing_count;
	char sender[SENDER_MOST], version[WORD_MOST], processing[2];
};

/* Where in the records the text stands. A frame that comes to nothing leaves it as it was. */
struct place {
	uint8_t kind; /* index of the record's letter, plus one; 0: one is about to begin */
	struct header header;
};

enum stage { STAGE_HUNT, STAGE_BEGIN, STAGE_TEXT, STAGE_TRAILER };

struct side {
	struct place place, before;
	uint16_t counts[KINDS]; /* records that began in this frame */
	uint32_t length;        /* of its text */
	uint8_t stage;          /* enum stage */
	uint8_t sum, number, last;
	uint8_t end; /* ETB or ETX */
	bool bare;
	bool followed; /* `last` is the number of a frame that was taken */
	bool is_analyzer;
};

struct astm {
	struct side sides[2];
	bool anchored; /* a checksum was right */
	bool bare;     /* frames come without */
};

_Static_assert(sizeof(struct astm) <= DISSECT_STATE_MOST, "two directions in one slot");

struct call {
	struct astm *flow;
	struct side *side;
	struct dissect_input *in;
	struct attributes *out;
};

static void count(struct call *call, unsigned field, uint64_t n)
{
	attributes_add(call->out, &fields[field], n);
}

static void begin_record(struct side *side, uint8_t letter)
{
	const char *found = strchr(record_letters, letter);
	unsigned index = found && letter ? (unsigned)(found - record_letters) : KINDS - 1;

	side->place.kind = (uint8_t)(index + 1);
	side->counts[index]++;
	if (letter == 'H')
		side->place.header = (struct header){ .field = 1 };
}

static void keep(char *text, uint8_t *n, size_t most, uint8_t byte)
{
	if (*n < most)
		text[(*n)++] = (char)byte;
}

/* A byte of the header behind its H: | delimiter | repeat, component, escape |, and
 * the third and further fields. */
static void header_byte(struct header *h, uint8_t byte)
{
	if (h->field == 1) {
		h->delimiter = byte;
		h->field = 2;
		return;
	}
	if (byte == h->delimiter) {
		h->field += h->field < UINT8_MAX;
		h->in_first = true;
		return;
	}
	if (h->field == 2 && h->marks++ == 1)
		h->component = byte;
	h->in_first &= byte != h->component;
	if (h->field == 5 && h->in_first)
		keep(h->sender, &h->sender_count, SENDER_MOST, byte);
	else if (h->field == 12)
		keep(h->processing, &h->processing_count, sizeof(h->processing), byte);
	else if (h->field == 13)
		keep(h->version, &h->version_count, WORD_MOST, byte);
}

static bool equals(const char *text, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(text, word, n) == 0;
}

/* H-13 as one of the ways to write the standard's name. */
static const char *version_of(const struct header *h)
{
	static const char *const words[][2] = {
		{ "1", "1" },
		{ "A.2", "A.2" },
		{ "LIS2-A", "LIS2-A" },
		{ "LIS2-A2", "LIS2-A2" },
		{ "LIS02-A2", "LIS2-A2" },
		{ "1394-91", "E1394-91" },
		{ "1394-97", "E1394-97" },
		{ "E1394-91", "E1394-91" },
		{ "E1394-97", "E1394-97" },
		{ "E 1394-97", "E1394-97" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (equals(h->version, h->version_count, words[i][0]))
			return words[i][1];
	return NULL;
}

static void note_text(struct call *call, unsigned field, const char *text, size_t n)
{
	if (n)
		attributes_text(call->out, &fields[field], text, n);
}

/* Where the processing id is none, the fields may be shifted, and the sender's place
 * may hold the password. */
static void note_header(struct call *call)
{
	const struct header *h = &call->side->place.header;
	bool sound = h->processing_count == 1 && strchr("PTDQ", h->processing[0]);
	const char *version = version_of(h);

	if (!sound) {
		note_text(call, F_SENDER, "?", h->sender_count ? 1 : 0); /* "invalid" */
		return;
	}
	note_text(call, F_PROCESSING, h->processing, 1);
	if (version)
		note_text(call, F_VERSION, version, strlen(version));
	else
		note_text(call, F_VERSION, "?", h->version_count ? 1 : 0);
	note_text(call, F_SENDER, h->sender, h->sender_count);
	if (h->sender_count)
		dissect_says(call->in, &fields[F_SENDER], FACT_SENDER, h->sender, h->sender_count);
}

static void text_byte(struct side *side, uint8_t byte)
{
	struct place *p = &side->place;

	if (byte == '\r') {
		p->header.whole |= p->kind == 1;
		p->kind = 0;
	} else if (p->kind == 0) {
		begin_record(side, byte);
	} else if (p->kind == 1) {
		header_byte(&p->header, byte);
	}
}

/* ---- frames ---- */

static void begin_frame(struct side *side)
{
	side->before = side->place;
	memset(side->counts, 0, sizeof(side->counts));
	side->length = 0;
	side->sum = 0;
	side->stage = STAGE_BEGIN;
}

static void drop_frame(struct call *call)
{
	count(call, F_BAD, 1);
	call->side->place = call->side->before;
	call->side->stage = STAGE_HUNT;
}

static void take_frame(struct call *call)
{
	struct side *side = call->side;

	count(call, F_FRAMES, 1);
	count(call, F_BYTES, side->length);
	for (unsigned i = 0; i < KINDS; i++)
		if (side->counts[i])
			count(call, F_HEADERS + i, side->counts[i]);
	if (side->end == ETX) { /* of a record too, should its CR be missing */
		side->place.header.whole |= side->place.kind == 1;
		side->place.kind = 0;
	}
	if (side->place.header.whole)
		note_header(call);
	side->place.header.whole = false;
	if (side->counts[F_RESULTS - F_HEADERS] && !side->is_analyzer) {
		side->is_analyzer = true;
		note_text(call, F_ROLE, "analyzer", 8);
		dissect_says(call->in, &fields[F_ROLE], FACT_SENDER, "analyzer", 8);
	}
	side->stage = STAGE_HUNT;
}

/* A frame with the last one's number was not understood at first. */
static void end_numbered(struct call *call, bool right)
{
	struct side *side = call->side;

	if (!right) {
		drop_frame(call);
		return;
	}
	if (!call->flow->anchored)
		call->in->confidence = CONFIDENCE_HIGH;
	call->flow->anchored = true;
	if (side->followed && side->number == side->last) {
		count(call, F_RETRIES, 1);
		side->place = side->before;
		side->stage = STAGE_HUNT;
		return;
	}
	if (side->followed && side->number != ((side->last + 1) & 7))
		count(call, F_SEQUENCE, 1);
	side->last = side->number;
	side->followed = true;
	take_frame(call);
}

static void control(struct call *call, uint8_t byte)
{
	struct side *side = call->side;

	switch (byte) {
	case STX:
		begin_frame(side);
		break;
	case ENQ:
		count(call, F_ENQ, 1);
		side->place = (struct place){ 0 };
		side->followed = false;
		break;
	case ACK:
		count(call, F_ACK, 1);
		break;
	case NAK:
		count(call, F_NAK, 1);
		break;
	case EOT:
		count(call, F_EOT, 1);
		side->followed = false;
		break;
	default:
		break;
	}
}

/* The frame's number, or, without one, the letter of its first record. */
static void begin_text(struct call *call, uint8_t byte)
{
	struct side *side = call->side;

	side->bare = byte < '0' || byte > '7';
	side->stage = STAGE_TEXT;
	side->sum = byte;
	if (!side->bare) {
		side->number = byte & 7;
		return;
	}
	attributes_flag(call->out, &fields[F_BARE]);
	call->flow->bare = true;
	if (!call->flow->anchored)
		call->in->confidence = CONFIDENCE_LOW;
	side->place = (struct place){ 0 };
	side->length = 1;
	text_byte(side, byte);
}

static void text(struct call *call, uint8_t byte)
{
	struct side *side = call->side;

	side->sum = (uint8_t)(side->sum + byte);
	if (!is_text(byte)) {
		side->end = byte;
		if (byte == ETX && side->bare)
			take_frame(call);
		else if ((byte == ETX || byte == ETB) && !side->bare)
			side->stage = STAGE_TRAILER;
		else
			drop_frame(call);
		return;
	}
	text_byte(side, byte);
	if (++side->length > TEXT_MOST)
		drop_frame(call);
}

/* False: the rest of it is not here. */
static bool trailer(struct call *call)
{
	struct cursor *bytes = &call->in->bytes;

	if (cursor_left(bytes) < TRAILER)
		return false;
	int high = hex_of(cursor_u8(bytes));
	int low = hex_of(cursor_u8(bytes));
	bool ends = cursor_u8(bytes) == '\r';
	ends &= cursor_u8(bytes) == '\n';
	end_numbered(call, ends && high >= 0 && low >= 0 && high * 16 + low == call->side->sum);
	return true;
}

static enum dissect_result astm_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	struct astm *flow = state;
	struct side *side = &flow->sides[in->direction & 1];
	struct call call = { .flow = flow, .side = side, .in = in, .out = out };

	if (in->gap)
		*side = (struct side){ 0 };
	if (!flow->anchored)
		in->confidence = flow->bare ? CONFIDENCE_LOW : CONFIDENCE_MEDIUM;
	while (cursor_left(&in->bytes)) {
		if (side->stage == STAGE_TRAILER) {
			if (!trailer(&call))
				break;
			continue;
		}
		uint8_t byte = cursor_u8(&in->bytes);
		if (side->stage == STAGE_HUNT)
			control(&call, byte);
		else if (side->stage == STAGE_BEGIN)
			begin_text(&call, byte);
		else
			text(&call, byte);
	}
	return DISSECT_MORE;
}

const struct dissector dissector_astm = {
	.name = "astm",
	.summary = "laboratory analyzers: ASTM E1381/LIS01-A2 frames, E1394/LIS02-A2 records",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 1520, 0 },
	.fields = fields,
	.first =
		(const struct byte_range[]){
			{ STX, STX }, { EOT, ACK }, { NAK, NAK }, BYTE_RANGES_END },
	.seeks = true,
	.state_size = sizeof(struct astm),
	.probe = astm_probe,
	.dissect = astm_dissect,
};
