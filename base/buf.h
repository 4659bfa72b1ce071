/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing buffer for bytes or text that we write ourselves.
 *
 * Growth failure is sticky, like a cursor's: later appends do nothing, and the
 * writer asks `failed` once at the end. Text is NUL-terminated at all times
 * (the NUL is not counted in len), so `data` may be printed as it is. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* owned; NULL while empty and never written */
	size_t len;
	size_t cap;
	bool failed; /* out of memory, once; sticky */
};

void buf_finish(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory, forgets content and failure */
/* Makes room for n more bytes; false when memory is short. */
bool buf_reserve(struct buf *b, size_t n);
void buf_bytes(struct buf *b, const void *bytes, size_t n);
void buf_char(struct buf *b, char c);
void buf_text(struct buf *b, const char *text);
void buf_u64(struct buf *b, uint64_t v); /* decimal, fast */
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vformat(struct buf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
