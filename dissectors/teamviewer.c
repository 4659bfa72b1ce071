/* SPDX-License-Identifier: Apache-2.0
 *
 * TeamViewer on its port 5938, TCP and UDP. Known from captures and other programs'
 * rules: messages begin with 17 24 (UDP: behind eleven bytes). Two bytes are no proof, so only
 * the port and both directions together make a medium claim; through port 443 it is TLS or HTTP. */
#include "dissectors/words.h"

enum { MESSAGES };

static const struct field fields[] = {
	/* clang-format off */
	[MESSAGES] = { "teamviewer.messages", FIELD_COUNTER, GRAMMAR_NONE, "packets",
		"packets of the first ones that begin as messages do", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum { PORT = 5938, UDP_OFFSET = 11, PATIENCE = 16 };

struct teamviewer {
	bool seen[2];
	uint8_t packets;
};

static enum sight sees_magic(const struct cursor *c, enum transport transport)
{
	size_t at = transport == TRANSPORT_UDP ? UDP_OFFSET : 0;
	int first = cursor_peek(c, at), second = cursor_peek(c, at + 1);

	if (transport == TRANSPORT_UDP && cursor_peek(c, 0) != 0)
		return SIGHT_NO;
	if ((first >= 0 && first != 0x17) || (second >= 0 && second != 0x24))
		return SIGHT_NO;
	return second < 0 ? SIGHT_MORE : SIGHT_YES;
}

static enum probe_result teamviewer_probe(struct cursor bytes, enum transport transport,
					  uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)midstream;

	if (source_port != PORT && dest_port != PORT)
		return PROBE_NO;
	switch (sees_magic(&bytes, transport)) {
	case SIGHT_YES:
		return PROBE_YES;
	case SIGHT_MORE:
		return transport == TRANSPORT_TCP ? PROBE_MORE : PROBE_NO;
	case SIGHT_NO:
		break;
	}
	return PROBE_NO;
}

static enum dissect_result teamviewer_dissect(void *state, struct dissect_input *in,
					      struct attributes *out)
{
	struct teamviewer *s = state;

	if (sees_magic(&in->bytes, in->transport) == SIGHT_YES) {
		s->seen[in->direction] = true;
		attributes_add(out, &fields[MESSAGES], 1);
	}
	in->confidence = s->seen[0] && s->seen[1] ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
	cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return ++s->packets == PATIENCE ? DISSECT_DONE : DISSECT_MORE;
}

const struct dissector dissector_teamviewer = {
	.name = "teamviewer",
	.summary = "TeamViewer on its own port",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 0, 0 }, { 0x17, 0x17 }, BYTE_RANGES_END },
	.state_size = sizeof(struct teamviewer),
	.probe = teamviewer_probe,
	.dissect = teamviewer_dissect,
};
