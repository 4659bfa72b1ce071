/* SPDX-License-Identifier: Apache-2.0
 *
 * Community ID version 1, seed 0: a name for a flow that other tools compute
 * alike (github.com/corelight/community-id-spec). */
#pragma once

#include "base/ip.h"

enum { COMMUNITY_ID_TEXT = 31 }; /* bytes, NUL included */

/* The same for both directions. For ICMP and ICMPv6 the ports are the type and
 * the code; protocols without ports ignore them. Returns `out`. */
char *community_id(uint8_t protocol, const struct ip_addr *source, const struct ip_addr *dest,
		   uint16_t source_port, uint16_t dest_port, char out[COMMUNITY_ID_TEXT]);

/* Whether a record's addresses, protocol and ports are all it takes: for all but ICMP and
 * ICMPv6, whose records say one type and code of a conversation that has two. */
bool community_id_is_implied(uint8_t protocol);

/* The ICMP or ICMPv6 type that answers this one, or that it answers; -1 where there
 * is none. A flow key with (type, counterpart) for ports is Community ID's own. */
int community_id_counterpart(uint8_t protocol, uint16_t type);
