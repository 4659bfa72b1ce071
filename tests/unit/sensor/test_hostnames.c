/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/hostnames.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { ENTRIES = 64, MANY = 1000 };

static struct ip_addr address(unsigned i)
{
	return ip_from_v4((uint8_t[]){ 10, 0, (uint8_t)(i >> 8), (uint8_t)i });
}

static void name_of(unsigned i, char out[32])
{
	snprintf(out, 32, "host-%u.example", i);
}

Test(hostnames, are_found_by_address)
{
	struct hostnames *n = hostnames_create(ENTRIES);
	struct ip_addr ip = address(1), other = address(2);

	cr_assert_null(hostnames_find(n, &ip), "nothing was learnt");
	hostnames_learn(n, &ip, "PACS.Example");
	cr_assert_str_eq(hostnames_find(n, &ip), "pacs.example");
	cr_assert_null(hostnames_find(n, &other));
	hostnames_learn(n, &ip, "ris.example");
	cr_assert_str_eq(hostnames_find(n, &ip), "ris.example", "the newest name counts");
	hostnames_destroy(n);
}

Test(hostnames, what_is_no_name_is_not_learnt)
{
	struct hostnames *n = hostnames_create(ENTRIES);
	struct ip_addr ip = address(1);
	char longest[HOSTNAMES_LENGTH + 1];

	memset(longest, 'a', HOSTNAMES_LENGTH);
	longest[HOSTNAMES_LENGTH] = '\0';
	longest[40] = '.';
	hostnames_learn(n, &ip, "no name");
	hostnames_learn(n, &ip, longest);
	cr_assert_null(hostnames_find(n, &ip));
	hostnames_learn(n, &ip, longest + 1);
	cr_assert_str_eq(hostnames_find(n, &ip), longest + 1);
	hostnames_destroy(n);
}

/* What is found is right, the last ones are there, and no more than there is room for. */
Test(hostnames, older_ones_give_way)
{
	struct hostnames *n = hostnames_create(ENTRIES);
	char name[32];
	size_t found = 0;

	for (unsigned i = 0; i < MANY; i++) {
		struct ip_addr ip = address(i);
		name_of(i, name);
		hostnames_learn(n, &ip, name);
		cr_assert_str_eq(hostnames_find(n, &ip), name);
	}
	for (unsigned i = 0; i < MANY; i++) {
		struct ip_addr ip = address(i);
		const char *text = hostnames_find(n, &ip);
		name_of(i, name);
		cr_assert(!text || !strcmp(text, name));
		found += text != NULL;
	}
	cr_assert_eq(found, ENTRIES);
	hostnames_destroy(n);
}
