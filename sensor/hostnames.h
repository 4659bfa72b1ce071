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

/* `tell` is called for each name that is learnt here, so that others hear of it. */
typedef void hostnames_tell(void *context, const struct ip_addr *ip, const char *name);
void hostnames_listen(struct hostnames *n, hostnames_tell *tell, void *context);
/* Learns what was told elsewhere: not told again. */
void hostnames_hear(struct hostnames *n, const struct ip_addr *ip, const char *name);

/* Names that are no host name, or too long, are not learnt. */
void hostnames_learn(struct hostnames *n, const struct ip_addr *ip, const char *name);
/* Borrowed until the next hostnames_learn; NULL when not known. */
const char *hostnames_find(const struct hostnames *n, const struct ip_addr *ip);
