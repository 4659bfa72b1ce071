/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "sensor/realm.h"

enum { LAB = 1, VLAN = 700, VNI = 5000 };

static struct realms realms;

static void begin(void)
{
	realms_init(&realms);
	realms.names[LAB] = "lab";
	realms.count = 2;
	realms.of_vlan[VLAN] = LAB;
	realms.vnis[0].vni = VNI;
	realms.vnis[0].realm = LAB;
	realms.vni_count = 1;
}

TestSuite(realm, .init = begin);

static uint16_t of_tunnel(enum tunnel_type type, uint32_t id)
{
	struct packet p = { .tunnels = { { type, id } }, .tunnel_count = 1 };
	return realm_of(&realms, &p);
}

Test(realm, the_innermost_tag_names_it)
{
	struct packet p = { .vlans = { 12, VLAN }, .vlan_count = 2 };

	cr_expect_eq(realm_of(&realms, &p), LAB);
	p.vlan_count = 1;
	cr_expect_eq(realm_of(&realms, &p), 0);
}

Test(realm, only_overlays_and_mirrors_have_network_identifiers)
{
	cr_expect_eq(of_tunnel(TUNNEL_VXLAN, VNI), LAB);
	cr_expect_eq(of_tunnel(TUNNEL_GENEVE, VNI), LAB);
	cr_expect_eq(of_tunnel(TUNNEL_ERSPAN3, VNI), LAB, "a mirror's session");
	cr_expect_eq(of_tunnel(TUNNEL_VXLAN, VNI + 1), 0);
	cr_expect_eq(of_tunnel(TUNNEL_GRE, VNI), 0, "a GRE key of that value is none");
	cr_expect_eq(of_tunnel(TUNNEL_GTPU, VNI), 0, "nor is a TEID");
}
