/* SPDX-License-Identifier: Apache-2.0
 *
 * DICOM (PS3.8 9.3: upper layer PDUs; PS3.7: commands) over TCP, any port: which
 * modality talks to which archive, about what kinds of objects, how much, and
 * with what outcome. Data sets are counted and never looked at. */
#include "dissectors/dicom_internal.h"

const struct field dicom_fields[DICOM_FIELD_COUNT + 1] = {
	/* clang-format off */
	[F_CALLING_AE] = { "dicom.calling_ae", FIELD_TEXT, GRAMMAR_AE_TITLE, "",
		"application entity that asked for the association", PHI_SITE, ABOUT_CLIENT },
	[F_CALLED_AE] = { "dicom.called_ae", FIELD_TEXT, GRAMMAR_AE_TITLE, "",
		"application entity that it asked for", PHI_SITE, ABOUT_SERVER },
	[F_RESULT] = { "dicom.association", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"accepted or rejected", PHI_NONE, ABOUT_FLOW },
	[F_SOP_CLASS] = { "dicom.sop_class", FIELD_TEXTS, GRAMMAR_UID, "",
		"SOP classes proposed for the association", PHI_NONE, ABOUT_FLOW },
	[F_TRANSFER_SYNTAX] = { "dicom.transfer_syntax", FIELD_TEXTS, GRAMMAR_UID, "",
		"transfer syntaxes of the accepted presentation contexts", PHI_NONE, ABOUT_FLOW },
	[F_CONTEXTS_PROPOSED] = { "dicom.contexts_proposed", FIELD_NUMBER, GRAMMAR_NONE, "",
		"presentation contexts proposed", PHI_NONE, ABOUT_FLOW },
	[F_CONTEXTS_ACCEPTED] = { "dicom.contexts_accepted", FIELD_NUMBER, GRAMMAR_NONE, "",
		"presentation contexts accepted", PHI_NONE, ABOUT_FLOW },
	[F_CONTEXTS_REJECTED] = { "dicom.contexts_rejected", FIELD_NUMBER, GRAMMAR_NONE, "",
		"presentation contexts rejected", PHI_NONE, ABOUT_FLOW },
	[F_CALLING_MAX_PDU] = { "dicom.calling_max_pdu", FIELD_NUMBER, GRAMMAR_NONE, "bytes",
		"largest PDU that the calling side takes; 0 for any", PHI_NONE, ABOUT_FLOW },
	[F_CALLED_MAX_PDU] = { "dicom.called_max_pdu", FIELD_NUMBER, GRAMMAR_NONE, "bytes",
		"largest PDU that the called side takes; 0 for any", PHI_NONE, ABOUT_FLOW },
	[F_CALLING_UID] = { "dicom.calling_implementation", FIELD_TEXT, GRAMMAR_UID, "",
		"implementation class UID of the calling side", PHI_NONE, ABOUT_CLIENT },
	[F_CALLED_UID] = { "dicom.called_implementation", FIELD_TEXT, GRAMMAR_UID, "",
		"implementation class UID of the called side", PHI_NONE, ABOUT_SERVER },
	[F_CALLING_VERSION] = { "dicom.calling_version", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"implementation version name of the calling side", PHI_NONE, ABOUT_CLIENT },
	[F_CALLED_VERSION] = { "dicom.called_version", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"implementation version name of the called side", PHI_NONE, ABOUT_SERVER },
	[F_IDENTITY] = { "dicom.identity", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"kind of user identity offered: user, user-password, kerberos, saml, jwt", PHI_NONE, ABOUT_FLOW },
	[F_ROLE_SELECTION] = { "dicom.role_selection", FIELD_FLAG, GRAMMAR_NONE, "",
		"roles of the two sides were negotiated", PHI_NONE, ABOUT_FLOW },
	[F_REJECT_RESULT] = { "dicom.reject_result", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"permanent or transient", PHI_NONE, ABOUT_FLOW },
	[F_REJECT_SOURCE] = { "dicom.reject_source", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"who rejected: user, acse, presentation", PHI_NONE, ABOUT_FLOW },
	[F_REJECT_REASON] = { "dicom.reject_reason", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"no-reason, application-context, calling-ae, called-ae, protocol-version, "
		"congestion, limit", PHI_NONE, ABOUT_FLOW },
	[F_RELEASED] = { "dicom.released", FIELD_FLAG, GRAMMAR_NONE, "",
		"the association was released in good order", PHI_NONE, ABOUT_FLOW },
	[F_ABORT_SOURCE] = { "dicom.abort_source", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"who aborted the association: user or provider", PHI_NONE, ABOUT_FLOW },
	[F_ABORT_REASON] = { "dicom.abort_reason", FIELD_NUMBER, GRAMMAR_NONE, "",
		"reason of a provider's abort (PS3.8 table 9-26)", PHI_NONE, ABOUT_FLOW },
	[F_USED_SOP_CLASS] = { "dicom.used_sop_class", FIELD_TEXTS, GRAMMAR_UID, "",
		"SOP classes that commands named", PHI_NONE, ABOUT_FLOW },
	[F_C_STORE] = { "dicom.c_store", FIELD_COUNTER, GRAMMAR_NONE, "requests", "C-STORE", PHI_NONE, ABOUT_FLOW },
	[F_C_FIND] = { "dicom.c_find", FIELD_COUNTER, GRAMMAR_NONE, "requests", "C-FIND", PHI_NONE, ABOUT_FLOW },
	[F_C_MOVE] = { "dicom.c_move", FIELD_COUNTER, GRAMMAR_NONE, "requests", "C-MOVE", PHI_NONE, ABOUT_FLOW },
	[F_C_GET] = { "dicom.c_get", FIELD_COUNTER, GRAMMAR_NONE, "requests", "C-GET", PHI_NONE, ABOUT_FLOW },
	[F_C_ECHO] = { "dicom.c_echo", FIELD_COUNTER, GRAMMAR_NONE, "requests", "C-ECHO", PHI_NONE, ABOUT_FLOW },
	[F_C_CANCEL] = { "dicom.c_cancel", FIELD_COUNTER, GRAMMAR_NONE, "requests", "C-CANCEL", PHI_NONE, ABOUT_FLOW },
	[F_N_EVENT] = { "dicom.n_event", FIELD_COUNTER, GRAMMAR_NONE, "requests",
		"N-EVENT-REPORT", PHI_NONE, ABOUT_FLOW },
	[F_N_GET] = { "dicom.n_get", FIELD_COUNTER, GRAMMAR_NONE, "requests", "N-GET", PHI_NONE, ABOUT_FLOW },
	[F_N_SET] = { "dicom.n_set", FIELD_COUNTER, GRAMMAR_NONE, "requests", "N-SET", PHI_NONE, ABOUT_FLOW },
	[F_N_ACTION] = { "dicom.n_action", FIELD_COUNTER, GRAMMAR_NONE, "requests", "N-ACTION", PHI_NONE, ABOUT_FLOW },
	[F_N_CREATE] = { "dicom.n_create", FIELD_COUNTER, GRAMMAR_NONE, "requests", "N-CREATE", PHI_NONE, ABOUT_FLOW },
	[F_N_DELETE] = { "dicom.n_delete", FIELD_COUNTER, GRAMMAR_NONE, "requests", "N-DELETE", PHI_NONE, ABOUT_FLOW },
	[F_OTHER_COMMAND] = { "dicom.other_command", FIELD_COUNTER, GRAMMAR_NONE, "requests",
		"commands that PS3.7 does not know", PHI_NONE, ABOUT_FLOW },
	[F_SUCCESS] = { "dicom.status_success", FIELD_COUNTER, GRAMMAR_NONE, "responses",
		"responses that say success", PHI_NONE, ABOUT_FLOW },
	[F_PENDING] = { "dicom.status_pending", FIELD_COUNTER, GRAMMAR_NONE, "responses",
		"responses with more to come: matches, sub-operations", PHI_NONE, ABOUT_FLOW },
	[F_WARNING] = { "dicom.status_warning", FIELD_COUNTER, GRAMMAR_NONE, "responses",
		"responses that say warning", PHI_NONE, ABOUT_FLOW },
	[F_FAILURE] = { "dicom.status_failure", FIELD_COUNTER, GRAMMAR_NONE, "responses",
		"responses that say failure", PHI_NONE, ABOUT_FLOW },
	[F_CANCEL] = { "dicom.status_cancel", FIELD_COUNTER, GRAMMAR_NONE, "responses",
		"responses that say cancelled", PHI_NONE, ABOUT_FLOW },
	[F_FAILURE_STATUS] = { "dicom.failure_status", FIELD_NUMBER, GRAMMAR_NONE, "",
		"status code of the last failure (PS3.7 annex C)", PHI_NONE, ABOUT_FLOW },
	[F_MOVE_DESTINATION] = { "dicom.move_destination", FIELD_TEXTS, GRAMMAR_AE_TITLE, "",
		"application entities that C-MOVE sends objects to", PHI_SITE, ABOUT_FLOW },
	[F_MOVE_ORIGINATOR] = { "dicom.move_originator", FIELD_TEXTS, GRAMMAR_AE_TITLE, "",
		"application entities whose C-MOVE caused a C-STORE", PHI_SITE, ABOUT_FLOW },
	[F_COMPLETED] = { "dicom.suboperations_completed", FIELD_NUMBER, GRAMMAR_NONE, "",
		"objects moved or got, by the last response", PHI_NONE, ABOUT_FLOW },
	[F_FAILED] = { "dicom.suboperations_failed", FIELD_NUMBER, GRAMMAR_NONE, "",
		"objects that could not be moved or got, by the last response", PHI_NONE, ABOUT_FLOW },
	[F_WARNED] = { "dicom.suboperations_warning", FIELD_NUMBER, GRAMMAR_NONE, "",
		"objects moved or got with a warning, by the last response", PHI_NONE, ABOUT_FLOW },
	[F_DATASET_BYTES] = { "dicom.dataset_bytes", FIELD_COUNTER, GRAMMAR_NONE, "bytes",
		"data set bytes, both ways, as announced by the fragments' lengths", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	[DICOM_FIELD_COUNT] = { .name = NULL },
};

static enum probe_result dicom_probe(struct cursor bytes, enum transport transport,
				     uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)source_port;
	(void)dest_port;
	(void)midstream;

	if (transport != TRANSPORT_TCP)
		return PROBE_NO;
	enum probe_result associate = dicom_probe_associate(&bytes);
	return associate == PROBE_NO ? dicom_probe_command(&bytes) : associate;
}

