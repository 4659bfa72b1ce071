/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/asset_feed.h"

#include <stdlib.h>
#include <string.h>

#include "assets/roles.h"
#include "base/log.h"

struct oui *feed_vendors(const struct sensor_config *c)
{
	char why[256] = "";
	struct oui *o = c->assets ? oui_load(c->oui ? c->oui : "/usr/share/ieee-data", why) : NULL;

	if (c->assets && !o)
		log_info("makers of network cards are not known: %s; the package ieee-data has "
			 "the lists",
			 why);
	return o;
}

static bool is_outside(const struct site *site, const char *segment)
{
	return segment == site_segment(site, site_segment_count(site) - 1)->name;
}

/* --- flows --- */

/* What a frame holds besides its own addresses; other tunnels' packets have none. */
static bool has_inner_macs(const struct flow *f)
{
	size_t n = flow_tunnel_count(f);

	if (!n)
		return true;
	switch (f->trail->tunnels[n - 1].type) {
	case TUNNEL_ERSPAN1:
	case TUNNEL_ERSPAN2:
	case TUNNEL_ERSPAN3:
	case TUNNEL_VXLAN:
	case TUNNEL_GENEVE:
		return true;
	default:
		return false;
	}
}

/* The hop where an end's packets came from its own link; false: not known. */
static bool own_hop(const struct flow *f, unsigned side, struct flow_hop *out)
{
	if (!flow_hop_count(f, side))
		return false;
	*out = flow_hop(f, side, 0);
	return ttl_is_fresh(out->ttl);
}

static bool is_group(const uint8_t mac[6])
{
	static const uint8_t none[6];
	return (mac[0] & 1) || !memcmp(mac, none, 6);
}

static struct asset *see_end(struct assets *a, const struct record_setting *setting,
			     const struct flow *f, unsigned side, const struct record_endpoint *end,
			     const struct record_flow *r)
{
	struct flow_hop hop;
	bool is_own = own_hop(f, side, &hop);
	struct asset_sighting s = {
		.realm = r->realm,
		.has_ip = true,
		.has_mac = is_own && hop.has_mac && !is_group(hop.source_mac) && has_inner_macs(f),
		.ip = end->ip,
		.segment = end->segment,
		.impact = end->impact,
		.first = r->start,
		.last = r->end,
	};

	if (site_is_local_peer(&end->ip) || is_outside(setting->site, end->segment))
		return NULL;
	if (s.has_mac)
		memcpy(s.mac, hop.source_mac, 6);
	return assets_see(a, &s);
}

/* A name may be a person's: only its class is kept. */
static void note_name(struct assets *a, struct asset *h, const char *name, const char *from,
		      struct usec time)
{
	const char *class = host_name_class(name);

	if (!class)
		return;
	asset_hint(a, h, "name_class", class, CONFIDENCE_LOW, from, time);
	asset_role(a, h, class, CONFIDENCE_LOW, from);
}

static bool is_kept(const struct field *field, const char *text)
{
	return (field->type == FIELD_TEXT || field->type == FIELD_TEXTS) &&
	       strcmp(text, "invalid") != 0;
}

static void note_text(struct assets *a, struct asset *h, const struct field *field,
		      const char *text, struct usec time)
{
	if (!is_kept(field, text))
		return;
	if (field->grammar == GRAMMAR_HOSTNAME)
		note_name(a, h, text, field->name, time);
	else
		asset_fact(a, h, field->name, text, time);
}

static void note_attributes(struct assets *a, struct asset *h, const struct attributes *list,
			    enum field_about about, const struct record_flow *r)
{
	for (size_t i = 0; list && i < list->count; i++) {
		const struct field *field = list->values[i].field;
		if (field->about == about && fact_holds(r, field->name))
			note_text(a, h, field,
				  field->type == FIELD_TEXT || field->type == FIELD_TEXTS
					  ? attribute_text(list, &list->values[i])
					  : "invalid",
				  r->end);
	}
}

static void note_roles(struct assets *a, struct asset *h, const struct record_flow *r, bool server)
{
	struct role_guess guesses[ROLE_GUESSES];
	size_t n = roles_of_flow(r, server, guesses);

	for (size_t i = 0; i < n; i++)
		asset_role(a, h, guesses[i].role, guesses[i].confidence, guesses[i].from);
}

static void feed_end(struct assets *a, const struct record_setting *setting, const struct flow *f,
		     const struct attributes *attributes, const struct record_flow *r, bool server)
{
	unsigned side = server ? !f->client_side : f->client_side;
	const struct record_endpoint *end = server ? &r->server : &r->client;
	struct asset *h = see_end(a, setting, f, side, end, r);
	struct flow_hop hop;

	if (!h)
		return;
	const char *os = own_hop(f, side, &hop) ? os_of_ttl(hop.ttl) : NULL;
	if (os)
		asset_hint(a, h, "os", os, CONFIDENCE_LOW, "ip.ttl", r->end);
	const char *name = hostnames_find(setting->names, &end->ip);
	if (name)
		note_name(a, h, name, "dns.answer", r->end);
	note_roles(a, h, r, server);
	note_attributes(a, h, attributes, server ? ABOUT_SERVER : ABOUT_CLIENT, r);
}

void feed_flow(struct assets *a, const struct record_setting *setting, const struct flow *f,
	       const struct attributes *attributes, const struct record_flow *r)
{
	if (r->packets_to_server)
		feed_end(a, setting, f, attributes, r, false);
	if (r->packets_to_client)
		feed_end(a, setting, f, attributes, r, true);
}

/* --- facts --- */

static struct asset *see_subject(struct assets *a, const struct record_setting *setting,
				 const struct host_fact *f)
{
	struct asset_sighting s = {
		.realm = setting->realms->names[f->realm],
		.has_ip = f->has_ip && !site_is_local_peer(&f->ip),
		.has_mac = f->has_mac && f->own_mac,
		.ip = f->ip,
		.first = f->time,
		.last = f->time,
	};

	if (!s.has_ip && !s.has_mac)
		return NULL;
	memcpy(s.mac, f->mac, 6);
	if (!s.has_ip) {
		memset(&s.ip, 0, sizeof(s.ip));
		return assets_see(a, &s);
	}
	const struct segment *at = site_locate(setting->site, &f->ip, s.has_mac ? f->vlan : 0,
					       s.has_mac ? f->mac : NULL);
	s.segment = at->name;
	s.impact = at->impact;
	return is_outside(setting->site, at->name) ? NULL : assets_see(a, &s);
}

void feed_fact(struct assets *a, const struct record_setting *setting, const struct host_fact *f)
{
	char text[DISSECT_FACT_TEXT + 1];
	struct asset *h = see_subject(a, setting, f);

	if (!h)
		return;
	size_t n = f->said->length < DISSECT_FACT_TEXT ? f->said->length : DISSECT_FACT_TEXT;
	memcpy(text, f->said->text, n);
	text[n] = '\0';
	note_text(a, h, f->said->field, text, f->time);
}

/* --- another site --- */

static void place(void *context, const struct ip_addr *ip, const uint8_t *mac, const char **segment,
		  enum impact *impact)
{
	const struct segment *s = site_locate(context, ip, 0, mac);

	*segment = s->name;
	*impact = s->impact;
}

void feed_places(struct assets *a, const struct site *site)
{
	assets_place(a, place, (void *)(uintptr_t)site);
}
