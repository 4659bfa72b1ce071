/* SPDX-License-Identifier: Apache-2.0
 *
 * The status document in words. JSON is YAML, too, so what reads configurations
 * reads it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml.h"
#include "schema/counters.h"
#include "sensor/status_client.h"

static const char *text(const struct yaml_node *map, const char *key)
{
	const char *t = yaml_text(yaml_get(map, key));
	return t ? t : "";
}

static uint64_t number(const struct yaml_node *map, const char *key)
{
	return strtoull(text(map, key), NULL, 10);
}

static double real(const struct yaml_node *map, const char *key)
{
	return strtod(text(map, key), NULL);
}

/* 1,234,567 */
static const char *grouped(uint64_t v, char out[32])
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, v), k = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out[k++] = ',';
		out[k++] = digits[i];
	}
	out[k] = '\0';
	return out;
}

static const char *bytes(uint64_t v, char out[32])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double d = (double)v / 1024;
	size_t unit = 0;

	if (v < 1024) {
		snprintf(out, 32, "%" PRIu64 " bytes", v);
		return out;
	}
	for (; d >= 1024 && unit < 3; unit++)
		d /= 1024;
	snprintf(out, 32, "%.1f %s", d, units[unit]);
	return out;
}

static const char *span(uint64_t s, char out[32])
{
	if (s < 120)
		snprintf(out, 32, "%" PRIu64 " s", s);
	else if (s < 7200)
		snprintf(out, 32, "%" PRIu64 " min", s / 60);
	else if (s < 172800)
		snprintf(out, 32, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	else
		snprintf(out, 32, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
	return out;
}

static void put_head(const struct yaml_node *root, struct buf *out)
{
	char t[32];

	buf_format(out, "%s  %s, up %s, site %s\n", text(root, "sensor"), text(root, "version"),
		   span(number(root, "uptime_s"), t), text(root, "site_revision"));
	if (*text(root, "exercise"))
		buf_format(out, "exercise %s: every record is marked so\n", text(root, "exercise"));
}

static void put_interface(const struct yaml_node *n, struct buf *out)
{
	const struct yaml_node *drops = yaml_get(n, "drops"), *ring = yaml_get(n, "ring");
	uint64_t size = number(ring, "bytes");
	char a[32], b[32], c[32], d[32], used[16] = "";

	if (yaml_get(ring, "used") && size)
		snprintf(used, sizeof(used), " %3.0f %%",
			 100 * (double)number(ring, "used") / (double)size);
	buf_format(out, "%-15s %-5s %14s %12s %12s %10s%s\n", text(n, "name"), text(n, "state"),
		   grouped(number(n, "packets"), a), grouped(number(drops, "kernel"), b),
		   grouped(number(drops, "interface"), c), bytes(size, d), used);
}

static void put_interfaces(const struct yaml_node *list, struct buf *out)
{
	buf_format(out, "\n%-15s %-5s %14s %12s %12s %10s %5s\n", "INTERFACE", "STATE", "PACKETS",
		   "LOST: KERNEL", "LOST: DEVICE", "RING", "USED");
	for (size_t i = 0; i < yaml_count(list); i++)
		put_interface(yaml_element(list, i), out);
}

static void put_rate(const struct yaml_node *rates, const char *key, const char *title,
		     struct buf *out)
{
	const struct yaml_node *n = yaml_get(rates, key);
	char a[32], b[32];

	if (!n)
		return;
	buf_format(out, "%-15s %20s %12.3f %12s\n", title,
		   grouped((uint64_t)(real(n, "packets") + 0.5), a), real(n, "bits") / 1e6,
		   grouped((uint64_t)(real(n, "flows") + 0.5), b));
}

static void put_rates(const struct yaml_node *rates, struct buf *out)
{
	if (!yaml_count(rates))
		return;
	buf_format(out, "\n%-15s %20s %12s %12s\n", "RATE", "PACKETS/S", "MBIT/S", "NEW FLOWS/S");
	put_rate(rates, "second", "last second", out);
	put_rate(rates, "minute", "last minute", out);
}

static void put_workers(const struct yaml_node *list, struct buf *out)
{
	uint64_t most = 0;

	for (size_t i = 0; i < yaml_count(list); i++) {
		uint64_t shed = number(yaml_element(list, i), "shed");
		most = shed > most ? shed : most;
	}
	if (most == 0)
		buf_text(out, "shed      nothing\n");
	for (size_t i = 0; most && i < yaml_count(list); i++)
		buf_format(out, "shed      worker %zu: level %" PRIu64 "\n", i,
			   number(yaml_element(list, i), "shed"));
}

static void put_tables(const struct yaml_node *root, struct buf *out)
{
	const struct yaml_node *flows = yaml_get(root, "flows"), *memory = yaml_get(root, "memory");
	char a[32], b[32];

	buf_format(out, "\nflows     %s open, room for %s\n", grouped(number(flows, "open"), a),
		   grouped(number(flows, "table"), b));
	buf_format(out, "memory    %s", bytes(number(memory, "rss"), a));
	buf_format(out, ", of it nDPI %s\n", bytes(number(memory, "dpi"), b));
	put_workers(yaml_get(root, "workers"), out);
}

static void put_destination(const struct yaml_node *n, struct buf *out)
{
	uint64_t left = number(n, "waiting_bytes"), seconds = number(n, "waiting_s");
	char a[32], b[32];

	buf_format(out, "          %s: ", text(n, "name"));
	if (!yaml_get(n, "waiting_bytes"))
		buf_text(out, "its position may not be read by the sensor\n");
	else if (!left)
		buf_text(out, "all is acknowledged\n");
	else if (!seconds)
		buf_format(out, "%s not yet acknowledged\n", bytes(left, a));
	else
		buf_format(out, "%s not yet acknowledged, the oldest for %s or more\n",
			   bytes(left, a), span(seconds, b));
}

static void put_spool(const struct yaml_node *n, struct buf *out)
{
	const struct yaml_node *list = yaml_get(n, "destinations");
	char a[32];

	if (!n)
		return;
	buf_format(out, "spool     %s%s\n", bytes(number(n, "bytes"), a),
		   yaml_count(list) ? "" : "; no destination has acknowledged anything yet");
	for (size_t i = 0; i < yaml_count(list); i++)
		put_destination(yaml_element(list, i), out);
}

static const char *meaning_of(const char *name)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		if (!strcmp(counter_infos[i].name, name))
			return counter_infos[i].meaning;
	return ""; /* of another version */
}

static void put_counters(const struct yaml_node *map, struct buf *out)
{
	char a[32];

	buf_text(out, "\nCOUNTER                                SINCE START\n");
	for (size_t i = 0; i < yaml_count(map); i++) {
		const char *name = yaml_text(yaml_key_at(map, i));
		const char *value = yaml_text(yaml_value_at(map, i));
		buf_format(out, "%-26s %23s  %s\n", name ? name : "",
			   grouped(strtoull(value ? value : "", NULL, 10), a),
			   meaning_of(name ? name : ""));
	}
}

bool status_view(const char *document, size_t n, struct buf *out)
{
	struct problems problems = { 0 };
	struct yaml *y = yaml_parse("status", document, n, &problems);
	const struct yaml_node *root = y ? yaml_root(y) : NULL;
	bool good = root && !strcmp(text(root, "type"), "status");

	if (good) {
		put_head(root, out);
		put_interfaces(yaml_get(root, "interfaces"), out);
		put_rates(yaml_get(root, "rates"), out);
		put_tables(root, out);
		put_spool(yaml_get(root, "spool"), out);
		put_counters(yaml_get(root, "counters"), out);
	}
	yaml_close(y);
	problems_finish(&problems);
	return good && !out->failed;
}
