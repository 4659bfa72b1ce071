/* SPDX-License-Identifier: Apache-2.0
 *
 * What the hospital's own DNS answers called an address, so that a flow to a
 * vendor can be known by name where no TLS handshake tells. Fixed size; the
 * oldest of a small set gives way. */
#pragma once

#include "base/ip.h"

enum { HOSTNAMES_LENGTH = 96 };

struct hostnames;

struct hostnames *hostnames_create(size_t entries); /* NULL: no memory */
void hostnames_destroy(struct hostnames *n);        /* accepts NULL */

/* Names that are no host name, or too long, are not learnt. */
void hostnames_learn(struct hostnames *n, const struct ip_addr *ip, const char *name);
/* Borrowed until the next hostnames_learn; NULL when not known. */
const char *hostnames_find(const struct hostnames *n, const struct ip_addr *ip);
