/* SPDX-License-Identifier: Apache-2.0
 *
 * A site's revision: the hash of what its file says, whatever its comments,
 * indentation and quotes. */
#pragma once

#include "config/yaml.h"

/* The first eight bytes of a SHA-256, in hex. */
void revision_of(const struct yaml_node *root, char out[17]);
