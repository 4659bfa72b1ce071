/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of the S7 dissector share: s7.c (probe, frames, S7comm),
 * s7_plus.c (S7comm-plus) and s7_identity.c (what a controller says of itself). */
#pragma once

#include "dissectors/dissector.h"

enum s7_field {
	F_PROTOCOL,
	F_CONNECTION,
	F_RACK,
	F_SLOT,
	F_PDU_SIZE,
	F_REQUESTS,
	F_READS,
	F_WRITES,
	F_UPLOADS,
	F_CONTROL,
	F_DOWNLOADS,
	F_INVOCATIONS,
	F_STOPS,
	F_SERVICE,
	F_SZL_READS,
	F_BLOCK_LISTS,
	F_CLOCK_SETS,
	F_PASSWORDS,
	F_CYCLIC,
	F_ERRORS,
	F_WRITE_ERRORS,
	F_ORDER_NUMBER,
	F_FIRMWARE,
	F_MODULE_TYPE,
	F_SERIAL,
	F_MALFORMED,
	S7_FIELD_COUNT,
};

extern const struct field s7_fields[];

enum { SZL_RECORD_MOST = 64 };

/* A list of the system state that comes in several PDUs: records are cut anywhere. */
struct s7_szl {
	bool open; /* more of it is announced */
	uint16_t id, record_size;
	uint8_t kept;
	uint8_t record[SZL_RECORD_MOST];
};

struct s7_side {
	bool lost;      /* it is not known where the next TPKT begins */
	bool continued; /* the last TPDU was not the last of its TSDU */
	bool plus_open; /* the last S7comm-plus PDU goes on in the next */
};

struct s7 {
	struct s7_side sides[2];
	bool known; /* an S7 header was read */
	uint8_t broken;
	struct s7_szl szl; /* of the server, which answers one request at a time */
};

struct s7_call {
	struct s7 *flow;
	struct dissect_input *in;
	struct attributes *out;
};

static inline void s7_count(struct s7_call *call, enum s7_field f)
{
	attributes_add(call->out, &s7_fields[f], 1);
}

static inline void s7_word(struct s7_call *call, enum s7_field f, const char *word)
{
	attributes_text(call->out, &s7_fields[f], word, strlen(word));
}

/* A text of fixed size, which a zero or blanks end. */
void s7_text(struct s7_call *call, enum s7_field f, const uint8_t *p, size_t n);
/* "6ES7 315-2EH14-0AB0 ": the catalogue numbers of Siemens' automation goods. */
bool s7_is_order_number(const uint8_t *p, size_t n);
/* The data of a "read SZL" response behind its four bytes of return code and length;
 * `more`: another PDU goes on with it. */
void s7_read_szl(struct s7_call *call, struct cursor data, bool more);

/* Do the lengths of a PDU come to the `n` bytes that the transport has for it?
 * `continues`: it goes on with the one before. */
bool s7_plus_fits(struct cursor c, size_t n, bool continues);
/* A PDU of `size` bytes, of which not all may be shown. */
void s7_plus(struct s7_call *call, struct cursor c, size_t size);
