/* SPDX-License-Identifier: Apache-2.0
 *
 * Something that bytes said about a host, and which host that is. */
#pragma once

#include "dissectors/dissector.h"
#include "sensor/decode.h"

struct host_fact {
	const struct dissect_fact *said; /* its field tells the source: "dhcp.vendor_class" */
	bool has_ip, has_mac;            /* one of them at least */
	struct ip_addr ip;               /* no multicast, broadcast or unspecified one */
	uint8_t mac[6];                  /* no group address */
	/* Whether the MAC address is the host's own: of a frame that is not IP, or given by
	 * the bytes themselves, or of a sender whose packet no router has passed on. Else it
	 * may be a router's. */
	bool own_mac;
	uint16_t realm; /* number, as of struct realms */
	uint16_t vlan;  /* the innermost tag of the packet; 0: none */
	struct usec time;
};

/* Finds the subject of what was said in a packet; `is_frame`: one that is not IP. False
 * when it is no host. `out` borrows `said`. */
bool host_fact_of(struct host_fact *out, const struct dissect_fact *said, const struct packet *p,
		  bool is_frame, uint16_t realm);
