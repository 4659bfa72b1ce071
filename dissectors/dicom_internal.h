/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of the DICOM dissector share: dicom.c (probe, PDUs, the walk
 * through a stream), dicom_fields.c (what it may say), dicom_assoc.c (who talks
 * to whom, about what), dicom_dimse.c (commands and their outcome),
 * dicom_keys.c (does a query ask for everything?). */
#pragma once

#include "dissectors/dissector.h"

/* PS3.8 9.3.1 */
enum dicom_pdu {
	PDU_ASSOCIATE_RQ = 1,
	PDU_ASSOCIATE_AC,
	PDU_ASSOCIATE_RJ,
	PDU_DATA,
	PDU_RELEASE_RQ,
	PDU_RELEASE_RP,
	PDU_ABORT,
};

enum {
	DICOM_PDU_HEADER = 6,
	DICOM_PDV_HEADER = 6,       /* length, context id, flags */
	DICOM_ASSOCIATE_FIXED = 68, /* version to reserved32, before the items */
	DICOM_ASSOCIATE_MOST = 1 << 20,
	DICOM_DATA_MOST = 16 << 20,
	DICOM_COMMAND_MOST = 64 << 10,
	DICOM_CONTEXTS_MOST = 128, /* ids are the odd ones of 1 to 255 */
	DICOM_UID_MOST = 64,
};

/* PS3.7 annex E; those that are told from others beyond counting. */
enum { DICOM_C_STORE = 0x0001, DICOM_C_GET = 0x0010, DICOM_C_FIND = 0x0020, DICOM_C_MOVE = 0x0021 };

enum dicom_field {
	F_CALLING_AE,
	F_CALLED_AE,
	F_FURTHER_CALLED,
	F_DEFAULT_AE,
	F_SCANNER,
	F_ASSOCIATIONS,
	F_ACCEPTED,
	F_REJECTED,
	F_RESULT,
	F_SOP_CLASS,
	F_TRANSFER_SYNTAX,
	F_CONTEXTS_PROPOSED,
	F_CONTEXTS_ACCEPTED,
	F_CONTEXTS_REJECTED,
	F_CONTEXT_USER, /* in the order of their codes: PS3.8 table 9-18 */
	F_CONTEXT_NO_REASON,
	F_CONTEXT_SOP_CLASS,
	F_CONTEXT_SYNTAX,
	F_CALLING_MAX_PDU,
	F_CALLED_MAX_PDU,
	F_CALLING_UID,
	F_CALLED_UID,
	F_CALLING_VERSION,
	F_CALLED_VERSION,
	F_IDENTITY,
	F_PASSWORDS,
	F_ROLE_SELECTION,
	F_REJECT_RESULT,
	F_REJECT_SOURCE,
	F_REJECT_REASON,
	F_RELEASED,
	F_ABORT_SOURCE,
	F_ABORT_REASON,
	F_ABORTS,
	F_ABORT_IN_STORE,
	F_USED_SOP_CLASS,
	F_MODALITY,
	F_C_STORE,
	F_C_FIND,
	F_FIND_ALL,
	F_C_MOVE,
	F_C_GET,
	F_C_ECHO,
	F_C_CANCEL,
	F_N_EVENT,
	F_N_GET,
	F_N_SET,
	F_N_ACTION,
	F_N_CREATE,
	F_N_DELETE,
	F_OTHER_COMMAND,
	F_SUCCESS,
	F_PENDING,
	F_WARNING,
	F_FAILURE,
	F_CANCEL,
	F_FAILURE_STATUS,
	F_MOVE_DESTINATION,
	F_MOVE_ORIGINATOR,
	F_COMPLETED,
	F_FAILED,
	F_WARNED,
	F_RETRIEVED,
	F_NOT_RETRIEVED,
	F_DATASET_BYTES,
	F_STORE_BYTES,
	DICOM_FIELD_COUNT,
};

extern const struct field dicom_fields[];

/* The command set under way in one direction. Of it only the element being
 * read is held, and only while it is one of those that are wanted. */
struct dicom_command {
	uint32_t bytes; /* announced so far, against DICOM_COMMAND_MOST; 0: none under way */
	uint32_t pass;  /* of an unwanted value, still to come */
	uint16_t code, status;
	uint16_t completed, failed, warned; /* sub-operations, as far as they are told */
	bool has_code, has_status, has_counts;
	uint8_t modality; /* of the SOP class: row of dicom_dimse.c's table, plus one */
	uint8_t held_count;
	uint8_t held[8 + DICOM_UID_MOST]; /* element header, value */
};

