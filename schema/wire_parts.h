/* SPDX-License-Identifier: Apache-2.0
 *
 * What packing (wire_pack.c) and unpacking (wire_unpack.c) share. */
#pragma once

#include "base/clock.h"
#include "schema/wire.h"

enum {
	WIRE_ID = 16,           /* bytes of an id that is WIRE_ID * 2 hexadecimal digits */
	WIRE_COMMUNITY_ID = 20, /* bytes of one that is "1:" and base64 */
	WIRE_COMMUNITY_TEXT = 31,
};

/* What clock_text can show: years 0 to 9999. */
#define WIRE_EARLIEST (-INT64_C(62167219200) * USEC_PER_SECOND)
#define WIRE_LATEST (INT64_C(253402300800) * USEC_PER_SECOND - 1)

/* 32 lower-case hexadecimal digits as their 16 bytes. False when the text is not
 * that; `out` is then undefined. */
bool wire_id_pack(const char *text, uint8_t out[WIRE_ID]);
void wire_id_unpack(const uint8_t bytes[WIRE_ID], char out[RECORD_ID]);

/* "1:" and 28 characters of base64 as their 20 bytes, in the same way. */
bool wire_community_id_pack(const char *text, uint8_t out[WIRE_COMMUNITY_ID]);
void wire_community_id_unpack(const uint8_t bytes[WIRE_COMMUNITY_ID],
			      char out[WIRE_COMMUNITY_TEXT]);
