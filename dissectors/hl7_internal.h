/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of the HL7 dissector share: hl7.c (probe, frames, the walk
 * through a stream), hl7_fields.c (what it may say), hl7_segments.c (the segments
 * that are read, and the pairing of messages with acknowledgements), hl7_kinds.c
 * (what messages are for, and who writes like this). */
#pragma once

#include "dissectors/dissector.h"

/* MLLP release 1: <VT> message <FS><CR>; release 2 adds <VT><ACK|NAK><FS><CR>. */
enum {
	MLLP_START = 0x0b,
	MLLP_END = 0x1c,
	MLLP_ACK = 0x06,
	MLLP_NAK = 0x15,
};

enum {
	HL7_HEADER_MOST = 4096,  /* an MSH segment */
	HL7_SEGMENT_MOST = 1024, /* an ERR or SFT segment; longer ones are passed over */
	HL7_MESSAGE_MOST = 64 << 20,
	HL7_SLOW_ACK = 5 * 1000 * 1000, /* us */
	HL7_TIMED_MOST = 8,             /* unanswered messages per direction whose time is known */
};

enum hl7_field {
	F_SENDING_APP,
	F_SENDING_FACILITY,
	F_RECEIVING_APP,
	F_RECEIVING_FACILITY,
	F_TYPE,
	F_GROUP,
	F_VERSION,
	F_PROCESSING,
	F_TESTS,
	F_CHARSET,
	F_ACCEPT_ACK,
	F_APPLICATION_ACK,
	F_VENDOR,
	F_PRODUCT,
	F_SOFTWARE,
	F_DIALECT,
	F_ROLE,
	F_MESSAGES,
	F_QUERIES,
	F_MERGES,
	F_SILENT,
	F_ACKS,
	F_ACK_AA,
	F_ACK_AE,
	F_ACK_AR,
	F_ACK_CA,
	F_ACK_CE,
	F_ACK_CR,
	F_ERROR_CODE,
	F_UNANSWERED,
	F_TIMED_ACKS,
	F_LATENCY_SUM,
	F_LATENCY_MIN,
	F_LATENCY_MAX,
	F_SLOW,
	F_BYTES,
	F_LARGEST,
	F_SEGMENTS,
	F_PID,
	F_MRG,
	F_ORC,
	F_OBR,
	F_OBX,
	F_RX,
	F_Z,
	F_BATCHES,
	F_TRANSPORT_ACKS,
	F_TRANSPORT_NAKS,
	F_UNFRAMED,
	F_LINE_FEEDS,
	F_MALFORMED,
	HL7_FIELD_COUNT,
};

extern const struct field hl7_fields[];

enum hl7_stage {
	STAGE_HUNT,    /* between messages: where does the next one start? */
	STAGE_HEADER,  /* at the M of MSH (or at FHS, BHS) */
	STAGE_SEGMENT, /* behind a segment */
	STAGE_LINE,    /* in the rest of a segment */
};

struct hl7_side {
	int64_t sent[HL7_TIMED_MOST]; /* when the oldest unanswered messages ended */
	uint32_t untimed;             /* unanswered ones behind those */
	uint8_t sent_first, sent_count;
	uint8_t stage;                /* enum hl7_stage */
	uint8_t separator, component; /* of the message under way */
	bool framed;                  /* it began with MLLP_START */
	bool batch;                   /* it is in a file or batch, with others */
	bool open;                    /* its MSH was read */
	bool judged;                  /* counted as message or as acknowledgement */
	bool ack;
	bool sound;      /* its MSH-9 is a message type: its fields are not shifted */
	bool silent;     /* it is not to be answered */
	uint8_t role;    /* enum role that it proves, where that is not its sender's being client */
	bool introduced; /* the sending program was told */
	bool timed;      /* its end is the youngest of `sent` */
	bool commits;    /* this side sends commit acknowledgements (enhanced mode) */
	uint32_t bytes;
};

struct hl7 {
	struct hl7_side sides[2];
	uint64_t latency_max, latency_min;
	uint32_t largest;
	bool oriented;
	bool timed;   /* the latencies are of an acknowledgement */
	bool dialect; /* was told */
	bool framed;  /* an MLLP frame was seen */
};

_Static_assert(sizeof(struct hl7) <= DISSECT_STATE_MOST, "two directions in one slot");

/* One call of the dissector, as its parts see it. */
struct hl7_call {
	struct hl7 *flow;
	struct hl7_side *side;
	struct dissect_input *in;
	struct attributes *out;
};

static inline void hl7_count(struct hl7_call *call, enum hl7_field field, uint64_t n)
{
	attributes_add(call->out, &hl7_fields[field], n);
}

/* Separators and encoding characters: printable, and no letter or digit. */
static inline bool hl7_is_mark(int byte)
{
	return byte > 0x20 && byte < 0x7f && !(byte >= '0' && byte <= '9') &&
	       !((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

static inline bool hl7_ends_segment(int byte)
{
	return byte == '\r' || byte == '\n' || byte == MLLP_END;
}

/* A whole MSH, FHS or BHS segment, without its end. */
void hl7_header(struct hl7_call *call, struct cursor segment);
/* MSA, ERR: takes nothing. False when its part that is wanted is not here yet. */
bool hl7_acknowledgement(struct hl7_call *call);
bool hl7_error(struct hl7_call *call);
bool hl7_software(struct hl7_call *call); /* SFT */
/* At the name of a segment; those of acknowledgements and trailers do not count. */
void hl7_count_segment(struct hl7_call *call);
/* The message is neither followed nor preceded by what could change its kind:
 * counts it. `code` is the acknowledgement's, "" where there is none. */
void hl7_judge(struct hl7_call *call, bool ack, const char *code);
/* The bytes of the message are complete. `exact`: its last one is in this offer,
 * so that its answer's latency counts from now. */
void hl7_end(struct hl7_call *call, bool exact);

/* hl7_kinds.c: what kind of message this is, given its type with the usual separator,
 * and who writes like this: `fields` are MSH-2 and those behind it. */
void hl7_note_kind(struct hl7_call *call, struct cursor type);
void hl7_note_dialect(struct hl7_call *call, const struct cursor *fields, size_t count);

/* MSH-n of an array that begins with MSH-2. */
enum { HL7_MSH_FIELDS = 17 };
#define MSH(number) ((number)-2)

static inline bool hl7_equals(const struct cursor *c, const char *text)
{
	return cursor_left(c) == strlen(text) && cursor_starts(c, text);
}

static inline void hl7_note_word(struct hl7_call *call, enum hl7_field field, const char *word)
{
	attributes_text(call->out, &hl7_fields[field], word, strlen(word));
}
