/* SPDX-License-Identifier: Apache-2.0
 *
 * The section `services`, and the lists of services that rules and vendors name. */
#include "site/reader.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "tcp/22", "udp/5000-5010". */
static bool parse_ports(const char *text, struct port_range *out)
{
	char word[8] = "", rest;
	unsigned first, last;
	const char *slash = strchr(text, '/');

	if (!slash || (size_t)(slash - text) >= sizeof(word) || !strlen(slash + 1) ||
	    strspn(slash + 1, "0123456789-") != strlen(slash + 1) || strlen(slash) > 12)
		return false;
	memcpy(word, text, (size_t)(slash - text));
	int parts = sscanf(slash + 1, "%5u-%5u%c", &first, &last, &rest);
	if (parts == 1 && !strchr(slash, '-'))
		last = first;
	else if (parts != 2)
		return false;
	int protocol = protocol_of(word);
	bool has_ports =
		protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
	if (!has_ports || first < 1 || last > UINT16_MAX || first > last)
		return false;
	*out = (struct port_range){ (uint8_t)protocol, (uint16_t)first, (uint16_t)last };
	return true;
}

static void read_ports(struct reader *r, const struct yaml_node *map, struct service *out)
{
	size_t n = list_length(map, "ports", "[tcp/22, udp/53]");
	const struct yaml_node *list = yaml_get(map, "ports");

	out->ports = take_memory(r, n, sizeof(*out->ports));
	for (size_t i = 0; i < n && out->ports; i++) {
		const char *text = item_text(list, i, "a port");
		if (text && parse_ports(text, &out->ports[out->port_count]))
			out->port_count++;
		else if (text)
			yaml_problem(
				yaml_element(list, i),
				"port \"%.64s\" cannot be; tcp/22, udp/53 or tcp/5000-5010 would "
				"be right",
				text);
	}
}

static bool check_app(const struct yaml_node *at, const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

	if (!text[n] && n <= 63)
		return true;
	yaml_problem(at,
		     "app \"%.64s\" cannot be; a name in lower case as vigie-sensor -L lists "
		     "them would be right",
		     text);
	return false;
}

static void read_apps(struct reader *r, const struct yaml_node *map, struct service *out)
{
	size_t n = list_length(map, "apps", "[dicom]");
	const struct yaml_node *list = yaml_get(map, "apps");

	out->apps = take_memory(r, n, sizeof(*out->apps));
	for (size_t i = 0; i < n && out->apps; i++) {
		const char *text = item_text(list, i, "an app");
		if (!text || !check_app(yaml_element(list, i), text))
			continue;
		const char *correction = app_correction(text);
		if (correction)
			note_finding(r, yaml_element(list, i),
				     "no app is known by the name \"%s\"; \"%s\" would be right",
				     text, correction);
		const char *kept = keep_text(r, text);
		if (kept)
			out->apps[out->app_count++] = kept;
	}
}

static void read_service(struct reader *r, const struct yaml_node *key, const struct yaml_node *map,
			 struct service *out)
{
	static const char *const keys[] = { "apps", "ports", NULL };
	const char *name = yaml_text(key);

	if (!check_name(key, name, "a service's name"))
		return;
	if (!strcmp(name, "any")) {
		yaml_problem(key,
			     "a service cannot be called \"any\", which means all of them; choose "
			     "another name");
		return;
	}
	out->name = keep_text(r, name);
	if (out->name)
		names_add(r, &r->services, out->name, key, (size_t)(out - r->site->services));
	if (yaml_kind(map) == YAML_MAP)
		yaml_only_keys(map, "a service", keys);
	read_apps(r, map, out);
	read_ports(r, map, out);
	if (!yaml_count(yaml_get(map, "apps")) && !yaml_count(yaml_get(map, "ports")))
		yaml_problem(
			key,
			"service \"%s\" has neither apps nor ports; {apps: [dicom]} or {ports: "
			"[tcp/104]} would be right",
			name);
}

void read_services(struct reader *r, const struct yaml_node *root)
{
	struct site *s = r->site;
	const struct yaml_node *map = yaml_get(root, "services");
	size_t count = yaml_kind(map) == YAML_MAP ? yaml_count(map) : 0;

	if (yaml_kind(map) != YAML_MAP && yaml_kind(map) != YAML_ABSENT)
		yaml_problem(map, "services is no map; \"dicom: {apps: [dicom]}\" would be right");
	/* The first one is not declared by anybody: `any`. */
	s->services = take_memory(r, count + 1, sizeof(*s->services));
	if (!s->services)
		return;
	s->service_count = count + 1;
	s->services[0] = (struct service){ .name = "any", .any = true };
	for (size_t i = 0; i < count; i++)
		read_service(r, yaml_key_at(map, i), yaml_value_at(map, i), &s->services[i + 1]);
	names_sort(&r->services, "service", "give each its own name");
}

static const struct service *find_service(struct reader *r, const struct yaml_node *at,
					  const char *name)
{
	const struct name *found = names_find(&r->services, name);

	if (found)
		return &r->site->services[found->index];
	if (!strcmp(name, "any"))
		return r->site->services;
	names_note_unknown(r, &r->services, at, name, "service");
	return NULL;
}

void read_service_names(struct reader *r, const struct yaml_node *map, const char *what,
			bool needed, struct service_list *out)
{
	const struct yaml_node *list = yaml_get(map, "services");
	size_t n = list_length(map, "services", "[dicom]");
	bool absent = yaml_kind(list) == YAML_ABSENT || (yaml_kind(list) == YAML_LIST && !n);

	if (needed && absent)
		yaml_problem(map,
			     "%s has no services; \"services: [dicom]\" would be right, or [any] "
			     "to allow all",
			     what);
	out->list = take_memory(r, n, sizeof(*out->list));
	for (size_t i = 0; i < n && out->list; i++) {
		const char *name = item_text(list, i, "a service");
		const struct service *found =
			name ? find_service(r, yaml_element(list, i), name) : NULL;
		if (found)
			out->list[out->count++] = found;
	}
}

static bool has_port(const struct service *service, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < service->port_count; i++) {
		const struct port_range *p = &service->ports[i];
		if (p->protocol == protocol && p->first <= port && port <= p->last)
			return true;
	}
	return false;
}

bool service_matches(const struct service *service, const char *app, uint8_t protocol,
		     uint16_t port)
{
	if (service->any)
		return true;
	if (!app || !service->app_count)
		return has_port(service, protocol, port);
	for (size_t i = 0; i < service->app_count; i++)
		if (!strcmp(service->apps[i], app))
			return true;
	return false;
}

bool services_match(const struct service_list *services, const char *app, uint8_t protocol,
		    uint16_t port)
{
	for (size_t i = 0; i < services->count; i++)
		if (service_matches(services->list[i], app, protocol, port))
			return true;
	return false;
}
