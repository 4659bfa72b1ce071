/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/oui.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"

enum {
	FILE_MOST = 32 << 20,
	NAME_MOST = 64,
	DIGITS_LEAST = 6, /* of an assignment: 24 bits, 28 or 36 */
	DIGITS_MOST = 9,
};

/* A block by its first bits, left in 48. */
struct block {
	uint64_t first;
	uint32_t name; /* offset into the names */
	uint8_t digits;
};

struct oui {
	struct block *blocks; /* sorted by digits, then by `first` */
	size_t count, room;
	struct buf names;
	bool failed; /* no memory */
};

/* A CSV field (RFC 4180), its quotes taken off; cut where `out` ends. */
static void take_field(struct cursor *c, char *out, size_t room)
{
	bool quoted = cursor_peek(c, 0) == '"';
	size_t n = 0;

	cursor_skip(c, quoted);
	while (cursor_left(c)) {
		int byte = cursor_peek(c, 0);
		bool quote = quoted && byte == '"';
		if (quote && cursor_peek(c, 1) == '"')
			cursor_skip(c, 1);
		else if (quote)
			quoted = false;
		else if (!quoted && (byte == ',' || byte == '\n'))
			break;
		if ((!quote || quoted) && n + 1 < room)
			out[n++] = (char)byte;
		cursor_skip(c, 1);
	}
	out[n] = '\0';
	if (cursor_peek(c, 0) == ',')
		cursor_skip(c, 1);
}

/* The rest of a record may hold line ends within quotes. */
static void skip_line(struct cursor *c)
{
	size_t left = cursor_left(c);
	const uint8_t *at = c->at, *end = at ? at + left : at;

	while (at < end) {
		const uint8_t *line = memchr(at, '\n', (size_t)(end - at));
		const uint8_t *quote = memchr(at, '"', (size_t)((line ? line : end) - at));
		if (!quote) {
			at = line ? line + 1 : end;
			break;
		}
		quote = memchr(quote + 1, '"', (size_t)(end - quote - 1));
		at = quote ? quote + 1 : end;
	}
	cursor_skip(c, (size_t)(at - c->at));
}

/* Length of the character at p (RFC 3629), 0 when it is none, or one of those that must
 * not be shown. */
static size_t character(const unsigned char *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0x20 || p[0] == 0x7f || (p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xe0 && p[1] < 0xa0) || p[0] == 0xf0 ||
	    (p[0] == 0xe2 && p[1] <= 0x81) || (p[0] == 0xed && p[1] >= 0xa0) || p[0] == 0xf4)
		return 0;
	return n;
}

/* Keeps what may be shown, without the blanks around, cut at a character's end. */
static void clean(char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	char *to = text;

	while (*from) {
		size_t n = character(from);
		if (n == 0) {
			from++;
			continue;
		}
		if (to + n > text + NAME_MOST - 1)
			break;
		if (to > text || *from != ' ') {
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

static bool read_digits(const char *text, uint64_t *out, uint8_t *digits)
{
	size_t n = strlen(text);

	if (n < DIGITS_LEAST || n > DIGITS_MOST || text[strspn(text, "0123456789ABCDEFabcdef")])
		return false;
	*out = strtoull(text, NULL, 16) << (48 - 4 * n);
	*digits = (uint8_t)n;
	return true;
}

/* A block that is divided further belongs to nobody, nor does one that is private: they
 * are kept without a name, so that no shorter block answers for them. */
static bool is_nobody(const char *name)
{
	return !strcmp(name, "Private") || !strcmp(name, "IEEE Registration Authority");
}

static void add_block(struct oui *o, uint64_t first, uint8_t digits, const char *name)
{
	if (o->count == o->room) {
		size_t room = o->room ? o->room * 2 : 1024;
		struct block *more = realloc(o->blocks, room * sizeof(*more));
		if (!more) {
			o->failed = true;
			return;
		}
		o->blocks = more;
		o->room = room;
	}
	o->blocks[o->count++] = (struct block){ first, (uint32_t)o->names.len, digits };
	buf_text(&o->names, is_nobody(name) ? "" : name);
	buf_char(&o->names, '\0');
}

static void read_lines(struct oui *o, struct cursor c)
{
	char registry[16], assignment[16], name[4 * NAME_MOST];

	while (cursor_left(&c) && !o->failed) {
		uint64_t first;
		uint8_t digits;
		take_field(&c, registry, sizeof(registry));
		take_field(&c, assignment, sizeof(assignment));
		take_field(&c, name, sizeof(name));
		skip_line(&c);
		clean(name);
		if (read_digits(assignment, &first, &digits))
			add_block(o, first, digits, name);
	}
}

static int by_block(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->digits != y->digits)
		return x->digits < y->digits ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

/* NULL, and `o` freed, when there is nothing in it. */
static struct oui *finish(struct oui *o)
{
	if (o->failed || o->names.failed || !o->count) {
		oui_free(o);
		return NULL;
	}
	qsort(o->blocks, o->count, sizeof(*o->blocks), by_block);
	return o;
}

struct oui *oui_parse(const void *bytes, size_t n)
{
	struct oui *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	read_lines(o, cursor_of(bytes, n));
	return finish(o);
}

static int read_file(struct oui *o, const char *dir, const char *name)
{
	struct buf text = { 0 };
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int error = file_read(path, FILE_MOST, &text);
	if (!error)
		read_lines(o, cursor_of(text.data, text.len));
	buf_finish(&text);
	return error;
}

struct oui *oui_load(const char *dir, char why[256])
{
	static const char *const names[] = { "oui.csv", "mam.csv", "oui36.csv", "iab.csv" };
	struct oui *o = calloc(1, sizeof(*o));
	int first = 0;

	for (size_t i = 0; o && i < sizeof(names) / sizeof(names[0]); i++) {
		int error = read_file(o, dir, names[i]);
		first = i == 0 ? error : first;
	}
	o = o ? finish(o) : NULL;
	if (!o)
		snprintf(why, 256, "%.150s/oui.csv: %s", dir,
			 first ? strerror(-first) : "no list of address blocks");
	return o;
}

void oui_free(struct oui *o)
{
	if (!o)
		return;
	free(o->blocks);
	buf_finish(&o->names);
	free(o);
}

static const struct block *find(const struct oui *o, uint64_t mac, uint8_t digits)
{
	uint64_t mask = ~UINT64_C(0) << (48 - 4 * digits);
	const struct block wanted = { mac & mask, 0, digits };
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by_block(&o->blocks[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	const struct block *b = &o->blocks[low];
	return low < o->count && b->digits == digits && b->first == wanted.first ? b : NULL;
}

const char *oui_vendor(const struct oui *o, const uint8_t mac[6])
{
	uint64_t address = 0;

	if (!o || (mac[0] & 3))
		return NULL;
	for (size_t i = 0; i < 6; i++)
		address = address << 8 | mac[i];
	for (uint8_t digits = DIGITS_MOST; digits >= DIGITS_LEAST; digits--) {
		const struct block *b = find(o, address, digits);
		if (b)
			return o->names.data[b->name] ? o->names.data + b->name : NULL;
	}
	return NULL;
}

size_t oui_count(const struct oui *o)
{
	return o ? o->count : 0;
}

uint64_t oui_fingerprint(const struct oui *o)
{
	uint64_t h = 0;

	for (size_t i = 0; o && i < o->count; i++) {
		const struct block *b = &o->blocks[i];
		const char *name = o->names.data + b->name;
		h = XXH3_64bits_withSeed(&b->first, sizeof(b->first), h + b->digits);
		h = XXH3_64bits_withSeed(name, strlen(name), h);
	}
	return h;
}
