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

struct hostnames {
	size_t sets;
	uint64_t learnt;
	hostnames_tell *tell;
	void *context;
	struct entry entries[];
};

struct hostnames *hostnames_create(size_t entries)
{
	size_t sets = 1;

	while (sets * WAYS < entries)
		sets *= 2;
	struct hostnames *n = calloc(1, sizeof(*n) + sets * WAYS * sizeof(n->entries[0]));
	if (n)
		n->sets = sets;
	return n;
}

void hostnames_destroy(struct hostnames *n)
{
	free(n);
}

static size_t set_of(const struct hostnames *n, const struct ip_addr *ip)
{
	return (XXH3_64bits(ip->bytes, sizeof(ip->bytes)) & (n->sets - 1)) * WAYS;
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
	struct entry *set = n->entries + set_of(n, ip), *place = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].learnt && !ip_compare(&set[i].ip, ip)) {
			place = &set[i];
			break;
		}
		if (set[i].learnt < place->learnt)
			place = &set[i];
	}
	place->ip = *ip;
	place->learnt = ++n->learnt;
	for (size_t i = 0; i <= length; i++)
		place->name[i] = (char)tolower((unsigned char)name[i]);
}

const char *hostnames_find(const struct hostnames *n, const struct ip_addr *ip)
{
	const struct entry *set = n->entries + set_of(n, ip);

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].learnt && !ip_compare(&set[i].ip, ip))
			return set[i].name;
	return NULL;
}
