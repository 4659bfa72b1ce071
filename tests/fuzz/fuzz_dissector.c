/* SPDX-License-Identifier: Apache-2.0
 *
 * Built once per dissector, with -DDISSECTOR=dissector_NAME.
 *
 * Input: one byte of settings, then pieces: one byte of direction, gap and
 * size, and as many bytes as that says (the last piece may be shorter). */
#include "tests/unit/dissectors/stream.h"

extern const struct dissector DISSECTOR;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t piece_size(unsigned code)
{
	/* Small and odd sizes, and some that hold whole messages. */
	return code < 24 ? code : code < 40 ? (code - 20) * 16 : (code - 32) * 64;
}

static void play(struct conversation *s, struct cursor *c)
{
	while (cursor_left(c) && !s->over) {
		unsigned code = cursor_u8(c);
		unsigned direction = code & 1;
		size_t n = piece_size(code >> 2);

		if (code & 2 && s->transport == TRANSPORT_TCP)
			stream_lose(s, direction);
		if (n > cursor_left(c))
			n = cursor_left(c);
		stream_offer(s, direction, cursor_take(c, n), n);
	}
}

/* What left the dissector must be what its table declares. */
static void check(const struct conversation *s)
{
	assert(s->out.count <= ATTRIBUTES_MOST);
	for (size_t i = 0; i < s->out.count; i++) {
		const struct field *f = s->out.values[i].field;
		assert(stream_field(s, f->name) == f);
		if (f->type != FIELD_TEXT && f->type != FIELD_TEXTS)
			continue;
		const char *text = attribute_text(&s->out, &s->out.values[i]);
		assert(!strcmp(text, "invalid") || /* of any grammar: schema/attributes.h */
		       grammar_accepts(f->grammar, text, strlen(text)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(data, size);
	struct conversation s;
	uint8_t settings = cursor_u8(&c);
	static const enum transport transports[] = { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_TCP,
						     TRANSPORT_LINK };
	enum transport transport = transports[(settings & 1) | (settings >> 3 & 2)];

	if (!(DISSECTOR.transports & transport))
		return 0;
	uint16_t port = settings & 2 && DISSECTOR.ports ? DISSECTOR.ports[0] : 40000;
	stream_init(&s, &DISSECTOR, transport, 50000, port);
	s.ips[0] = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 });
	s.ips[1] = ip_from_v4((const uint8_t[]){ 10, 0, 0, 255 });
	s.midstream = settings & 4;
	s.claimed = settings & 8; /* a dissector must bear what its probe refuses */
	play(&s, &c);
	check(&s);
	stream_finish(&s);
	return 0;
}
