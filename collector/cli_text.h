/* SPDX-License-Identifier: Apache-2.0
 *
 * Text for a terminal: short numbers and times, safe characters, widths. A
 * width is a number of code points; wide characters are not provided for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { TEXT_COUNT = 8 };

/* At most four characters: 9999, 12k, 1.2M, 123G; decimal units. Rounds down,
 * so that nothing looks fuller than it is. Returns `out`. */
char *text_count(uint64_t v, char out[TEXT_COUNT]);

/* Appends UTF-8 text, with `?` for each character that could steer a terminal
 * (C0 and C1 controls, DEL, bidirectional overrides) and for broken UTF-8. */
void text_clean(const char *text, struct buf *out);

/* Code points of clean text. */
size_t text_width(const char *text);

/* Appends clean text in exactly `width` columns: cut with ".." at the end where
 * it is longer, padded (in front when `right`) where it is shorter. */
void text_pad(const char *text, size_t width, bool right, struct buf *out);

/* Appends clean text broken at blanks into lines of at most `width` columns
 * (0: never broken), each led by `indent` blanks and ended by a line feed. */
void text_wrap(const char *text, size_t indent, size_t width, struct buf *out);
