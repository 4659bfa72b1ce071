/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asked what, when, and what came of it: one JSON object a line, in a file
 * that is only ever appended to. A question whose line cannot be written is not
 * answered. */
#pragma once

#include "collector/reply.h"

/* Opens, and creates 0640. The descriptor, or -errno. */
int audit_open(const char *path);
/* One line. 0 or -errno. From any thread. */
int audit_note(int fd, const struct request *q, const struct reply *r);
