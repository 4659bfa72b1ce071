/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/attributes.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

static const char invalid_word[] = "invalid";

/* Which grammars a byte may stand in, a bit each by number. */
#define IN(g) (1U << GRAMMAR_##g)
#define WORDS (IN(TOKEN) | IN(HL7_NAME) | IN(VERSION) | IN(HOSTNAME) | IN(PRODUCT) | IN(ISSUER))
#define UPPER (WORDS | IN(HL7_TYPE))
#define DIGIT (UPPER | IN(UID) | IN(NUMBERS))

static const uint16_t grammars_of[256] = {
	['0'] = DIGIT,
	['1'] = DIGIT,
	['2'] = DIGIT,
	['3'] = DIGIT,
	['4'] = DIGIT,
	['5'] = DIGIT,
	['6'] = DIGIT,
	['7'] = DIGIT,
	['8'] = DIGIT,
	['9'] = DIGIT,
	['A'] = UPPER,
	['B'] = UPPER,
	['C'] = UPPER,
	['D'] = UPPER,
	['E'] = UPPER,
	['F'] = UPPER,
	['G'] = UPPER,
	['H'] = UPPER,
	['I'] = UPPER,
	['J'] = UPPER,
	['K'] = UPPER,
	['L'] = UPPER,
	['M'] = UPPER,
	['N'] = UPPER,
	['O'] = UPPER,
	['P'] = UPPER,
	['Q'] = UPPER,
	['R'] = UPPER,
	['S'] = UPPER,
	['T'] = UPPER,
	['U'] = UPPER,
	['V'] = UPPER,
	['W'] = UPPER,
	['X'] = UPPER,
	['Y'] = UPPER,
	['Z'] = UPPER,
	['a'] = WORDS,
	['b'] = WORDS,
	['c'] = WORDS,
	['d'] = WORDS,
	['e'] = WORDS,
	['f'] = WORDS,
	['g'] = WORDS,
	['h'] = WORDS,
	['i'] = WORDS,
	['j'] = WORDS,
	['k'] = WORDS,
	['l'] = WORDS,
	['m'] = WORDS,
	['n'] = WORDS,
	['o'] = WORDS,
	['p'] = WORDS,
	['q'] = WORDS,
	['r'] = WORDS,
	['s'] = WORDS,
	['t'] = WORDS,
	['u'] = WORDS,
	['v'] = WORDS,
	['w'] = WORDS,
	['x'] = WORDS,
	['y'] = WORDS,
	['z'] = WORDS,
	['_'] = IN(TOKEN) | IN(HL7_NAME) | IN(VERSION) | IN(HOSTNAME) | IN(PRODUCT) | IN(ISSUER),
	['.'] = IN(TOKEN) | IN(HL7_NAME) | IN(VERSION) | IN(PRODUCT) | IN(ISSUER) | IN(UID),
	['-'] = IN(TOKEN) | IN(HL7_NAME) | IN(VERSION) | IN(HOSTNAME) | IN(PRODUCT) | IN(ISSUER),
	['+'] = IN(TOKEN) | IN(PRODUCT) | IN(ISSUER),
	['/'] = IN(TOKEN) | IN(HL7_NAME) | IN(PRODUCT) | IN(ISSUER),
	[' '] = IN(HL7_NAME) | IN(PRODUCT) | IN(ISSUER),
	[':'] = IN(HL7_NAME) | IN(ISSUER),
	['('] = IN(PRODUCT) | IN(ISSUER),
	[')'] = IN(PRODUCT) | IN(ISSUER),
	[','] = IN(ISSUER),
	['\''] = IN(ISSUER),
	['&'] = IN(ISSUER),
};

static bool stands_in(uint8_t c, enum grammar g)
{
	return grammars_of[c] >> g & 1;
}

static bool all_in(const uint8_t *p, size_t n, enum grammar g)
{
	unsigned all = 1U << g;

	for (size_t i = 0; i < n; i++)
		all &= grammars_of[p[i]];
	return all;
}

static bool is_ae_title(const uint8_t *p, size_t n)
{
	bool seen = false;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '\\')
			return false;
		seen |= p[i] != ' ';
	}
	return seen && n <= 16;
}

static bool is_uid(const uint8_t *p, size_t n)
{
	return n <= 64 && isdigit(p[0]) && isdigit(p[n - 1]) && all_in(p, n, GRAMMAR_UID);
}

