/* SPDX-License-Identifier: Apache-2.0
 *
 * What a host's name tells of the host, as a word of a fixed list. Names themselves
 * often hold a person's and never leave; a class does. What makers' defaults look like
 * was seen in DHCP, mDNS and NetBIOS traffic; the rest is custom. A hint, no proof. */
#pragma once

#include <stddef.h>

/* The class of a name, of which the first label is looked at: "windows-default",
 * "apple", "android", "printer", "phone", "camera", "modality", "clinical", "server",
 * "network", "embedded", "workstation" or "other". NULL for an empty name. */
const char *hostname_class(const void *name, size_t n);
