/* SPDX-License-Identifier: Apache-2.0 */
#include "site/revision.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

/* Kind and length come before content, so that no two trees sound alike. */
static void add_head(struct sha256_ctx *hash, char kind, size_t length)
{
	char head[24];
	int n = snprintf(head, sizeof(head), "%c%zu:", kind, length);

	sha256_update(hash, (size_t)n, (const uint8_t *)head);
}

static void add(struct sha256_ctx *hash, const struct yaml_node *n)
{
	const char *text = yaml_text(n);
	size_t count = yaml_count(n);

	switch (yaml_kind(n)) {
	case YAML_ABSENT:
		add_head(hash, 'a', 0);
		break;
	case YAML_TEXT:
		add_head(hash, 't', strlen(text));
		sha256_update(hash, strlen(text), (const uint8_t *)text);
		break;
	case YAML_LIST:
		add_head(hash, 'l', count);
		for (size_t i = 0; i < count; i++)
			add(hash, yaml_element(n, i));
		break;
	case YAML_MAP:
		add_head(hash, 'm', count);
		for (size_t i = 0; i < count; i++) {
			add(hash, yaml_key_at(n, i));
			add(hash, yaml_value_at(n, i));
		}
		break;
	}
}

void revision_of(const struct yaml_node *root, char out[17])
{
	struct sha256_ctx hash;
	uint8_t digest[8];

	sha256_init(&hash);
	add(&hash, root);
	sha256_digest(&hash, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + i * 2, 3, "%02x", digest[i]);
}