static size_t upper_run(const uint8_t *p, size_t n, bool underscore)
{
	size_t i = 0;

	while (i < n && (isupper(p[i]) || isdigit(p[i]) || (underscore && p[i] == '_')))
		i++;
	return i;
}

static bool is_hl7_type(const uint8_t *p, size_t n)
{
	if (upper_run(p, n, false) != 3)
		return false;
	if (n == 3)
		return true;
	if (p[3] != '^' || upper_run(p + 4, n - 4, false) != 3)
		return false;
	if (n == 7)
		return true;
	size_t structure = n - 8;
	return p[7] == '^' && structure >= 3 && structure <= 7 &&
	       upper_run(p + 8, structure, true) == structure;
}

static bool is_hostname(const uint8_t *p, size_t n)
{
	size_t label = 0;

	if (n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (stands_in(p[i], GRAMMAR_HOSTNAME)) {
			if (++label > 63)
				return false;
			continue;
		}
		if (p[i] != '.' || label == 0)
			return false;
		label = 0;
	}
	return label > 0;
}

static bool is_numbers(const uint8_t *p, size_t n)
{
	size_t digits = 0;

	if (n > 2 && p[n - 2] == ',' && p[n - 1] == '+')
		n -= 2;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == ',' ? digits == 0 : !isdigit(p[i]) || digits == 5)
			return false;
		digits = p[i] == ',' ? 0 : digits + 1;
	}
	return digits > 0;
}

bool grammar_accepts(enum grammar g, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	if (n == 0)
		return false;
	switch (g) {
	case GRAMMAR_TOKEN:
		return n <= 40 && all_in(p, n, g);
	case GRAMMAR_AE_TITLE:
		return is_ae_title(p, n);
	case GRAMMAR_UID:
		return is_uid(p, n);
	case GRAMMAR_HL7_NAME:
		return n <= 64 && all_in(p, n, g);
	case GRAMMAR_HL7_TYPE:
		return is_hl7_type(p, n);
	case GRAMMAR_VERSION:
		return n <= 16 && isdigit(p[0]) && all_in(p, n, g);
	case GRAMMAR_HOSTNAME:
		return is_hostname(p, n);
	case GRAMMAR_PRODUCT:
		return n <= 32 && all_in(p, n, g);
	case GRAMMAR_ISSUER:
		return n <= 64 && all_in(p, n, g);
	case GRAMMAR_NUMBERS:
		return n <= 64 && is_numbers(p, n);
	case GRAMMAR_NONE:
		break;
	}
	return false;
}

const char *field_type_name(enum field_type type)
{
	static const char *const words[] = { "number", "counter", "flag", "text", "texts" };

	return words[type];
}

const char *grammar_name(enum grammar g)
{
	static const char *const words[] = { "-",        "token",    "ae-title", "uid",
					     "hl7-name", "hl7-type", "version",  "hostname",
					     "product",  "issuer",   "numbers" };

	return words[g];
}

const char *phi_class_name(enum phi_class c)
{
	static const char *const words[] = { "undeclared", "none", "device", "site" };

	return words[c];
}

static struct attribute *find(struct attributes *a, const struct field *f)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->values[i].field == f)
			return &a->values[i];
	return NULL;
}

static struct attribute *add(struct attributes *a, const struct field *f)
{
	if (a->count == ATTRIBUTES_MOST) {
		a->dropped++;
		return NULL;
	}
	struct attribute *v = &a->values[a->count++];
	*v = (struct attribute){ .field = f };
	return v;
}

static struct attribute *find_or_add(struct attributes *a, const struct field *f)
{
	struct attribute *v = find(a, f);
	return v ? v : add(a, f);
}

void attributes_number(struct attributes *a, const struct field *f, uint64_t v)
{
	assert(f->type == FIELD_NUMBER);
	struct attribute *at = find_or_add(a, f);
	if (at)
		at->number = v;
}

void attributes_add(struct attributes *a, const struct field *f, uint64_t n)
{
	assert(f->type == FIELD_COUNTER);
	struct attribute *at = find_or_add(a, f);
	if (at)
		at->number += n;
}

void attributes_flag(struct attributes *a, const struct field *f)
{
	assert(f->type == FIELD_FLAG);
	struct attribute *at = find_or_add(a, f);
	if (at)
		at->number = 1;
}

