/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids of flows and alerts between their text and their bytes. Both are as good as
 * random: as text they would be longer, and cost compression the most. */
#include <endian.h>
#include <string.h>

#include "schema/wire_parts.h"

static const uint64_t ones = UINT64_C(0x0101010101010101);

/* Eight hexadecimal digits, a byte of the word each, to their values; false when one
 * is none, or a capital. */
static bool hex_values(uint64_t text, uint64_t *values)
{
	uint64_t letter = text >> 6 & ones;
	uint64_t v = (text & ones * 0x0f) + letter * 9;
	uint64_t above9 = (v + ones * 6) >> 4 & ones;

	*values = v;
	return !(v & ones * 0xf0) && v + ones * '0' + above9 * ('a' - '0' - 10) == text;
}

bool wire_id_pack(const char *text, uint8_t out[WIRE_ID])
{
	if (strlen(text) != (size_t)WIRE_ID * 2)
		return false;
	for (size_t i = 0; i < WIRE_ID; i += 4) {
		uint64_t v;
		memcpy(&v, text + i * 2, sizeof(v));
		if (!hex_values(le64toh(v), &v))
			return false;
		/* The first digit stands lowest. Pairs become bytes, and these move together. */
		v = (v << 4 | v >> 8) & UINT64_C(0x00ff00ff00ff00ff);
		v = (v | v >> 8) & UINT64_C(0x0000ffff0000ffff);
		uint32_t four = htole32((uint32_t)(v | v >> 16));
		memcpy(out + i, &four, sizeof(four));
	}
	return true;
}

void wire_id_unpack(const uint8_t bytes[WIRE_ID], char out[RECORD_ID])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < WIRE_ID; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * WIRE_ID] = '\0';
}

/* Values of RFC 4648's characters, plus one; 0: not one of them. */
static const uint8_t base64_values[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
	['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['/'] = 64,
};

/* The 20 bytes are six groups of three, and one of two: 27 characters and a '='. */
enum { WHOLE_GROUPS = 6, COMMUNITY_LENGTH = 30 };

bool wire_community_id_pack(const char *text, uint8_t out[WIRE_COMMUNITY_ID])
{
	const uint8_t *p = (const uint8_t *)text + 2;

	if (strlen(text) != COMMUNITY_LENGTH || memcmp(text, "1:", 2) != 0 ||
	    text[COMMUNITY_LENGTH - 1] != '=')
		return false;
	for (size_t i = 0; i <= WHOLE_GROUPS; i++, p += 4) {
		uint8_t fill = i == WHOLE_GROUPS ? 'A' : p[3];
		uint32_t a = base64_values[p[0]], b = base64_values[p[1]];
		uint32_t c = base64_values[p[2]], d = base64_values[fill];
		if (!a || !b || !c || !d)
			return false;
		uint32_t v = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
		out[3 * i] = (uint8_t)(v >> 16);
		out[3 * i + 1] = (uint8_t)(v >> 8);
		if (i < WHOLE_GROUPS)
			out[3 * i + 2] = (uint8_t)v;
		else if (v & 0xff)
			return false; /* bits behind the last byte: other text, same bytes */
	}
	return true;
}

void wire_community_id_unpack(const uint8_t bytes[WIRE_COMMUNITY_ID], char out[WIRE_COMMUNITY_TEXT])
{
	static const char characters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = bytes;
	char *to = out + 2;

	memcpy(out, "1:", 2);
	for (size_t i = 0; i <= WHOLE_GROUPS; i++, p += 3, to += 4) {
		uint32_t third = i == WHOLE_GROUPS ? 0 : p[2];
		uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | third;
		to[0] = characters[v >> 18];
		to[1] = characters[v >> 12 & 63];
		to[2] = characters[v >> 6 & 63];
		to[3] = characters[v & 63];
	}
	out[COMMUNITY_LENGTH - 1] = '=';
	out[COMMUNITY_LENGTH] = '\0';
}
