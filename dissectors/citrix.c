/* SPDX-License-Identifier: Apache-2.0
 *
 * Citrix sessions over TCP, any port: ICA by its greeting, and the Common Gateway
 * Protocol that carries it with session reliability. The greetings are known from
 * captures and other programs' rules, not from a specification; what follows them is
 * not read. */
#include "dissectors/words.h"

enum { CARRIER, VERSION };

static const struct field fields[] = {
	/* clang-format off */
	[CARRIER] = { "citrix.carrier", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"ica (as it is) or cgp (with session reliability)", PHI_NONE, ABOUT_FLOW },
	[VERSION] = { "citrix.cgp_version", FIELD_TEXT, GRAMMAR_VERSION, "",
		"version of the gateway protocol", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum { PATIENCE = 8, GREETING = 8 };

static const uint8_t ica[] = { 0x7f, 0x7f, 'I', 'C', 'A', 0 };
static const uint8_t cgp[] = { 0x1a, 'C', 'G', 'P', '/' };

struct citrix {
	bool greeted[2];
	uint8_t waited;
};

static enum sight sees(const struct cursor *c, const uint8_t *greeting, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int byte = cursor_peek(c, i);
		if (byte < 0)
			return SIGHT_MORE;
		if (byte != greeting[i])
			return SIGHT_NO;
	}
	return SIGHT_YES;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* 1A, "CGP/01" */
static enum sight sees_cgp(const struct cursor *c)
{
	enum sight sight = sees(c, cgp, sizeof(cgp));
	int tens = cursor_peek(c, sizeof(cgp)), ones = cursor_peek(c, sizeof(cgp) + 1);

	if (sight != SIGHT_YES || ones < 0)
		return sight == SIGHT_NO ? SIGHT_NO : SIGHT_MORE;
	return is_digit(tens) && is_digit(ones) ? SIGHT_YES : SIGHT_NO;
}

static enum probe_result citrix_probe(struct cursor bytes, enum transport transport,
				      uint16_t source_port, uint16_t dest_port, bool midstream)
{
	enum sight plain = sees(&bytes, ica, sizeof(ica)), gateway = sees_cgp(&bytes);
	(void)transport, (void)source_port, (void)dest_port, (void)midstream;

	if (plain == SIGHT_YES || gateway == SIGHT_YES)
		return PROBE_YES;
	return plain == SIGHT_MORE || gateway == SIGHT_MORE ? PROBE_MORE : PROBE_NO;
}

/* Both ends greet with the same bytes; one of them alone is a weaker sign. */
static enum dissect_result citrix_dissect(void *state, struct dissect_input *in,
					  struct attributes *out)
{
	struct citrix *s = state;
	enum sight plain = sees(&in->bytes, ica, sizeof(ica)), gateway = sees_cgp(&in->bytes);

	if (!cursor_left(&in->bytes) || s->greeted[in->direction]) {
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
		return ++s->waited >= PATIENCE ? DISSECT_DONE : DISSECT_MORE;
	}
	if (plain == SIGHT_MORE || gateway == SIGHT_MORE)
		return DISSECT_MORE;
	if (plain == SIGHT_NO && gateway == SIGHT_NO)
		return s->greeted[!in->direction] ? DISSECT_DONE : DISSECT_NOT_MINE;
	s->greeted[in->direction] = true;
	bool both = s->greeted[!in->direction];
	in->confidence = both ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
	attributes_word(out, &fields[CARRIER], plain == SIGHT_YES ? "ica" : "cgp");
	if (gateway == SIGHT_YES)
		attributes_text(out, &fields[VERSION], in->bytes.at + sizeof(cgp), 2);
	cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return both ? DISSECT_DONE : DISSECT_MORE;
}

const struct dissector dissector_citrix = {
	.name = "citrix",
	.summary = "Citrix sessions: ICA and the Common Gateway Protocol",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 1494, 2598, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 0x1a, 0x1a }, { 0x7f, 0x7f }, BYTE_RANGES_END },
	.state_size = sizeof(struct citrix),
	.probe = citrix_probe,
	.dissect = citrix_dissect,
};
