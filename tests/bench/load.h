/* SPDX-License-Identifier: Apache-2.0
 *
 * What send_frames offers: frames laid one behind the other, or a made-up flood
 * of which each frame is a flow of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_MOST = 1514, /* longer frames are left out */
	FRAME_LEAST = 14,
	FLOOD_FRAME = 60,
};

/* In `area`, from 0 to `end`: a 32-bit length, that many bytes, and zeros up to
 * a multiple of eight; behind the end there is room for one more. */
struct frames {
	uint8_t *area;
	uint64_t end, room, count;
};

enum { LAID_MOST = (4 + FRAME_MOST + 7) & ~7 };

static inline uint64_t laid_size(uint32_t length)
{
	return (4 + (uint64_t)length + 7) & ~UINT64_C(7);
}

/* Flow number `f` is told by two words: the lower half of f times an odd number
 * is the source's last two bytes, the upper half its port. So no two of 2^32
 * frames are of one flow. Words in the headers that nobody looks at take the
 * complements, and all check sums stay as they are in the template. */
enum { FLOOD_FACTOR = 0x61c88647 };

struct flood {
	uint8_t template[FLOOD_FRAME];
	bool udp;
};
