/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of the BACnet dissector share: bacnet.c reads the link and network
 * layers, bacnet_apdu.c what services are asked for, bacnet_words.c has the words.
 * Clauses are those of ANSI/ASHRAE 135. */
#pragma once

#include "dissectors/dissector.h"

enum bacnet_field {
	F_MESSAGES,
	F_MALFORMED,
	/* Annex J: the virtual link */
	F_FORWARDED,
	F_BROADCASTS,
	F_WRITE_BDT,
	F_READ_TABLES,
	F_FOREIGN,
	F_DELETE_FDT,
	F_NAKS,
	F_SECURED,
	/* clause 6: the network */
	F_ROUTED,
	F_NETWORK_MESSAGES,
	F_NETWORK_MESSAGE,
	/* clause 20: the kinds of application messages */
	F_CONFIRMED,
	F_UNCONFIRMED,
	F_ACKS,
	F_ERRORS,
	F_REJECTS,
	F_ABORTS,
	F_SEGMENTS,
	F_ERROR_CLASS,
	F_ERROR_CODE,
	F_REJECT_REASON,
	F_ABORT_REASON,
	/* clauses 13 to 17: the services */
	F_READS,
	F_WRITES,
	F_CONTROL,
	F_WRITE_PROPERTY,
	F_WRITE_PROPERTY_MULTIPLE,
	F_WRITE_GROUP,
	F_LIST_WRITES,
	F_CREATED,
	F_FILE_READS,
	F_FILE_WRITES,
	F_RESTARTS,
	F_RESTART,
	F_SILENCES,
	F_SILENCE,
	F_TIME_SYNC,
	F_LIFE_SAFETY,
	F_WHO_IS,
	F_WHO_HAS,
	F_I_AM,
	F_SUBSCRIPTIONS,
	F_NOTIFICATIONS,
	F_ALARM_ACKS,
	F_PRIVATE,
	F_OTHER,
	F_OBJECT_TYPE,
	F_WRITTEN_TYPE,
	F_WRITTEN_PROPERTY,
	F_DEVICE,
	F_VENDOR_ID,
	F_VENDOR,
	BACNET_FIELD_COUNT
};

extern const struct field bacnet_fields[BACNET_FIELD_COUNT + 1];

struct bacnet_call {
	struct dissect_input *in;
	struct attributes *out;
	/* Whose word it is: the device's own address is behind a router when `remote`, and
	 * then nothing here says it; with `forwarded` it is in `origin`. */
	bool remote, forwarded;
	struct ip_addr origin;
};

enum bacnet_list {
	WORD_OBJECT_TYPE,
	WORD_PROPERTY,
	WORD_ERROR_CLASS,
	WORD_ERROR_CODE,
	WORD_REJECT,
	WORD_ABORT,
	WORD_NETWORK,
	WORD_RESTART,
	WORD_CONTROL,
};

/* Records the word for n; where there is none, the list's name and the number. */
void bacnet_word(const struct bacnet_call *call, unsigned field, enum bacnet_list list, uint32_t n);

/* A word of GRAMMAR_PRODUCT, or NULL for one that is not in the table. */
const char *bacnet_vendor(unsigned id);

/* True when the bytes can be an application message (clause 20.1): their type is one of
 * the eight, and its header is all here. */
bool bacnet_apdu_is_sane(struct cursor apdu);

/* Records one. False, and nothing recorded, when it is not sane. */
bool bacnet_apdu(struct bacnet_call *call, struct cursor apdu);

static inline void bacnet_count(const struct bacnet_call *call, unsigned field)
{
	attributes_add(call->out, &bacnet_fields[field], 1);
}
