/* SPDX-License-Identifier: Apache-2.0
 *
 * What the hospital's own DNS answers called an address, so that a flow to a
 * vendor can be known by name where no TLS handshake tells. Fixed size; the
 * oldest of a small set gives way. */
#pragma once

#include "base/ip.h"

enum { NAMES_LENGTH = 96 };

struct names;

struct names *names_create(size_t entries); /* NULL: no memory */
void names_destroy(struct names *n);        /* accepts NULL */

/* Names that are no host name, or too long, are not learnt. */
void names_learn(struct names *n, const struct ip_addr *ip, const char *name);
/* Borrowed until the next names_learn; NULL when not known. */
const char *names_find(const struct names *n, const struct ip_addr *ip);
