/* SPDX-License-Identifier: Apache-2.0
 *
 * GE's patient monitoring network (Unity, later CARESCAPE): what its nodes broadcast
 * over UDP, after the public description in Vocera's manual of its adapter. Time
 * synchronisation (port 2000) has the sender's address within it, which proves it.
 * Of discovery (7000) and alarms (7001) no layout is public: there the address
 * somewhere within is as much as can be asked for. Unit, room, names and alarms are
 * passed over. */
#include "dissectors/dissector.h"

enum { PORT_TIME = 2000, PORT_DISCOVERY = 7000, PORT_ALARM = 7001 };

/* 0 ...  6 address  10 ...  24 unit and room  37 ...  60 seconds since 1900 */
enum { TIME_SIZE = 64, TIME_ADDRESS = 6, ADDRESS = 4, OTHER_LEAST = 16, OTHER_MOST = 1472 };

enum field_number { F_TIME, F_DISCOVERY, F_ALARM, F_ROLE, F_COUNT };

/* clang-format off */
static const struct field fields[F_COUNT + 1] = {
	[F_TIME] = { "carescape.time_syncs", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"time broadcasts of the network's master", PHI_NONE, ABOUT_FLOW },
	[F_DISCOVERY] = { "carescape.discoveries", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"broadcasts of a node about itself", PHI_NONE, ABOUT_FLOW },
	[F_ALARM] = { "carescape.alarms", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"alarm broadcasts", PHI_NONE, ABOUT_FLOW },
	[F_ROLE] = { "carescape.role", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"what the sender is in the network: monitoring-master, monitoring-node",
		PHI_DEVICE, ABOUT_FLOW },
	[F_COUNT] = { .name = NULL },
};
/* clang-format on */

struct carescape {
	bool known; /* one of its messages was right */
};

static enum probe_result carescape_probe(struct cursor bytes, enum transport transport,
					 uint16_t source_port, uint16_t dest_port, bool midstream)
{
	size_t n = cursor_left(&bytes);

	(void)source_port;
	(void)midstream;
	if (transport != TRANSPORT_UDP)
		return PROBE_NO;
	if (dest_port == PORT_TIME)
		return n == TIME_SIZE ? PROBE_YES : PROBE_NO;
	if (dest_port != PORT_DISCOVERY && dest_port != PORT_ALARM)
		return PROBE_NO;
	return n >= OTHER_LEAST && n <= OTHER_MOST ? PROBE_YES : PROBE_NO;
}

/* To all of a network of 256 addresses or more. */
static bool is_broadcast(const struct ip_addr *ip)
{
	return ip_is_v4(ip) && ip->bytes[15] == 0xff;
}

/* The sender's address stands at `offset`. */
static bool has_sender(const struct dissect_input *in, size_t offset)
{
	struct cursor c = in->bytes;

	cursor_skip(&c, offset);
	const uint8_t *found = cursor_take(&c, ADDRESS);
	return found && !memcmp(found, in->source_ip.bytes + 12, ADDRESS);
}

static bool has_sender_somewhere(const struct dissect_input *in)
{
	for (size_t i = 0; i + ADDRESS <= cursor_left(&in->bytes); i++)
		if (has_sender(in, i))
			return true;
	return false;
}

static void note(struct dissect_input *in, struct attributes *out, enum field_number field,
		 const char *role)
{
	attributes_add(out, &fields[field], 1);
	attributes_text(out, &fields[F_ROLE], role, strlen(role));
	dissect_says(in, &fields[F_ROLE], FACT_SENDER, role, strlen(role));
}

static enum dissect_result carescape_dissect(void *state, struct dissect_input *in,
					     struct attributes *out)
{
	struct carescape *flow = state;
	bool time = in->dest_port == PORT_TIME;
	bool right = ip_is_v4(&in->source_ip) && is_broadcast(&in->dest_ip) &&
		     carescape_probe(in->bytes, in->transport, in->source_port, in->dest_port,
				     false) == PROBE_YES;

	right = right && (time ? has_sender(in, TIME_ADDRESS) : has_sender_somewhere(in));
	if (!right)
		return flow->known ? DISSECT_MORE : DISSECT_NOT_MINE;
	flow->known = true;
	in->confidence = time ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
	if (time)
		note(in, out, F_TIME, "monitoring-master");
	else
		note(in, out, in->dest_port == PORT_DISCOVERY ? F_DISCOVERY : F_ALARM,
		     "monitoring-node");
	return DISSECT_MORE;
}

const struct dissector dissector_carescape = {
	.name = "carescape",
	.summary = "GE CARESCAPE and Unity patient monitoring: broadcasts over UDP",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT_TIME, PORT_DISCOVERY, PORT_ALARM, 0 },
	.fields = fields,
	.state_size = sizeof(struct carescape),
	.probe = carescape_probe,
	.dissect = carescape_dissect,
};
