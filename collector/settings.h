/* SPDX-License-Identifier: Apache-2.0
 *
 * collector.yaml (vigie-collector(8) lists the keys). */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "collector/store.h"
#include "config/yaml.h"

struct settings {
	const char *user;    /* to become, or NULL */
	const char *address; /* listen.address */
	uint64_t port;
	const char *certificate, *key, *ca; /* tls; absolute or from the working folder */
	struct store_options store;
	uint64_t body, queue, connections; /* limits */
	struct arena memory;               /* holds the texts */
};

/* Reads a file; every mistake goes to `problems`. False when there is one. */
bool settings_read(const char *path, struct settings *out, struct problems *problems);
void settings_finish(struct settings *s);
