/* SPDX-License-Identifier: Apache-2.0
 *
 * `vigie-sensor status`: asks the sensor on this machine how it is. */
#pragma once

#include "base/buf.h"

/* The command; argv[0] is its name. Exit code: 0, or 2 when no sensor answers or
 * the usage is wrong. */
int status_command(int argc, char **argv);

/* Appends the document in words, for people. False when it is none. */
bool status_view(const char *document, size_t n, struct buf *out);
