/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two sources of the EtherNet/IP dissector share: enip.c (probe,
 * encapsulation, items, identities) and enip_cip.c (the CIP services inside). */
#pragma once

#include "dissectors/dissector.h"

enum enip_field {
	F_COMMAND,
	F_SESSIONS,
	F_REQUESTS,
	F_RESPONSES,
	F_READS,
	F_WRITES,
	F_CONTROL,
	F_RESETS,
	F_STARTS,
	F_STOPS,
	F_OBJECT_CHANGES,
	F_FORWARD_OPENS,
	F_PCCC,
	F_OTHER,
	F_IO,
	F_ERRORS,
	F_STATUS,
	F_ENCAP_ERRORS,
	F_VENDOR,
	F_DEVICE_TYPE,
	F_PRODUCT_CODE,
	F_PRODUCT,
	F_REVISION,
	F_SERIAL,
	F_MALFORMED,
	ENIP_FIELD_COUNT,
};

extern const struct field enip_fields[];

struct enip_call {
	struct dissect_input *in;
	struct attributes *out;
};

static inline void enip_count(struct enip_call *call, enum enip_field f)
{
	attributes_add(call->out, &enip_fields[f], 1);
}

/* One CIP message, request or response. False: it is none. What it contains, of which
 * some may be cut off, is read as far as it goes. */
bool enip_cip(struct enip_call *call, struct cursor message);
