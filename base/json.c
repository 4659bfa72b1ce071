/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <string.h>

static void quoted(struct buf *out, const char *text, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	buf_char(out, '"');
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		buf_bytes(out, text + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\') {
			char escape[2] = { '\\', (char)c };
			buf_bytes(out, escape, 2);
		} else {
			char escape[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
			buf_bytes(out, escape, 6);
		}
	}
	buf_bytes(out, text + from, n - from);
	buf_char(out, '"');
}

static void before(struct json *j, const char *key)
{
	if (j->comma)
		buf_char(j->out, ',');
	j->comma = true;
	if (key) {
		quoted(j->out, key, strlen(key));
		buf_char(j->out, ':');
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	before(j, key);
	buf_char(j->out, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	buf_char(j->out, bracket);
	j->comma = true;
}

void json_text_n(struct json *j, const char *key, const char *text, size_t n)
{
	before(j, key);
	quoted(j->out, text, n);
}

void json_text(struct json *j, const char *key, const char *text)
{
	json_text_n(j, key, text, strlen(text));
}

void json_u64(struct json *j, const char *key, uint64_t v)
{
	before(j, key);
	buf_u64(j->out, v);
}

void json_i64(struct json *j, const char *key, int64_t v)
{
	before(j, key);
	if (v < 0)
		buf_char(j->out, '-');
	buf_u64(j->out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void json_double(struct json *j, const char *key, double v)
{
	before(j, key);
	buf_format(j->out, "%.6g", v);
}

void json_bool(struct json *j, const char *key, bool v)
{
	before(j, key);
	buf_text(j->out, v ? "true" : "false");
}

void json_raw(struct json *j, const char *key, const char *raw)
{
	before(j, key);
	buf_text(j->out, raw);
}
