/* SPDX-License-Identifier: Apache-2.0
 *
 * DICOM (PS3.8 9.3: upper layer PDUs; PS3.7: commands) over TCP, any port: which
 * modality talks to which archive, about what kinds of objects, how much, and
 * with what outcome. Data sets are counted and never looked at. */
#include "dissectors/dicom_internal.h"

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

static void end_data(struct dicom_call *call)
{
	struct dicom_side *side = call->side;

	end_fragment(side);
	if (!side->last_fragment)
		return;
	if (side->data_of == DICOM_C_FIND)
		dicom_keys_end(call);
	side->data_of = 0;
}

static enum dicom_step fragment_of_data(struct dicom_call *call, uint32_t body)
{
	struct dicom_side *side = call->side;

	attributes_add(call->out, &dicom_fields[F_DATASET_BYTES], body);
	if (side->data_of == DICOM_C_STORE)
		attributes_add(call->out, &dicom_fields[F_STORE_BYTES], body);
	if (side->data_of == DICOM_C_FIND) {
		side->pdv_left = body;
		side->stage = STAGE_KEYS;
		return STEP_ON;
	}
	dicom_pass(call, body);
	side->pdu_left -= body;
	end_data(call);
	return STEP_ON;
}

static enum dicom_step fragment_of_keys(struct dicom_call *call)
{
	struct dicom_side *side = call->side;
	size_t left = cursor_left(&call->in->bytes);
	size_t here = side->pdv_left < left ? side->pdv_left : left;

	dicom_keys_feed(&side->keys, cursor_sub(&call->in->bytes, here));
	side->pdv_left -= (uint32_t)here;
	side->pdu_left -= (uint32_t)here;
	if (!side->pdv_left)
		end_data(call);
	return STEP_ON;
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
	side->last_fragment = flags & 2;
	return fragment_of_data(call, body);
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
	case STAGE_KEYS:
		return fragment_of_keys(call);
	}
	return STEP_BROKEN;
}

/* What was asked and not answered is not known any more, in both directions. */
static void lose(struct dicom *flow, struct dicom_side *side)
{
	*side = (struct dicom_side){ .stage = STAGE_START, .lost = true };
	flow->sides[0].stores = flow->sides[1].stores = 0;
}

static enum dissect_result dicom_dissect(void *state, struct dissect_input *in,
					 struct attributes *out)
{
	struct dicom *flow = state;
	struct dicom_side *side = &flow->sides[in->direction & 1];
	struct dicom_call call = { .flow = flow, .side = side, .in = in, .out = out };

	if (in->gap)
		lose(flow, side);
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
		lose(flow, side);
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
