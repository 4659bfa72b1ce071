/* SPDX-License-Identifier: Apache-2.0
 *
 * `vigie spool ls` and `vigie spool verify`: what they print, and their exit
 * codes: 0 done, 1 damage found, 2 there is no spool (or it cannot be read). */
#pragma once

#include "base/buf.h"

/* A table of streams, and how far each destination is. Never 1. */
int spool_list(const char *dir, struct buf *out);

/* Reads everything: one line "FILE: at OFFSET: what is wrong" per damage, then
 * the sums. The sensor and the shipper may be at work meanwhile. */
int spool_verify(const char *dir, struct buf *out);
