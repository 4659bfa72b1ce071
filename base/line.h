/* SPDX-License-Identifier: Apache-2.0
 *
 * Text put together piece by piece in a room of fixed size, and cut where that
 * ends; always NUL-terminated. For what is made for every record, where the
 * formats of printf cost more than all else. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct line {
	char *at, *last; /* `last` is the room's last byte: for the NUL */
};

struct line line_in(char *out, size_t room); /* at least 1 */
void line_bytes(struct line *l, const char *bytes, size_t n);
static inline void line_text(struct line *l, const char *text) /* NULL stands for "" */
{
	if (text)
		line_bytes(l, text, strlen(text));
}
void line_u64(struct line *l, uint64_t v);
void line_hex8(struct line *l, uint8_t v);   /* 2 digits */
void line_hex64(struct line *l, uint64_t v); /* 16 digits */
