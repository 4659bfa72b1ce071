/* SPDX-License-Identifier: Apache-2.0 */
#include "dissectors/product_words.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "schema/attributes.h"

enum { WORDS_MOST = 6 };

struct word {
	const char *at;
	size_t n;   /* without what parts it from the next */
	bool comma; /* stands behind it */
	bool last;  /* its rest, and what follows, stays here */
};

static bool ends_line(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* False at the end of the text or the line. */
static bool next_word(const char **at, const char *end, struct word *out)
{
	while (*at < end && is_blank(**at))
		(*at)++;
	out->at = *at;
	while (*at < end && !is_blank(**at) && !ends_line(**at))
		(*at)++;
	out->n = (size_t)(*at - out->at);
	out->last = false;
	out->comma = out->n && (out->at[out->n - 1] == ',' || out->at[out->n - 1] == ';');
	out->n -= out->comma;
	return out->n > 0;
}

static void cut(struct word *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->at[i] == ':' || w->at[i] == ',') {
			w->n = i;
			w->last = true;
		}
}

static bool is_word(const struct word *w, const char *text)
{
	return w->n == strlen(text) && !memcmp(w->at, text, w->n);
}

/* "Linux NAME 6.1.0 #1 SMP ...": systems whose agents answer with uname -a. */
static bool is_unix(const struct word *w)
{
	static const char *const names[] = { "Linux",  "FreeBSD", "OpenBSD", "NetBSD", "DragonFly",
					     "Darwin", "SunOS",   "HP-UX",   "AIX",    "QNX" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_word(w, names[i]))
			return true;
	return false;
}

/* Behind a bare system's name stands its version, or the host's name and then the
 * version; and a host's name may begin with a digit, too. */
static bool is_host(const struct word *w, const char *at, const char *end)
{
	struct word next;

	return !isdigit((unsigned char)w->at[0]) ||
	       (next_word(&at, end, &next) && isdigit((unsigned char)next.at[0]));
}

/* "Hardware: x86 Family 6 ... - Software: Windows Version 6.1 (Build ...)" */
static const char *behind_hardware(const char *at, const char *end)
{
	static const char hardware[] = "Hardware:", software[] = "Software:";
	size_t n = sizeof(software) - 1;

	if ((size_t)(end - at) < n || memcmp(at, hardware, n) != 0)
		return at;
	for (const char *p = at; (size_t)(end - p) >= n; p++)
		if (!memcmp(p, software, n))
			return p + n;
	return at;
}

static bool append(char out[PRODUCT_WORDS_MOST], size_t *length, const struct word *w)
{
	size_t blank = *length > 0;

	if (*length + blank + w->n > PRODUCT_WORDS_MOST ||
	    !grammar_accepts(GRAMMAR_PRODUCT, w->at, w->n))
		return false;
	if (blank)
		out[(*length)++] = ' ';
	memcpy(out + *length, w->at, w->n);
	*length += w->n;
	return true;
}

size_t product_words(const void *text, size_t n, char out[PRODUCT_WORDS_MOST])
{
	const char *at = text, *end = n ? at + n : at;
	size_t length = 0;
	struct word w = { 0 };
	bool bare = false;

	if (n)
		at = behind_hardware(at, end);
	for (unsigned i = 0; i < WORDS_MOST && !w.last && next_word(&at, end, &w); i++) {
		if (i == 1 && bare && is_host(&w, at, end))
			continue;
		cut(&w);
		if (!append(out, &length, &w))
			break;
		bare = i == 0 && !w.last && !w.comma && is_unix(&w);
	}
	return length;
}
