/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/reload.h"

#include <stddef.h>
#include <string.h>

enum kind { TEXT, NUMBER, FLAG };

/* Keys with one value each that are settled at the start: memory is reserved, files
 * are open and rights are gone by then. */
static const struct fixed {
	const char *key;
	enum kind kind;
	size_t offset;
} fixed[] = {
#define FIXED(key, kind, member) \
	{ \
		key, kind, offsetof(struct sensor_config, member) \
	}
	FIXED("sensor", TEXT, sensor),
	FIXED("user", TEXT, user),
	FIXED("spool.dir", TEXT, spool_dir),
	FIXED("spool.max", NUMBER, spool_max),
	FIXED("spool.segment", NUMBER, spool_segment),
	FIXED("spool.sync", FLAG, spool_sync),
	FIXED("flows.table", NUMBER, flows),
	FIXED("flows.dissection", NUMBER, contexts),
	FIXED("flows.reassembly", NUMBER, buffers),
	FIXED("flows.fragments", NUMBER, fragments),
	FIXED("flows.alerts", NUMBER, alerts),
	FIXED("flows.events", NUMBER, events),
	FIXED("flows.names", NUMBER, names),
	FIXED("dissectors.off", NUMBER, dissectors_off),
	FIXED("assets.enabled", FLAG, assets),
	FIXED("assets.hosts", NUMBER, hosts),
	FIXED("assets.oui", TEXT, oui),
	FIXED("dpi.enabled", FLAG, dpi),
	FIXED("dpi.flows", NUMBER, dpi_flows),
	FIXED("dpi.memory", NUMBER, dpi_memory),
	FIXED("dpi.thorough", FLAG, dpi_thorough),
	FIXED("capture.ring", NUMBER, ring),
	FIXED("capture.workers", NUMBER, workers),
	FIXED("capture.timestamps", FLAG, hardware_stamps),
	FIXED("capture.snaplen", NUMBER, snaplen),
	FIXED("capture.filter", TEXT, filter),
	FIXED("capture.promiscuous", FLAG, promiscuous),
	FIXED("shed.enabled", FLAG, shed.enabled),
	FIXED("shed.least", NUMBER, shed.least),
	FIXED("shed.urgent", NUMBER, shed.urgent),
	FIXED("shed.quiet", NUMBER, shed.quiet),
	FIXED("shed.singles", NUMBER, shed.singles),
	FIXED("shed.high.ring", NUMBER, shed.high.ring),
	FIXED("shed.high.queue", NUMBER, shed.high.queue),
	FIXED("shed.high.spool", NUMBER, shed.high.spool),
	FIXED("shed.high.lag", NUMBER, shed.high.lag),
	FIXED("shed.low.ring", NUMBER, shed.low.ring),
	FIXED("shed.low.queue", NUMBER, shed.low.queue),
	FIXED("shed.low.spool", NUMBER, shed.low.spool),
	FIXED("shed.low.lag", NUMBER, shed.low.lag),
	FIXED("status.enabled", FLAG, status),
	FIXED("status.socket", TEXT, status_socket),
#undef FIXED
};

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_list(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
	bool same = a_count == b_count;

	for (size_t i = 0; same && i < a_count; i++)
		same = same_text(a[i], b[i]);
	return same;
}

static bool same_realms(const struct realms *a, const struct realms *b)
{
	bool same = a->vni_count == b->vni_count &&
		    same_list(a->names, a->count, b->names, b->count) &&
		    !memcmp(a->of_vlan, b->of_vlan, sizeof(a->of_vlan));

	for (size_t i = 0; same && i < a->vni_count; i++)
		same = a->vnis[i].vni == b->vnis[i].vni && a->vnis[i].realm == b->vnis[i].realm;
	return same;
}

static bool same(const struct fixed *f, const struct sensor_config *a,
		 const struct sensor_config *b)
{
	const void *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;

	switch (f->kind) {
	case TEXT:
		return same_text(*(const char *const *)x, *(const char *const *)y);
	case NUMBER:
		return *(const uint64_t *)x == *(const uint64_t *)y;
	case FLAG:
	default:
		return *(const bool *)x == *(const bool *)y;
	}
}

static size_t tell(struct buf *out, const char *key)
{
	buf_format(out, "%s has changed; it takes effect when the sensor is started again\n", key);
	return 1;
}

size_t reload_fixed(const struct sensor_config *a, const struct sensor_config *b, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (!same(&fixed[i], a, b))
			n += tell(out, fixed[i].key);
	if (!same_list(a->interfaces, a->interface_count, b->interfaces, b->interface_count))
		n += tell(out, "capture.interfaces");
	if (!same_realms(&a->realms, &b->realms))
		n += tell(out, "realms");
	return n;
}

static void name(struct buf *out, bool differs, const char *what)
{
	if (differs)
		buf_format(out, "%s%s", out->len ? ", " : "", what);
}

void reload_changes(const struct sensor_config *a, const struct sensor_config *b, struct buf *out)
{
	const struct flow_timeouts *s = &a->timeouts, *t = &b->timeouts;
	bool timeouts = s->tcp_idle.v != t->tcp_idle.v || s->udp_idle.v != t->udp_idle.v ||
			s->other_idle.v != t->other_idle.v || s->closed.v != t->closed.v ||
			s->handshake.v != t->handshake.v || s->active.v != t->active.v;

	name(out, !same_text(a->site, b->site), "site");
	name(out, !same_text(a->exercise, b->exercise), "exercise");
	name(out, timeouts, "timeouts");
	name(out, a->dedup != b->dedup, "capture.dedup");
	name(out,
	     !same_list((const char *const *)a->geo, a->geo_count, (const char *const *)b->geo,
			b->geo_count),
	     "geo.databases");
}

static size_t folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash - path) : 0;
}

static bool same_folder(const char *a, const char *b)
{
	return a && folder_of(a) == folder_of(b) && !strncmp(a, b, folder_of(b));
}

static bool is_known(const struct sensor_config *started, const char *path)
{
	bool known = !path || same_folder(started->path, path) || same_folder(started->site, path);

	for (size_t i = 0; !known && i < started->geo_count; i++)
		known = same_folder(started->geo[i], path);
	return known;
}

bool reload_is_elsewhere(const struct sensor_config *started, const struct sensor_config *fresh)
{
	bool known = is_known(started, fresh->site);

	for (size_t i = 0; known && i < fresh->geo_count; i++)
		known = is_known(started, fresh->geo[i]);
	return !known;
}
