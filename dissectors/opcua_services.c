/* SPDX-License-Identifier: Apache-2.0
 *
 * OPC UA services (Part 4) in their binary encoding (Part 6 section 5.2; the numbers
 * are those of NodeIds.csv, "..._Encoding_DefaultBinary"). A service is counted by
 * its type. Read inside are only the mode of a secure channel, the kind of an
 * identity token and the outcome of a response; values, names of nodes, of users, of
 * sessions and applications are passed over. */
#include "dissectors/opcua_internal.h"

#include <stdio.h>

enum {
	SERVICE_FAULT = 397,
	OPEN_CHANNEL = 446,
	ACTIVATE_SESSION = 467,
	RESPONSE = 3, /* from a request's number to its response's */
};

static const struct service {
	uint16_t request;
	uint8_t field;
} services[] = {
	{ 422, F_DISCOVERIES },       /* FindServers */
	{ 428, F_DISCOVERIES },       /* GetEndpoints */
	{ 437, F_DISCOVERIES },       /* RegisterServer */
	{ OPEN_CHANNEL, F_REQUESTS }, /* OpenSecureChannel */
	{ 452, F_REQUESTS },          /* CloseSecureChannel */
	{ 461, F_SESSIONS },          /* CreateSession */
	{ ACTIVATE_SESSION, F_REQUESTS },
	{ 473, F_REQUESTS },        /* CloseSession */
	{ 479, F_REQUESTS },        /* Cancel */
	{ 488, F_NODE_CHANGES },    /* AddNodes */
	{ 494, F_NODE_CHANGES },    /* AddReferences */
	{ 500, F_NODE_CHANGES },    /* DeleteNodes */
	{ 506, F_NODE_CHANGES },    /* DeleteReferences */
	{ 527, F_BROWSES },         /* Browse */
	{ 533, F_BROWSES },         /* BrowseNext */
	{ 554, F_BROWSES },         /* TranslateBrowsePathsToNodeIds */
	{ 560, F_REQUESTS },        /* RegisterNodes */
	{ 566, F_REQUESTS },        /* UnregisterNodes */
	{ 615, F_BROWSES },         /* QueryFirst */
	{ 621, F_BROWSES },         /* QueryNext */
	{ 631, F_READS },           /* Read */
	{ 664, F_HISTORY_READS },   /* HistoryRead */
	{ 673, F_WRITES },          /* Write */
	{ 700, F_HISTORY_UPDATES }, /* HistoryUpdate */
	{ 712, F_CALLS },           /* Call */
	{ 751, F_SUBSCRIPTIONS },   /* CreateMonitoredItems */
	{ 763, F_SUBSCRIPTIONS },   /* ModifyMonitoredItems */
	{ 769, F_SUBSCRIPTIONS },   /* SetMonitoringMode */
	{ 775, F_SUBSCRIPTIONS },   /* SetTriggering */
	{ 781, F_SUBSCRIPTIONS },   /* DeleteMonitoredItems */
	{ 787, F_SUBSCRIPTIONS },   /* CreateSubscription */
	{ 793, F_SUBSCRIPTIONS },   /* ModifySubscription */
	{ 799, F_SUBSCRIPTIONS },   /* SetPublishingMode */
	{ 826, F_PUBLISHES },       /* Publish */
	{ 832, F_PUBLISHES },       /* Republish */
	{ 841, F_SUBSCRIPTIONS },   /* TransferSubscriptions */
	{ 847, F_SUBSCRIPTIONS },   /* DeleteSubscriptions */
	{ 12193, F_DISCOVERIES },   /* RegisterServer2: unlike the others ... */
	{ 12190, F_DISCOVERIES },   /* FindServersOnNetwork: ... it is in order */
};

static const struct service *service_of(uint32_t type)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (services[i].request == type)
			return &services[i];
	return NULL;
}

static bool is_response(uint32_t type)
{
	return type == SERVICE_FAULT || (type > RESPONSE && service_of(type - RESPONSE));
}

bool opcua_is_service(uint32_t type)
{
	return service_of(type) || is_response(type);
}

/* A length i32 in front, -1 for none. */
static struct cursor read_string(struct cursor *c)
{
	uint32_t length = cursor_le32(c);

	if (length == UINT32_MAX)
		length = 0;
	return cursor_sub(c, length);
}

