/* SPDX-License-Identifier: Apache-2.0
 *
 * The table that the list in meson.build makes. */
#include "dissectors/dissector.h"

#include <string.h>

#define DISSECTOR(name) extern const struct dissector dissector_##name;
#include "dissectors/list.h"
#undef DISSECTOR

const struct dissector *const dissectors[] = {
#define DISSECTOR(name) &dissector_##name,
#include "dissectors/list.h"
#undef DISSECTOR
	NULL,
};

_Static_assert(sizeof(dissectors) / sizeof(*dissectors) <= DISSECTORS_MOST + 1,
	       "a mask of dissectors has 64 bits");

static bool can_begin(const struct dissector *d, uint8_t first)
{
	if (!d->first)
		return true;
	for (const struct byte_range *r = d->first; r->from <= r->to; r++)
		if (first >= r->from && first <= r->to)
			return true;
	return false;
}

int dissector_of(const char *name)
{
	for (int i = 0; dissectors[i]; i++)
		if (!strcmp(dissectors[i]->name, name))
			return i;
	return -1;
}

uint64_t dissectors_for(enum transport transport, uint8_t first)
{
	uint64_t mask = 0;

	for (size_t i = 0; dissectors[i]; i++)
		if (dissectors[i]->transports & transport && can_begin(dissectors[i], first))
			mask |= UINT64_C(1) << i;
	return mask;
}

uint64_t dissectors_midstream(enum transport transport, uint8_t first)
{
	uint64_t mask = dissectors_for(transport, first);

	for (size_t i = 0; dissectors[i]; i++)
		if (dissectors[i]->transports & transport && dissectors[i]->seeks)
			mask |= UINT64_C(1) << i;
	return mask;
}

uint64_t dissectors_of(enum transport transport)
{
	uint64_t mask = 0;

	for (size_t i = 0; dissectors[i]; i++)
		if (dissectors[i]->transports & transport)
			mask |= UINT64_C(1) << i;
	return mask;
}

struct dissect_fact *dissect_says(struct dissect_input *in, const struct field *field,
				  enum fact_subject subject, const void *text, size_t n)
{
	static const char invalid[] = "invalid";

	if (n == 0 || in->fact_count == DISSECT_FACTS)
		return NULL;
	if (n > DISSECT_FACT_TEXT || !grammar_accepts(field->grammar, text, n)) {
		text = invalid;
		n = sizeof(invalid) - 1;
	}
	struct dissect_fact *fact = &in->facts[in->fact_count++];
	fact->field = field;
	fact->subject = subject;
	fact->length = (uint8_t)n;
	memcpy(fact->text, text, n);
	return fact;
}

void dissect_pass_over(struct dissect_input *in, uint64_t n)
{
	uint64_t left = cursor_left(&in->bytes);
	uint64_t here = left < n ? left : n;

	cursor_skip(&in->bytes, (size_t)here);
	in->skip = n - here;
}

enum dissect_result dissect_messages(
	void *state, struct dissect_input *in, struct attributes *out, bool lost,
	enum dissect_result (*take)(void *state, struct dissect_input *in, struct attributes *out))
{
	while (!lost && cursor_left(&in->bytes) && !in->skip) {
		size_t before = cursor_left(&in->bytes);
		enum dissect_result r = take(state, in, out);
		if (r != DISSECT_MORE || cursor_left(&in->bytes) == before)
			return r;
	}
	if (lost)
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return DISSECT_MORE;
}
