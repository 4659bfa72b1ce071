/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/realm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema/wire.h"

void realms_init(struct realms *r)
{
	memset(r, 0, sizeof(*r));
	r->names[0] = "default";
	r->count = 1;
}

static bool number(const struct yaml_node *n, uint64_t least, uint64_t most, uint64_t *out)
{
	const char *text = yaml_text(n);
	char *end;

	errno = 0;
	*out = text ? strtoull(text, &end, 10) : 0;
	if (!text || errno || !*text || *end || *text == '-' || *out < least || *out > most) {
		yaml_problem(n, "is no number from %llu to %llu", (unsigned long long)least,
			     (unsigned long long)most);
		return false;
	}
	return true;
}

static bool is_list(const struct yaml_node *n, const char *key)
{
	if (yaml_kind(n) == YAML_LIST || yaml_kind(n) == YAML_ABSENT)
		return true;
	yaml_problem(n, "%s is no list; write %s: [20, 21]", key, key);
	return false;
}

static bool name_is_good(const struct realms *r, const struct yaml_node *n, const char *name)
{
	if (!wire_sensor_name_is_valid(name)) {
		yaml_problem(n, "is no realm's name; use 1 to 63 letters, digits, '.', '_' or '-'");
		return false;
	}
	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(r->names[i], name)) {
			yaml_problem(n, "realm %s is there twice; keep one of them", name);
			return false;
		}
	return true;
}

static void read_vlans(struct realms *r, const struct yaml_node *list, uint8_t realm)
{
	for (size_t i = 0; is_list(list, "vlans") && i < yaml_count(list); i++) {
		const struct yaml_node *n = yaml_element(list, i);
		uint64_t vlan;
		if (!number(n, 1, 4094, &vlan))
			continue;
		if (r->of_vlan[vlan])
			yaml_problem(n, "VLAN %u is in realm %s already; name it once",
				     (unsigned)vlan, r->names[r->of_vlan[vlan]]);
		r->of_vlan[vlan] = realm;
	}
}

static void read_vnis(struct realms *r, const struct yaml_node *list, uint8_t realm)
{
	for (size_t i = 0; is_list(list, "vnis") && i < yaml_count(list); i++) {
		const struct yaml_node *n = yaml_element(list, i);
		uint64_t vni;
		if (!number(n, 1, 0xffffff, &vni))
			continue;
		if (r->vni_count == REALM_VNIS) {
			yaml_problem(n, "there are more than %d virtual networks in realms",
				     REALM_VNIS);
			return;
		}
		r->vnis[r->vni_count].vni = (uint32_t)vni;
		r->vnis[r->vni_count++].realm = realm;
	}
}

void realms_read(struct realms *r, const struct yaml_node *list)
{
	static const char *const keys[] = { "name", "vlans", "vnis", NULL };

	if (list && yaml_kind(list) != YAML_LIST) {
		yaml_problem(list, "realms is no list; write one {name, vlans, vnis} per realm");
		return;
	}
	for (size_t i = 0; i < yaml_count(list); i++) {
		const struct yaml_node *n = yaml_element(list, i);
		const char *name = NULL;
		yaml_only_keys(n, "a realm", keys);
		if (!yaml_read_text(n, "name", &name) || !name ||
		    !wire_sensor_name_is_valid(name)) {
			yaml_problem(n, "this realm has no name of 1 to 63 letters, digits, '.', "
					"'_' or '-'; give it one");
			continue;
		}
		if (!name_is_good(r, yaml_get(n, "name"), name))
			continue;
		if (r->count == REALM_MOST) {
			yaml_problem(n, "there are more than %d realms", REALM_MOST - 1);
			return;
		}
		r->names[r->count] = name;
		read_vlans(r, yaml_get(n, "vlans"), (uint8_t)r->count);
		read_vnis(r, yaml_get(n, "vnis"), (uint8_t)r->count);
		r->count++;
	}
}

static bool has_vni(const struct tunnel *t, uint32_t vni)
{
	bool has_one = t->type == TUNNEL_VXLAN || t->type == TUNNEL_GENEVE ||
		       t->type == TUNNEL_ERSPAN2 || t->type == TUNNEL_ERSPAN3;

	return has_one && t->id == vni;
}

uint16_t realm_of(const struct realms *r, const struct packet *p)
{
	if (r->count == 1)
		return 0;
	for (size_t i = 0; i < r->vni_count; i++)
		for (size_t k = 0; k < p->tunnel_count; k++)
			if (has_vni(&p->tunnels[k], r->vnis[i].vni))
				return r->vnis[i].realm;
	/* The outer tag is the provider's; the inner one is nearest to the host. */
	return p->vlan_count ? r->of_vlan[p->vlans[p->vlan_count - 1] & 0xfff] : 0;
}