/* Does a PDU's length suit its type? */
static bool is_believable(uint8_t type, uint32_t length)
{
	switch (type) {
	case PDU_ASSOCIATE_RQ:
	case PDU_ASSOCIATE_AC:
		return length >= DICOM_ASSOCIATE_FIXED && length <= DICOM_ASSOCIATE_MOST;
	case PDU_DATA:
		return length >= DICOM_PDV_HEADER && length <= DICOM_DATA_MOST;
	case PDU_ASSOCIATE_RJ:
	case PDU_RELEASE_RQ:
	case PDU_RELEASE_RP:
	case PDU_ABORT:
		return length == 4;
	default:
		return false;
	}
}

/* The weak test, for a flow that is known to be DICOM: do the bytes here start a
 * PDU? Data needs its first fragment's header too, pixels look like anything. */
static enum probe_result probe_pdu(const struct cursor *c)
{
	struct cursor header = *c;

	int type = cursor_peek(c, 0);
	if (type < PDU_ASSOCIATE_RQ || type > PDU_ABORT || !dicom_may_be(c, 1, 0) ||
	    !dicom_may_be(c, 2, 0))
		return PROBE_NO;
	cursor_skip(&header, 2);
	uint32_t length = cursor_be32(&header);
	if (header.failed)
		return PROBE_MORE;
	if (!is_believable((uint8_t)type, length))
		return PROBE_NO;
	if (type != PDU_DATA)
		return PROBE_YES;
	uint32_t pdv = cursor_be32(&header);
	uint8_t context = cursor_u8(&header);
	uint8_t flags = cursor_u8(&header);
	if (header.failed)
		return PROBE_MORE;
	return pdv >= 2 && pdv <= length - 4 && context & 1 && flags <= 3 ? PROBE_YES : PROBE_NO;
}