/* Part 6 section 5.2.2.9: by its first byte. */
uint32_t opcua_type(struct cursor *c)
{
	uint32_t number = 0;
	unsigned namespace = 0;

	switch (cursor_u8(c)) {
	case 0:
		number = cursor_u8(c);
		break;
	case 1:
		namespace
		= cursor_u8(c);
		number = cursor_le16(c);
		break;
	case 2:
		namespace
		= cursor_le16(c);
		number = cursor_le32(c);
		break;
	case 3:
	case 5:
		namespace
		= cursor_le16(c);
		(void)read_string(c);
		break;
	case 4:
		cursor_skip(c, 18);
		break;
	default:
		cursor_skip(c, SIZE_MAX);
		break;
	}
	return namespace || c->failed ? 0 : number;
}

/* A type, then a byte that says whether a body of so many bytes follows. */
static struct cursor read_object(struct cursor *c, uint32_t *type)
{
	*type = opcua_type(c);
	if (cursor_u8(c) == 0)
		return (struct cursor){ 0 };
	return read_string(c);
}

/* Part 4 section 7.33: token, time, handle, diagnostics, audit id, timeout, header. */
static void pass_request_header(struct cursor *c)
{
	uint32_t type;

	(void)opcua_type(c);
	cursor_skip(c, 8 + 4 + 4);
	(void)read_string(c);
	cursor_skip(c, 4);
	(void)read_object(c, &type);
}

/* Version, kind, mode. */
static void open_channel(struct opcua_call *call, struct cursor c)
{
	static const char *const modes[] = { NULL, "none", "sign", "sign-and-encrypt" };

	pass_request_header(&c);
	cursor_skip(&c, 4 + 4);
	uint32_t mode = cursor_le32(&c);
	if (c.failed || mode < MODE_NONE || mode > MODE_ENCRYPT)
		return;
	call->flow->mode = (uint8_t)mode;
	opcua_word(call, F_MODE, modes[mode]);
}

/* Policy, user name, password, algorithm: a password without one is in the clear. */
static void user_token(struct opcua_call *call, struct cursor token)
{
	(void)read_string(&token);
	(void)read_string(&token);
	struct cursor password = read_string(&token);
	struct cursor algorithm = read_string(&token);

	if (!token.failed && cursor_left(&password) && !cursor_left(&algorithm))
		attributes_flag(call->out, &opcua_fields[F_CLEAR_PASSWORD]);
}

/* Signature (two strings), certificates (pairs of strings), locales (strings), token. */
static void activate_session(struct opcua_call *call, struct cursor c)
{
	enum { ENTRIES_MOST = 64 };
	static const struct {
		uint16_t type;
		const char *word;
	} tokens[] = { { 321, "anonymous" },
		       { 324, "user-name" },
		       { 327, "certificate" },
		       { 940, "issued-token" } };
	uint32_t type;

	pass_request_header(&c);
	(void)read_string(&c);
	(void)read_string(&c);
	for (int list = 2; list >= 1; list--) {
		uint32_t entries = cursor_le32(&c);
		if (entries == UINT32_MAX)
			entries = 0;
		if (entries > ENTRIES_MOST)
			return;
		for (uint32_t i = 0; i < entries * (unsigned)list; i++)
			(void)read_string(&c);
	}
	struct cursor token = read_object(&c, &type);
	if (c.failed)
		return;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		if (tokens[i].type == type)
			opcua_word(call, F_IDENTITY, tokens[i].word);
	if (type == 324)
		user_token(call, token);
}

/* Time, handle, result. */
static void read_response(struct opcua_call *call, uint32_t type, struct cursor body)
{
	call->in->role = ROLE_SENDER_IS_SERVER;
	opcua_count(call, F_RESPONSES);
	if (type == SERVICE_FAULT)
		opcua_count(call, F_FAULTS);
	cursor_skip(&body, 8 + 4);
	uint32_t result = cursor_le32(&body);
	if (!body.failed && result)
		opcua_status(call, result);
}

void opcua_service(struct opcua_call *call, uint32_t type, struct cursor body)
{
	const struct service *service = service_of(type);

	if (!service) {
		read_response(call, type, body);
		return;
	}
	call->in->role = ROLE_SENDER_IS_CLIENT;
	opcua_count(call, F_REQUESTS);
	if (service->field != F_REQUESTS)
		opcua_count(call, (enum opcua_field)service->field);
	if (type == OPEN_CHANNEL)
		open_channel(call, body);
	else if (type == ACTIVATE_SESSION)
		activate_session(call, body);
}
