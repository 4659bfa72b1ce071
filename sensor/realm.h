/* SPDX-License-Identifier: Apache-2.0
 *
 * Realms keep overlapping address spaces apart: a realm is a set of VLANs and
 * virtual networks (VXLAN, GENEVE, ERSPAN ids) whose addresses are its own. */
#pragma once

#include "config/yaml.h"
#include "sensor/decode.h"

enum { REALM_MOST = 16, REALM_VNIS = 64 };

struct realms {
	const char *names[REALM_MOST]; /* 0 is "default" */
	size_t count;
	uint8_t of_vlan[4096];
	struct {
		uint32_t vni;
		uint8_t realm;
	} vnis[REALM_VNIS];
	size_t vni_count;
};

void realms_init(struct realms *r); /* the default alone */

/* Reads the configuration's list of {name, vlans, vnis}; texts are borrowed from
 * the file. Mistakes are noted at their place. */
void realms_read(struct realms *r, const struct yaml_node *list);

uint16_t realm_of(const struct realms *r, const struct packet *p);
