/* SPDX-License-Identifier: Apache-2.0
 *
 * Who made the network card: the IEEE registries of address blocks, as CSV files, such
 * as Debian's package ieee-data has them (/usr/share/ieee-data): oui.csv (MA-L, 24 bits),
 * mam.csv (MA-M, 28 bits), oui36.csv (MA-S, 36 bits) and iab.csv (its predecessor).
 * Each line is Registry,Assignment,Organization Name,Address. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct oui;

/* Reads what is there of the four files. NULL with `why` when there is none, or no
 * memory. To be called before the sandbox closes. */
struct oui *oui_load(const char *dir, char why[256]);
/* The same from the bytes of one file; NULL: nothing in them, or no memory. */
struct oui *oui_parse(const void *bytes, size_t n);
void oui_free(struct oui *o); /* accepts NULL */

/* The organisation that the longest matching block belongs to. NULL when it is not known,
 * keeps its name private, or the address is not one of a registry at all (locally
 * administered, multicast), and for a NULL `o`. At most 63 bytes of clean UTF-8. */
const char *oui_vendor(const struct oui *o, const uint8_t mac[6]);

size_t oui_count(const struct oui *o); /* blocks; 0 for NULL */
/* Of all that was read; the same for the same lists. 0 for NULL. */
uint64_t oui_fingerprint(const struct oui *o);
