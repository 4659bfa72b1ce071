/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a capture file in order: from a file or standard input, gunzipped
 * on the way where they are gzip. One buffer, made at open; no copy per packet. */
#pragma once

#include "base/cursor.h"

enum {
	SOURCE_MOST = 256 * 1024 + 64, /* most bytes that can be asked for at once */
	SOURCE_WHY = 256,
};

struct source {
	struct cursor ahead; /* buffered bytes; taken from here by the reader */
	uint64_t filled;     /* bytes buffered so far, over the whole input */
	/* Called before bytes that were borrowed are overwritten; NULL: nobody asks. */
	void (*before_reuse)(void *context);
	void *context;
	int error; /* -errno or -EIO (damaged gzip) that ended the input, or 0 */
	struct source_input *input;
};

/* "-" is standard input. 0, or -errno with a sentence part in `why`. */
int source_open(struct source *s, const char *path, char why[SOURCE_WHY]);
void source_close(struct source *s); /* accepts a zeroed one */

/* Reads until n bytes are ahead; false when the input ends before that. What was
 * borrowed from `ahead` is gone then. */
bool source_fill(struct source *s, size_t n);

/* Whether n bytes (at most SOURCE_MOST) are ahead. */
static inline bool source_has(struct source *s, size_t n)
{
	return n <= cursor_left(&s->ahead) || source_fill(s, n);
}

/* Takes n bytes of any number; false when the input ends before that. */
bool source_skip(struct source *s, uint64_t n);

/* Place of the next byte in the (gunzipped) input. */
static inline uint64_t source_offset(const struct source *s)
{
	return s->filled - cursor_left(&s->ahead);
}

/* Why the input ended early: "gzip data is damaged", or NULL where it just ended. */
const char *source_problem(const struct source *s);

/* Bytes read from the file so far, and its size (0: not known). */
void source_progress(const struct source *s, uint64_t *done, uint64_t *all);
bool source_is_gzip(const struct source *s);
