/* SPDX-License-Identifier: Apache-2.0
 *
 * Who announces an address, and where: AS number, its holder and country, from
 * any MaxMind databases (.mmdb). libmaxminddb's header appears in geo.c only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct geo;

enum { GEO_ORGANISATION = 64 };

struct geo_result {
	uint32_t asn;                        /* 0: not known */
	char country[3];                     /* ISO 3166-1 alpha-2, or empty */
	char organisation[GEO_ORGANISATION]; /* printable ASCII, cut to fit; or empty */
};

/* Opens all databases, in order of precedence: each fact comes from the first
 * that has it, whatever kind it is. n may be 0. The files are mapped, not read:
 * to update one, rename a new file over it and open again. NULL with `why` (one
 * sentence that names file, cause and remedy) when one cannot be used. */
struct geo *geo_open(const char *const *paths, size_t n, char why[256]);
void geo_close(struct geo *g); /* accepts NULL */

/* Fills all of `out`; g may be NULL: then nothing is known. Does not allocate;
 * may be called from several threads at once. */
void geo_lookup(const struct geo *g, const struct ip_addr *ip, struct geo_result *out);

/* Name and version of the library. */
const char *geo_library(void);
