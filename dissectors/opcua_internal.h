/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two sources of the OPC UA dissector share: opcua.c (probe, messages and
 * chunks, the secure channel) and opcua_services.c (services by their type, session
 * and its identity token). */
#pragma once

#include "dissectors/dissector.h"

enum opcua_field {
	F_POLICY,
	F_MODE,
	F_IDENTITY,
	F_CLEAR_PASSWORD,
	F_ENDPOINT_HOST,
	F_REVERSE,
	F_REQUESTS,
	F_RESPONSES,
	F_FAULTS,
	F_READS,
	F_WRITES,
	F_CALLS,
	F_BROWSES,
	F_HISTORY_READS,
	F_HISTORY_UPDATES,
	F_NODE_CHANGES,
	F_SUBSCRIPTIONS,
	F_PUBLISHES,
	F_SESSIONS,
	F_DISCOVERIES,
	F_OPAQUE,
	F_ERRORS,
	F_STATUS,
	F_MALFORMED,
	OPCUA_FIELD_COUNT,
};

extern const struct field opcua_fields[];

enum opcua_policy { POLICY_UNKNOWN, POLICY_NONE, POLICY_SECURED };
enum opcua_mode { MODE_UNKNOWN, MODE_NONE, MODE_SIGN, MODE_ENCRYPT };

struct opcua_side {
	bool lost;        /* it is not known where the next chunk begins */
	bool open;        /* a message has begun that did not end ... */
	uint32_t request; /* ... of this request, where that can be read */
};

struct opcua {
	struct opcua_side sides[2];
	bool known; /* one good message was seen */
	uint8_t policy, mode, broken;
};

struct opcua_call {
	struct opcua *flow;
	struct dissect_input *in;
	struct attributes *out;
};

static inline void opcua_count(struct opcua_call *call, enum opcua_field f)
{
	attributes_add(call->out, &opcua_fields[f], 1);
}

void opcua_word(struct opcua_call *call, enum opcua_field f, const char *word);
/* A status code (Part 6, A.2) that is no success. */
void opcua_status(struct opcua_call *call, uint32_t code);

/* A service by the number of its request's or response's type, in the namespace of
 * OPC UA itself: is it one? */
bool opcua_is_service(uint32_t type);
/* Counts it, says who is client, and reads the few that tell about the session; `body`
 * is what follows the type and may be cut. */
void opcua_service(struct opcua_call *call, uint32_t type, struct cursor body);
/* A type's number, from a NodeId; 0 for those of other namespaces. */
uint32_t opcua_type(struct cursor *c);
