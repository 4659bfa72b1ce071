/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/oui.h"

#include <endian.h>
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
	DIGITS_BITS = 4 * DIGITS_MOST, /* of a key: the block; above them its digits */
	KEY_BITS = DIGITS_BITS + 4,
	SORT_BITS = 10, /* at a time */
};

struct block {
	uint64_t key;
	uint32_t name; /* offset into the names, which lie in the order of the lists */
};

struct oui {
	struct block *blocks; /* sorted by key, then by name */
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

static unsigned digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* The first bits of an address, in 48. */
static uint64_t key_of(uint64_t first, unsigned digits)
{
	return (uint64_t)digits << DIGITS_BITS | first >> (48 - DIGITS_BITS);
}

/* The end of the digits; NULL when there are too few, or too many. */
static const uint8_t *read_key(const uint8_t *at, const uint8_t *end, uint64_t *key)
{
	uint64_t first = 0;
	unsigned n = 0;

	for (; at < end && n <= DIGITS_MOST; n++, at++) {
		unsigned digit = digit_of(*at);
		if (digit > 15)
			break;
		first = first << 4 | digit;
	}
	if (n < DIGITS_LEAST || n > DIGITS_MOST)
		return NULL;
	*key = key_of(first << (48 - 4 * n), n);
	return at;
}

/* A block that is divided further belongs to nobody, nor does one that is private: they
 * are kept without a name, so that no shorter block answers for them. */
static bool is_nobody(const void *name, size_t n)
{
	static const char private[] = "Private", divided[] = "IEEE Registration Authority";

	return (n == sizeof(private) - 1 && !memcmp(name, private, n)) ||
	       (n == sizeof(divided) - 1 && !memcmp(name, divided, n));
}

static void add_block(struct oui *o, uint64_t key, const void *name, size_t n)
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
	o->blocks[o->count++] = (struct block){ key, (uint32_t)o->names.len };
	if (is_nobody(name, n))
		n = 0;
	if (!buf_reserve(&o->names, n + 1))
		return;
	memcpy(o->names.data + o->names.len, name, n);
	o->names.data[o->names.len + n] = '\0';
	o->names.len += n + 1;
}

/* The highest bit of the first byte, of eight, that a plain field does not have: what may
 * have to be cleaned, a quote, and `stop`. Bytes after that one may be marked wrongly. */
static uint64_t odd_bytes(uint64_t bytes, uint8_t stop)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t quote = bytes ^ each * '"', other = bytes ^ each * stop;
	uint64_t odd = bytes | (bytes + each) | (~bytes & (bytes - each * ' ')) |
		       (~quote & (quote - each)) | (~other & (other - each));

	return odd & each << 7;
}

/* A name as nearly all are: there is nothing in it to be cleaned or unquoted. */
static const uint8_t *plain_name(const uint8_t *at, const uint8_t *end, size_t *n)
{
	bool quoted = at < end && *at == '"';
	uint8_t stop = quoted ? '"' : ',';
	uint64_t odd = 0;

	at += quoted;
	const uint8_t *name = at;
	while (!odd && (size_t)(end - at) > sizeof(odd)) {
		uint64_t bytes;
		memcpy(&bytes, at, sizeof(bytes));
		odd = odd_bytes(le64toh(bytes), stop);
		at += odd ? __builtin_ctzll(odd) / 8 : 8;
	}
	*n = (size_t)(at - name);
	return odd && at[0] == stop && at[quoted] == ',' && *n < NAME_MOST ? name : NULL;
}

/* A record's first three fields without a copy; false when they must be read with care. */
static bool read_plain(struct oui *o, struct cursor *c)
{
	const uint8_t *at = c->at, *end = at + cursor_left(c);
	uint64_t key;
	size_t n;

	while (at < end && *at != ',' && *at != '\n' && *at != '"')
		at++;
	if (at == end || *at != ',')
		return false;
	at = read_key(at + 1, end, &key);
	if (!at || at == end || *at != ',')
		return false;
	const uint8_t *name = plain_name(at + 1, end, &n);
	if (!name)
		return false;
	at = name + n + (name[n] == '"') + 1;
	cursor_skip(c, (size_t)(at - c->at));
	for (; n && name[0] == ' '; n--)
		name++;
	while (n && name[n - 1] == ' ')
		n--;
	add_block(o, key, name, n);
	return true;
}

static void read_any(struct oui *o, struct cursor *c)
{
	char registry[16], assignment[16], name[4 * NAME_MOST];
	uint64_t key;

	take_field(c, registry, sizeof(registry));
	take_field(c, assignment, sizeof(assignment));
	take_field(c, name, sizeof(name));
	clean(name);
	const uint8_t *digits = (const uint8_t *)assignment, *end = digits + strlen(assignment);
	if (read_key(digits, end, &key) == end)
		add_block(o, key, name, strlen(name));
}

static void read_lines(struct oui *o, struct cursor c)
{
	while (cursor_left(&c) && !o->failed) {
		if (!read_plain(o, &c))
			read_any(o, &c);
		skip_line(&c);
	}
}

/* By SORT_BITS of the key; what is equal keeps its order. */
static void sort_pass(const struct block *from, struct block *to, size_t n, unsigned shift)
{
	enum { SIZE = 1 << SORT_BITS };
	uint32_t starts[SIZE] = { 0 }, start = 0;

	for (size_t i = 0; i < n; i++)
		starts[from[i].key >> shift & (SIZE - 1)]++;
	for (size_t i = 0; i < SIZE; i++) {
		uint32_t count = starts[i];
		starts[i] = start;
		start += count;
	}
	for (size_t i = 0; i < n; i++)
		to[starts[from[i].key >> shift & (SIZE - 1)]++] = from[i];
}

static bool sort(struct oui *o)
{
	struct block *from = o->blocks, *to = malloc(o->count * sizeof(*to));

	if (!to)
		return false;
	for (unsigned shift = 0; shift < KEY_BITS; shift += SORT_BITS) {
		struct block *sorted = to;
		sort_pass(from, to, o->count, shift);
		to = from;
		from = sorted;
	}
	o->blocks = from;
	free(to);
	return true;
}

/* NULL, and `o` freed, when there is nothing in it. */
static struct oui *finish(struct oui *o)
{
	if (o->failed || o->names.failed || !o->count || !sort(o)) {
		oui_free(o);
		return NULL;
	}
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

static const struct block *find(const struct oui *o, uint64_t mac, unsigned digits)
{
	uint64_t key = key_of(mac & ~UINT64_C(0) << (48 - 4 * digits), digits);
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (o->blocks[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < o->count && o->blocks[low].key == key ? &o->blocks[low] : NULL;
}

const char *oui_vendor(const struct oui *o, const uint8_t mac[6])
{
	uint64_t address = 0;

	if (!o || (mac[0] & 3))
		return NULL;
	for (size_t i = 0; i < 6; i++)
		address = address << 8 | mac[i];
	for (unsigned digits = DIGITS_MOST; digits >= DIGITS_LEAST; digits--) {
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
		uint64_t first = b->key << (48 - DIGITS_BITS) & 0xffffffffffff;
		h = XXH3_64bits_withSeed(&first, sizeof(first), h + (b->key >> DIGITS_BITS));
		h = XXH3_64bits_withSeed(name, strlen(name), h);
	}
	return h;
}