/* The identifier of a C-FIND under way: is any key given a value? No byte of a
 * value is held. */
struct dicom_keys {
	uint32_t value; /* of the element at hand, still to come */
	uint8_t held_count;
	uint8_t held[16]; /* element header, and how its value starts */
	bool exempt;      /* the element at hand tells how to search, not for what */
	bool begun, valued, strange;
};

enum dicom_stage {
	STAGE_START, /* first bytes of the direction, or after a gap: is this a PDU? */
	STAGE_PDU,
	STAGE_ASSOCIATE, /* fixed part of RQ or AC */
	STAGE_ITEM,
	STAGE_OUTCOME, /* the four bytes of RJ, release and abort */
	STAGE_PDV,
	STAGE_COMMAND,
	STAGE_KEYS, /* a fragment of a C-FIND's identifier */
};

struct dicom_side {
	uint8_t stage; /* enum dicom_stage */
	uint8_t pdu;   /* enum dicom_pdu */
	bool lost;     /* resynchronised once: what does not parse may be our mistake */
	bool last_fragment;
	uint32_t pdu_left;
	uint32_t pdv_left;
	bool context_accepted; /* the last presentation context of an AC */
	uint16_t contexts, accepted;
	uint16_t data_of; /* the request whose data set is next; 0: none of interest */
	uint16_t stores;  /* C-STORE requests without a response */
	uint32_t retrieved, not_retrieved; /* by the last response of a C-MOVE, C-GET */
	struct dicom_command command;
	struct dicom_keys keys;
};

struct dicom {
	struct dicom_side sides[2];
	bool anchored; /* the association request was seen */
	bool oriented; /* a role was given to the core */
	bool scanner;  /* the association request has a scanner's fixed part */
};

_Static_assert(sizeof(struct dicom) <= DISSECT_STATE_MOST, "two directions in one slot");

enum dicom_step {
	STEP_ON,     /* something was taken or a stage changed */
	STEP_WAIT,   /* more bytes are needed */
	STEP_BROKEN, /* not what the standard allows */
};

/* One call of the dissector, as its parts see it. */
struct dicom_call {
	struct dicom *flow;
	struct dicom_side *side;
	struct dissect_input *in;
	struct attributes *out;
};

/* Takes n bytes: those that are here, and the rest through `skip`. */
static inline void dicom_pass(struct dicom_call *call, size_t n)
{
	size_t left = cursor_left(&call->in->bytes);
	size_t here = n < left ? n : left;

	cursor_skip(&call->in->bytes, here);
	call->in->skip += n - here;
}

/* Gives the core its orientation, once; the association request decides it. */
static inline void dicom_orient(struct dicom_call *call, enum role role)
{
	if (role == ROLE_UNKNOWN || call->flow->oriented)
		return;
	call->flow->oriented = true;
	call->in->role = role;
}

/* Could these bytes start an A-ASSOCIATE-RQ or -AC (PS3.8 9.3.2, 9.3.3)? The
 * strict test: PDU length, version, both AE titles, the first item. */
enum probe_result dicom_probe_associate(const struct cursor *c);
/* ... a P-DATA-TF with the first bytes of a command set (PS3.7 6.3.1)? */
enum probe_result dicom_probe_command(const struct cursor *c);

enum dicom_step dicom_associate(struct dicom_call *call); /* STAGE_ASSOCIATE */
enum dicom_step dicom_item(struct dicom_call *call);      /* STAGE_ITEM */
enum dicom_step dicom_outcome(struct dicom_call *call);   /* STAGE_OUTCOME */

/* Bytes of a command fragment; false when they cannot be one. */
bool dicom_command_feed(struct dicom_call *call, struct cursor bytes);
/* Its last fragment is in: counts it, and forgets it. */
bool dicom_command_end(struct dicom_call *call);

/* Bytes of a C-FIND's identifier, and its end: counts it when it matches everything. */
void dicom_keys_feed(struct dicom_keys *keys, struct cursor bytes);
void dicom_keys_end(struct dicom_call *call);

/* Helpers of the probes: a byte that is not here yet may still be anything. */
static inline bool dicom_may_be(const struct cursor *c, size_t offset, uint8_t value)
{
	int byte = cursor_peek(c, offset);
	return byte < 0 || byte == value;
}

static inline bool dicom_may_start(const struct cursor *c, size_t offset, const void *bytes,
				   size_t n)
{
	const uint8_t *wanted = bytes;

	for (size_t i = 0; i < n; i++)
		if (!dicom_may_be(c, offset + i, wanted[i]))
			return false;
	return true;
}
