/* SPDX-License-Identifier: Apache-2.0
 *
 * DICOM queries: does the identifier of a C-FIND (PS3.4 C.2.2.2) give any key a
 * value, or does everything match? Encodings: PS3.5 7.1 (implicit and explicit VR,
 * little endian), 7.5 (sequences, which are walked into). The answer is one bit;
 * values name patients, and are only asked whether they are empty. */
#include "dissectors/dicom_internal.h"

enum { SHORT_HEADER = 8, LONG_HEADER = 12, ITEM_TAG = 4 };

static bool is_letter(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z';
}

/* Explicit VRs with a length of 32 bits (PS3.5 7.1.2). */
static bool has_long_header(const uint8_t vr[2])
{
	static const char words[] = "OBODOFOLOVOWSQSVUCUNURUTUV";

	for (size_t i = 0; i + 1 < sizeof(words); i += 2)
		if (vr[0] == (uint8_t)words[i] && vr[1] == (uint8_t)words[i + 1])
			return true;
	return false;
}

/* Brings `held` up to n bytes; false while there are too few. */
static bool hold(struct dicom_keys *keys, struct cursor *bytes, size_t n)
{
	while (keys->held_count < n && cursor_left(bytes))
		keys->held[keys->held_count++] = cursor_u8(bytes);
	return keys->held_count >= n;
}

/* Level, character set, time zone, view: they tell how to search. Group lengths
 * tell nothing. */
static bool is_exempt(uint16_t group, uint16_t element)
{
	return element == 0 || (group == 8 && (element == 0x0005 || element == 0x0052 ||
					       element == 0x0053 || element == 0x0201));
}

static void judge(struct dicom_keys *keys, uint8_t byte)
{
	if (!keys->exempt && byte != '*' && byte != ' ' && byte != 0)
		keys->valued = true;
}

/* A length of UINT32_MAX is undefined (PS3.5 7.1.1): a sequence, or one of its items. */

/* A sequence: what was held of its first item is the next header's start. */
static bool enter(struct dicom_keys *keys, size_t header)
{
	static const uint8_t item[ITEM_TAG] = { 0xfe, 0xff, 0x00, 0xe0 };

	if (memcmp(keys->held + header, item, ITEM_TAG) != 0)
		return false;
	memcpy(keys->held, item, ITEM_TAG);
	keys->held_count = ITEM_TAG;
	return true;
}

/* | group16 | element16 | length32 |, or | group16 | element16 | VR | length16 |, or
 * | group16 | element16 | VR | 0 0 | length32 |. False: more is needed. */
static bool header(struct dicom_keys *keys, struct cursor *bytes)
{
	if (!hold(keys, bytes, SHORT_HEADER))
		return false;
	const uint8_t *vr = keys->held + 4;
	bool is_explicit = is_letter(vr[0]) && is_letter(vr[1]);
	size_t size = is_explicit && has_long_header(vr) ? LONG_HEADER : SHORT_HEADER;
	if (!hold(keys, bytes, size))
		return false;
	struct cursor c = cursor_of(keys->held, size);
	uint16_t group = cursor_le16(&c);
	uint16_t element = cursor_le16(&c);
	cursor_skip(&c, is_explicit ? (size == LONG_HEADER ? 4 : 2) : 0);
	uint32_t length = is_explicit && size == SHORT_HEADER ? cursor_le16(&c) : cursor_le32(&c);

	bool delimiter = group == 0xfffe;
	keys->strange |= !keys->begun && group != 8; /* deflated, or big endian */
	keys->begun = true;
	keys->exempt = is_exempt(group, element);
	if (!delimiter && length != UINT32_MAX && length >= SHORT_HEADER) {
		if (!hold(keys, bytes, size + ITEM_TAG))
			return false;
		if (enter(keys, size))
			return true;
		for (size_t i = 0; i < ITEM_TAG; i++)
			judge(keys, keys->held[size + i]);
		length -= ITEM_TAG;
	}
	keys->value = delimiter || length == UINT32_MAX ? 0 : length;
	keys->held_count = 0;
	return true;
}

void dicom_keys_feed(struct dicom_keys *keys, struct cursor bytes)
{
	while (cursor_left(&bytes) && !keys->strange) {
		if (!keys->value) {
			if (!header(keys, &bytes))
				return;
			continue;
		}
		judge(keys, cursor_u8(&bytes));
		keys->value--;
	}
}

void dicom_keys_end(struct dicom_call *call)
{
	const struct dicom_keys *keys = &call->side->keys;
	bool whole = keys->begun && !keys->strange && !keys->held_count && !keys->value;

	if (whole && !keys->valued)
		attributes_add(call->out, &dicom_fields[F_FIND_ALL], 1);
}
