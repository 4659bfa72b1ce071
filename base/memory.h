/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine has. */
#pragma once

#include <stdint.h>

/* Bytes that can be had without swapping (/proc/meminfo, MemAvailable); 0: not known. */
uint64_t memory_available(void);

/* Bytes that this process has reserved, touched or not (/proc/self/statm); 0: not
 * known. */
uint64_t memory_reserved(void);