static enum dicom_step start(struct dicom_call *call)
{
	struct dicom_side *side = call->side;

	switch (probe_pdu(&call->in->bytes)) {
	case PROBE_MORE:
		return STEP_WAIT;
	case PROBE_NO:
		return STEP_BROKEN;
	case PROBE_YES:
		break;
	}
	if (!call->flow->anchored)
		call->in->confidence = CONFIDENCE_MEDIUM;
	side->stage = STAGE_PDU;
	return STEP_ON;
}

/* | type | reserved | length32 | */
static enum dicom_step pdu_header(struct dicom_call *call)
{
	struct dicom_side *side = call->side;
	struct cursor c = call->in->bytes;

	uint8_t type = cursor_u8(&c);
	uint8_t reserved = cursor_u8(&c);
	uint32_t length = cursor_be32(&c);
	if (c.failed)
		return STEP_WAIT;
	if (reserved || !is_believable(type, length))
		return STEP_BROKEN;
	call->in->bytes = c;
	side->pdu = type;
	side->pdu_left = length;
	if (type == PDU_DATA)
		side->stage = STAGE_PDV;
	else if (type == PDU_ASSOCIATE_RQ || type == PDU_ASSOCIATE_AC)
		side->stage = STAGE_ASSOCIATE;
	else
		side->stage = STAGE_OUTCOME;
	return STEP_ON;
}