static void trim(const uint8_t **p, size_t *n)
{
	while (*n && (**p == ' ' || **p == 0)) {
		(*p)++;
		(*n)--;
	}
	while (*n && ((*p)[*n - 1] == ' ' || (*p)[*n - 1] == 0))
		(*n)--;
}

static char lower(uint8_t c)
{
	return (char)(c | (c >= 'A' && c <= 'Z') << 5);
}

/* Copies a checked text in; its offset, or -1 when there is no room. */
static int store_text(struct attributes *a, const struct field *f, const uint8_t *p, size_t n)
{
	if (n + 1 > sizeof(a->texts) - a->text_used) {
		a->dropped++;
		return -1;
	}
	int offset = a->text_used;
	char *to = a->texts + offset;
	if (f->grammar == GRAMMAR_HOSTNAME)
		for (size_t i = 0; i < n; i++)
			to[i] = lower(p[i]);
	else
		memcpy(to, p, n);
	to[n] = '\0';
	a->text_used = (uint16_t)(a->text_used + n + 1);
	return offset;
}

static bool same_text(const char *stored, const uint8_t *p, size_t n, bool fold)
{
	for (size_t i = 0; i < n; i++)
		if (stored[i] != (fold ? lower(p[i]) : (char)p[i]))
			return false;
	return stored[n] == '\0';
}

/* True when the set has the text already, or is full. */
static bool set_is_closed(struct attributes *a, const struct field *f, const uint8_t *p, size_t n)
{
	size_t members = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (a->values[i].field != f)
			continue;
		if (same_text(a->texts + a->values[i].text, p, n, f->grammar == GRAMMAR_HOSTNAME))
			return true;
		members++;
	}
	if (members >= ATTRIBUTES_SET_MOST) {
		a->dropped++;
		return true;
	}
	return false;
}

void attributes_text(struct attributes *a, const struct field *f, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	assert(f->type == FIELD_TEXT || f->type == FIELD_TEXTS);
	if (f->grammar == GRAMMAR_AE_TITLE || f->grammar == GRAMMAR_UID)
		trim(&p, &n);
	if (n == 0)
		return;
	if (!grammar_accepts(f->grammar, p, n)) {
		a->invalid++;
		p = (const uint8_t *)invalid_word;
		n = sizeof(invalid_word) - 1;
	}
	struct attribute *old = find(a, f);
	/* A better text may follow an invalid one; another invalid one takes no room. */
	if (f->type == FIELD_TEXT && old &&
	    (strcmp(a->texts + old->text, invalid_word) || p == (const uint8_t *)invalid_word))
		return;
	if (f->type == FIELD_TEXTS && set_is_closed(a, f, p, n))
		return;
	if (a->count == ATTRIBUTES_MOST && (f->type == FIELD_TEXTS || !old)) {
		a->dropped++;
		return;
	}
	int offset = store_text(a, f, p, n);
	if (offset < 0)
		return;
	struct attribute *v = f->type == FIELD_TEXT && old ? old : add(a, f);
	if (v)
		v->text = (uint16_t)offset;
}

const struct attribute *attributes_find(const struct attributes *a, const struct field *f)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->values[i].field == f)
			return &a->values[i];
	return NULL;
}

const char *attribute_text(const struct attributes *a, const struct attribute *v)
{
	return (const char *)a + offsetof(struct attributes, texts) - a->nearer + v->text;
}

static size_t texts_at(const struct attributes *a)
{
	return offsetof(struct attributes, values) + a->count * sizeof(a->values[0]);
}

size_t attributes_packed_size(const struct attributes *a)
{
	return texts_at(a) + a->text_used;
}

void attributes_pack(struct attributes *to, const struct attributes *from)
{
	memcpy(to, from, texts_at(from));
	to->nearer = (uint16_t)(offsetof(struct attributes, texts) - texts_at(from));
	memcpy((char *)to + texts_at(from),
	       (const char *)from + offsetof(struct attributes, texts) - from->nearer,
	       from->text_used);
}

void attributes_unpack(struct attributes *to, const struct attributes *packed)
{
	memcpy(to, packed, texts_at(packed));
	memcpy(to->texts, (const char *)packed + texts_at(packed), packed->text_used);
	to->nearer = 0;
}

void attributes_restart(struct attributes *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->values[i].field->type == FIELD_COUNTER)
			a->values[i].number = 0;
}
