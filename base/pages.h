/* SPDX-License-Identifier: Apache-2.0
 *
 * Zeroed memory for large tables. It costs nothing until it is touched, and
 * comes in large pages where the system has them: a table that is looked up at
 * random places then misses the processor's page tables far less often. */
#pragma once

#include <stddef.h>

void *pages_map(size_t n);           /* NULL: no memory */
void pages_unmap(void *p, size_t n); /* accepts NULL */
