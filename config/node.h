/* SPDX-License-Identifier: Apache-2.0
 *
 * How config/ keeps a file's nodes; nobody else looks inside. */
#pragma once

#include "config/yaml.h"

struct yaml {
	struct arena memory;
	struct problems *problems;
	const char *file; /* in the problems' memory, which outlives this */
	const struct yaml_node *root;
};

struct yaml_node {
	struct yaml *file;
	enum yaml_kind kind;
	unsigned line, column;
	union {
		const char *text;
		struct {
			/* A list's elements; a map's keys and values in turn. */
			const struct yaml_node *const *children;
			size_t count;
		};
	};
};
