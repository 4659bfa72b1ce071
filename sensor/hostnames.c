/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/hostnames.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "schema/attributes.h"

enum { WAYS = 4 };

struct entry {
	struct ip_addr ip;
	uint64_t learnt; /* order of learning; 0: free */
	char name[HOSTNAMES_LENGTH];
};

/* Of each entry a piece of its hash, so that who is not known costs no look at entries;
 * 0: free. */
struct tags {
	uint16_t of[WAYS];
};

struct hostnames {
	size_t sets;
	uint64_t learnt;
	hostnames_tell *tell;
	void *context;
	struct tags *tags;
	struct entry entries[];
};

struct hostnames *hostnames_create(size_t entries)
{
	size_t sets = 1;

	while (sets * WAYS < entries)
		sets *= 2;
	struct hostnames *n = calloc(1, sizeof(*n) + sets * WAYS * sizeof(n->entries[0]));
	if (!n)
		return NULL;
	n->sets = sets;
	n->tags = calloc(sets, sizeof(*n->tags));
	if (n->tags)
		return n;
	free(n);
	return NULL;
}

void hostnames_destroy(struct hostnames *n)
{
	if (!n)
		return;
	free(n->tags);
	free(n);
}

struct place {
	size_t set;
	uint16_t tag;
};

static struct place place_of(const struct hostnames *n, const struct ip_addr *ip)
{
	uint64_t hash = XXH3_64bits(ip->bytes, sizeof(ip->bytes));

	return (struct place){ hash & (n->sets - 1), (uint16_t)(hash >> 48 | 1) };
}

void hostnames_listen(struct hostnames *n, hostnames_tell *tell, void *context)
{
	n->tell = tell;
	n->context = context;
}

void hostnames_learn(struct hostnames *n, const struct ip_addr *ip, const char *name)
{
	hostnames_hear(n, ip, name);
	if (n->tell)
		n->tell(n->context, ip, name);
}

void hostnames_hear(struct hostnames *n, const struct ip_addr *ip, const char *name)
{
	size_t length = strlen(name);

	if (length >= HOSTNAMES_LENGTH || !grammar_accepts(GRAMMAR_HOSTNAME, name, length))
		return;
	struct place at = place_of(n, ip);
	struct entry *set = n->entries + at.set * WAYS;
	size_t way = 0;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].learnt && ip_equal(&set[i].ip, ip)) {
			way = i;
			break;
		}
		if (set[i].learnt < set[way].learnt)
			way = i;
	}
	n->tags[at.set].of[way] = at.tag;
	set[way].ip = *ip;
	set[way].learnt = ++n->learnt;
	for (size_t i = 0; i <= length; i++)
		set[way].name[i] = (char)tolower((unsigned char)name[i]);
}

const char *hostnames_find(const struct hostnames *n, const struct ip_addr *ip)
{
	if (!n->learnt)
		return NULL;
	struct place at = place_of(n, ip);
	for (size_t i = 0; i < WAYS; i++) {
		const struct entry *e = &n->entries[at.set * WAYS + i];
		if (n->tags[at.set].of[i] == at.tag && ip_equal(&e->ip, ip))
			return e->name;
	}
	return NULL;
}
