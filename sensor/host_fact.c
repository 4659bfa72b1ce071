/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/host_fact.h"

#include <string.h>

#include "sensor/flow_record.h"

static void set_mac(struct host_fact *to, const uint8_t mac[6], bool own)
{
	static const uint8_t none[6];

	memcpy(to->mac, mac, 6);
	to->has_mac = !(mac[0] & 1) && memcmp(mac, none, 6) != 0;
	to->own_mac = own && to->has_mac;
}

/* Unspecified, broadcast or multicast. */
static bool is_no_host(const struct ip_addr *ip)
{
	static const struct ip_addr none;

	if (ip_is_v4(ip))
		return ip->bytes[12] == 0 || ip->bytes[12] >= 0xe0;
	return ip->bytes[0] == 0xff || ip_compare(ip, &none) == 0;
}

static void set_ip(struct host_fact *to, const struct ip_addr *ip)
{
	to->ip = *ip;
	to->has_ip = !is_no_host(ip);
}

/* A frame that is not IP has no addresses but its MAC's. */
static void set_subject(struct host_fact *to, const struct packet *p, bool is_frame)
{
	const struct dissect_fact *said = to->said;

	switch (said->subject) {
	case FACT_SENDER:
		if (!is_frame)
			set_ip(to, &p->source);
		if (p->has_mac)
			set_mac(to, p->source_mac, is_frame || ttl_is_fresh(p->ttl));
		break;
	case FACT_RECEIVER:
		if (!is_frame)
			set_ip(to, &p->dest);
		if (p->has_mac)
			set_mac(to, p->dest_mac, is_frame);
		break;
	case FACT_IP_AND_MAC:
		set_mac(to, said->mac, true);
		set_ip(to, &said->ip);
		break;
	case FACT_IP:
		set_ip(to, &said->ip);
		break;
	case FACT_MAC:
		set_mac(to, said->mac, true);
		break;
	}
}

bool host_fact_of(struct host_fact *out, const struct dissect_fact *said, const struct packet *p,
		  bool is_frame, uint16_t realm)
{
	*out = (struct host_fact){
		.said = said,
		.realm = realm,
		.vlan = p->vlan_count ? p->vlans[p->vlan_count - 1] & 0xfff : 0,
		.time = p->time,
	};
	set_subject(out, p, is_frame);
	/* A broadcast's MAC is not that of a host, whoever's address stands beside it. */
	return out->has_ip || out->has_mac;
}
