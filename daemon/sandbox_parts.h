/* SPDX-License-Identifier: Apache-2.0
 *
 * The sandbox from inside: its two halves. */
#pragma once

#include "daemon/sandbox.h"

/* Files, by Landlock. 0, also where the kernel cannot: then the log says what is
 * lost. Needs no_new_privs. */
int landlock_enter(const struct sandbox *s, char why[256]);

/* System calls, by seccomp. Last: what Landlock needs is refused afterwards. */
int filter_enter(const struct sandbox *s, char why[256]);
