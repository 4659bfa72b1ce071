/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Start with crc = 0; feed the result back in to go on. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);
