/* SPDX-License-Identifier: Apache-2.0
 *
 * What `vigie site check FILE` prints. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"

/* Appends every mistake and finding as "file:line:column: what is wrong; what
 * would be right", then one line that sums the site up. 0: nothing to mend;
 * 1: mistakes or findings; 2: the file cannot be read, or is not YAML. */
int site_check(const char *path, struct usec now, struct buf *out);
