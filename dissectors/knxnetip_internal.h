/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of the KNXnet/IP dissector share: knxnetip.c reads its messages,
 * knxnetip_cemi.c what they carry of the bus. */
#pragma once

#include "dissectors/dissector.h"

enum knxnetip_field {
	F_MESSAGES,
	F_MALFORMED,
	F_SEARCHES,
	F_DESCRIPTIONS,
	F_CONNECTS,
	F_REFUSALS,
	F_CONNECTION,
	F_LAYER,
	F_TUNNELLED,
	F_CONFIGURATIONS,
	F_ROUTED,
	F_LOST,
	F_BUSY,
	F_REPORTED,
	F_WRITES,
	F_CONTROL,
	F_GROUP_READS,
	F_GROUP_WRITES,
	F_GROUP_RESPONSES,
	F_MEMORY_READS,
	F_MEMORY_WRITES,
	F_PROPERTY_READS,
	F_PROPERTY_WRITES,
	F_ADDRESS_WRITES,
	F_RESTARTS,
	F_AUTHORIZATIONS,
	F_KEY_WRITES,
	F_SECURE_DATA,
	F_OTHER,
	F_DIAGNOSES,
	F_REMOTE_CONFIGURATIONS,
	F_REMOTE_RESETS,
	F_SECURE,
	F_SESSIONS,
	F_SESSION_FAILURES,
	F_SOURCE,
	F_GROUP,
	F_TARGET,
	F_ADDRESS,
	F_SERIAL,
	F_MEDIUM,
	KNXNETIP_FIELD_COUNT
};

extern const struct field knxnetip_fields[KNXNETIP_FIELD_COUNT + 1];

struct knxnetip_call {
	struct dissect_input *in;
	struct attributes *out;
};

/* "1.1.2" */
void knxnetip_individual(const struct knxnetip_call *call, enum knxnetip_field field,
			 uint16_t address);

/* A message of the common external message interface. `routed`: an indication is the
 * sender's own word; in a tunnel it is somebody else's, and only counted. */
void knxnetip_cemi(const struct knxnetip_call *call, struct cursor message, bool routed);
