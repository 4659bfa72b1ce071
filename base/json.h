/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes JSON (RFC 8259) into a buffer. Commas are put by the writer: every
 * member and element call places one first unless it opens its container. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json {
	struct buf *out; /* lent for the writer's life */
	bool comma;      /* something stands before the next item */
};

/* key == NULL writes an array element, else an object member. */
void json_open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);                 /* '}' or ']' */
void json_text(struct json *j, const char *key, const char *text);
void json_text_n(struct json *j, const char *key, const char *text, size_t n);
void json_u64(struct json *j, const char *key, uint64_t v);
void json_i64(struct json *j, const char *key, int64_t v);
void json_double(struct json *j, const char *key, double v); /* not _real: jansson's name */
void json_bool(struct json *j, const char *key, bool v);
/* `raw` is JSON already, as an object that was stored as text. */
void json_raw(struct json *j, const char *key, const char *raw);
