/* SPDX-License-Identifier: Apache-2.0
 *
 * Time, with its unit in the type, and as text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usec {
	int64_t v; /* microseconds; as a point in time, since 1970 UTC */
};

#define USEC_PER_SECOND 1000000

enum { CLOCK_TEXT = 32 }; /* bytes that clock_text needs, NUL included */

struct usec clock_wall(void);      /* may step; for stamps only */
struct usec clock_monotonic(void); /* for waiting and measuring */

/* RFC 3339, UTC, six decimals: 2026-01-02T03:04:05.000001Z. Returns `out`.
 * Years outside 0 to 9999 are shown as the nearest bound. */
char *clock_text(struct usec t, char out[CLOCK_TEXT]);

/* Reads RFC 3339 (a date alone means its midnight; no zone means UTC). */
bool clock_parse(const char *text, struct usec *out);

/* Reads a span: a whole number and one of us, ms, s, m, h, d, w: "90s", "1h". */
bool clock_parse_span(const char *text, struct usec *out);
