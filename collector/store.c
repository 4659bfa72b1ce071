/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store.h"

#include <string.h>

#define WORD(constant, word) word,
static const char *const by_words[] = { STORE_BYS(WORD) };
static const char *const order_words[] = { STORE_ORDERS(WORD) };
#undef WORD

static int position(const char *const *words, int count, const char *word)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

const char *store_by_name(enum store_by v)
{
	return (unsigned)v < STORE_BY_COUNT ? by_words[v] : "";
}

int store_by_of(const char *word)
{
	return position(by_words, STORE_BY_COUNT, word);
}

int store_order_of(const char *word)
{
	return position(order_words, STORE_ORDER_COUNT, word);
}