static void end_fragment(struct dicom_side *side)
{
	side->stage = side->pdu_left ? STAGE_PDV : STAGE_PDU;
}

/* | length32, of all behind it | context id | flags: 1 command, 2 last | */
static enum dicom_step fragment_header(struct dicom_call *call)
{
	struct dicom_side *side = call->side;
	struct cursor c = call->in->bytes;

	if (side->pdu_left < DICOM_PDV_HEADER)
		return STEP_BROKEN;
	uint32_t length = cursor_be32(&c);
	uint8_t context = cursor_u8(&c);
	uint8_t flags = cursor_u8(&c);
	if (c.failed)
		return STEP_WAIT;
	if (length < 2 || length > side->pdu_left - 4 || !(context & 1))
		return STEP_BROKEN;
	call->in->bytes = c;
	side->pdu_left -= DICOM_PDV_HEADER;
	uint32_t body = length - 2;

	if (flags & 1) {
		side->command.bytes += body;
		side->pdv_left = body;
		side->last_fragment = flags & 2;
		side->stage = STAGE_COMMAND;
		return side->command.bytes <= DICOM_COMMAND_MOST && body ? STEP_ON : STEP_BROKEN;
	}
	if (side->command.bytes)
		return STEP_BROKEN;
	attributes_add(call->out, &dicom_fields[F_DATASET_BYTES], body);
	dicom_pass(call, body);
	side->pdu_left -= body;
	end_fragment(side);
	return STEP_ON;
}

static enum dicom_step fragment_of_command(struct dicom_call *call)
{
	struct dicom_side *side = call->side;
	size_t left = cursor_left(&call->in->bytes);
	size_t here = side->pdv_left < left ? side->pdv_left : left;

	if (!dicom_command_feed(call, cursor_sub(&call->in->bytes, here)))
		return STEP_BROKEN;
	side->pdv_left -= (uint32_t)here;
	side->pdu_left -= (uint32_t)here;
	if (side->pdv_left)
		return STEP_ON;
	end_fragment(side);
	return !side->last_fragment || dicom_command_end(call) ? STEP_ON : STEP_BROKEN;
}

static enum dicom_step step(struct dicom_call *call)
{
	switch ((enum dicom_stage)call->side->stage) {
	case STAGE_START:
		return start(call);
	case STAGE_PDU:
		return pdu_header(call);
	case STAGE_ASSOCIATE:
		return dicom_associate(call);
	case STAGE_ITEM:
		return dicom_item(call);
	case STAGE_OUTCOME:
		return dicom_outcome(call);
	case STAGE_PDV:
		return fragment_header(call);
	case STAGE_COMMAND:
		return fragment_of_command(call);
	}
	return STEP_BROKEN;
}

static void lose(struct dicom_side *side)
{
	*side = (struct dicom_side){ .stage = STAGE_START, .lost = true };
}

static enum dissect_result dicom_dissect(void *state, struct dissect_input *in,
					 struct attributes *out)
{
	struct dicom *flow = state;
	struct dicom_side *side = &flow->sides[in->direction & 1];
	struct dicom_call call = { .flow = flow, .side = side, .in = in, .out = out };

	if (in->gap)
		lose(side);
	while (cursor_left(&in->bytes)) {
		enum dicom_step result = step(&call);
		if (result == STEP_WAIT)
			break;
		if (result != STEP_BROKEN)
			continue;
		/* Where the start was not seen, or bytes were lost, it is our footing
		 * that is wrong: the next chunk that starts with a PDU gives it back. */
		if (flow->anchored && !side->lost)
			return DISSECT_MALFORMED;
		lose(side);
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
	}
	return DISSECT_MORE;
}

const struct dissector dissector_dicom = {
	.name = "dicom",
	.summary = "DICOM associations and commands (PS3.7, PS3.8)",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 104, 11112, 4242, 0 },
	.fields = dicom_fields,
	.first = (const struct byte_range[]){ { 1, 4 }, BYTE_RANGES_END },
	.state_size = sizeof(struct dicom),
	.probe = dicom_probe,
	.dissect = dicom_dissect,
};
