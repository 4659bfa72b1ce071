/* SPDX-License-Identifier: Apache-2.0
 *
 * What was seen before: a number for each of a bounded set of keys. When there is
 * no room, what was not asked for longest gives way. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory;

struct memory *memory_create(size_t entries); /* rounded up to a power of two; NULL: no memory */
void memory_destroy(struct memory *m);        /* accepts NULL */

/* The number of a key, which is 0 for a new one; `forgot` says that another one
 * gave way to it. The place holds until the next call. */
uint64_t *memory_of(struct memory *m, uint64_t key, bool *forgot);
