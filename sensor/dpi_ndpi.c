/* SPDX-License-Identifier: Apache-2.0
 *
 * Written for nDPI 4.2 (Debian 12) and for the interface as it changed up to
 * 6.0; `AT_LEAST` marks where. */
#include "sensor/dpi.h"

#include <assert.h>
#include <ctype.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ndpi_api.h>

#include "base/cursor.h"
#include "sensor/dpi_names.h"

#define AT_LEAST(major, minor) \
	(NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

enum { APP_MOST = 24 };

/* What a protocol number of this library is called. */
struct label {
	const char *app; /* NULL: not believed */
	bool generic;    /* no row of ours: depends on the category */
	char text[APP_MOST];
};

struct dpi {
	struct ndpi_detection_module_struct *module;
	struct label *labels; /* by protocol number */
	size_t label_count;
	bool thorough;
	uint8_t *flows; /* the pool */
	size_t stride;
	size_t slots;
	int *idle; /* stack of slots that are free */
	size_t idle_count;
	bool *busy;
};

/* The library's allocator hooks are the process's: one level for all. */
static atomic_uint_fast64_t held;

static void *count_malloc(size_t n)
{
	void *p = malloc(n);

	atomic_fetch_add(&held, malloc_usable_size(p));
	return p;
}

static void count_free(void *p)
{
	atomic_fetch_sub(&held, malloc_usable_size(p));
	free(p);
}

#if AT_LEAST(5, 0)
static void *count_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	atomic_fetch_add(&held, malloc_usable_size(p));
	return p;
}

static void *count_realloc(void *old, size_t n)
{
	size_t before = malloc_usable_size(old);
	void *p = realloc(old, n);

	if (p)
		atomic_fetch_add(&held, malloc_usable_size(p) - before);
	return p;
}

static void *count_aligned(size_t alignment, size_t n)
{
	void *p = NULL;

	if (posix_memalign(&p, alignment, n))
		return NULL;
	atomic_fetch_add(&held, malloc_usable_size(p));
	return p;
}

static void install_hooks(void)
{
	ndpi_set_memory_alloction_functions(count_malloc, count_free, count_calloc, count_realloc,
					    count_aligned, count_free, count_malloc, count_free);
}
#else
static void install_hooks(void)
{
	set_ndpi_malloc(count_malloc);
	set_ndpi_free(count_free);
}
#endif

uint64_t dpi_memory(void)
{
	return atomic_load(&held);
}

const char *dpi_version(void)
{
	static char text[48];

	snprintf(text, sizeof(text), "nDPI %s", ndpi_revision());
	return text;
}

static struct ndpi_detection_module_struct *create_module(void)
{
#if AT_LEAST(6, 0)
	struct ndpi_detection_module_struct *m =
		ndpi_init_detection_module(NULL, NDPI_LICENSE_NOT_FOR_PROFIT_LGPL);
#elif AT_LEAST(4, 10)
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(NULL);
#else
	/* Tor is known by address only, which counts for nothing here. */
	struct ndpi_detection_module_struct *m =
		ndpi_init_detection_module(ndpi_dont_load_tor_hosts);
#endif
	return m;
}

static size_t protocol_count(struct ndpi_detection_module_struct *m)
{
#if AT_LEAST(5, 0)
	return ndpi_get_num_protocols(m);
#else
	return ndpi_get_num_supported_protocols(m);
#endif
}

/* [a-z0-9-]: letters folded, all else a hyphen. */
static void fold(const char *name, char out[APP_MOST])
{
	size_t n = 0;

	for (; *name && n < APP_MOST - 1; name++)
		out[n++] =
			isalnum((unsigned char)*name) ? (char)tolower((unsigned char)*name) : '-';
	out[n] = '\0';
}

static void name_label(struct label *l, const char *theirs)
{
	static const struct {
		const char *theirs, *ours;
	} names[] = {
#define ROW(theirs, ours) { theirs, ours },
		DPI_NAMES(ROW)
#undef ROW
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcasecmp(names[i].theirs, theirs)) {
			l->app = names[i].ours;
			return;
		}
	}
	fold(theirs, l->text);
	l->app = l->text;
	l->generic = true;
}

static bool name_labels(struct dpi *d)
{
	d->label_count = protocol_count(d->module);
	d->labels = calloc(d->label_count ? d->label_count : 1, sizeof(d->labels[0]));
	if (!d->labels)
		return false;
	for (size_t i = 0; i < d->label_count; i++) {
		const char *theirs = ndpi_get_proto_name(d->module, (uint16_t)i);
		if (theirs && i != NDPI_PROTOCOL_UNKNOWN)
			name_label(&d->labels[i], theirs);
	}
	return true;
}

/* Categories in which a name is that of a protocol; in the others (web, social
 * network, video ...) it is most often a brand. */
static bool is_technical(ndpi_protocol_category_t category)
{
	switch (category) {
	case NDPI_PROTOCOL_CATEGORY_VPN:
	case NDPI_PROTOCOL_CATEGORY_DATABASE:
	case NDPI_PROTOCOL_CATEGORY_REMOTE_ACCESS:
	case NDPI_PROTOCOL_CATEGORY_NETWORK:
	case NDPI_PROTOCOL_CATEGORY_RPC:
	case NDPI_PROTOCOL_CATEGORY_SYSTEM_OS:
	case NDPI_PROTOCOL_CATEGORY_IOT_SCADA:
		return true;
	default:
		return false;
	}
}

/* Protocols whose tests take clinical and building traffic for their own. */
#if AT_LEAST(5, 0)
static void choose_protocols(struct dpi *d, bool thorough)
{
	static const char *const off[] = { "Cassandra", "AJP", "Skype_Teams" };

	/* A name that this release does not know is no loss: dpi_names.h holds. */
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		(void)ndpi_set_config(d->module, off[i], "enable", "0");
	(void)thorough;
}
#else
/* A name of our own table is not searched for in vain: where it is not believed it still
 * keeps others from taking the flow for theirs. A brand does neither. */
static bool is_brand(const struct dpi *d, size_t number)
{
	const ndpi_proto_defaults_t *defaults = ndpi_get_proto_defaults(d->module);

	return d->labels[number].generic && !is_technical(defaults[number].protoCategory);
}

static void choose_protocols(struct dpi *d, bool thorough)
{
	NDPI_PROTOCOL_BITMASK wanted;

	NDPI_BITMASK_SET_ALL(wanted);
	NDPI_BITMASK_DEL(wanted, NDPI_PROTOCOL_CASSANDRA);
	NDPI_BITMASK_DEL(wanted, NDPI_PROTOCOL_AJP);
	NDPI_BITMASK_DEL(wanted, NDPI_PROTOCOL_SKYPE_TEAMS);
	for (size_t i = 1; !thorough && i < d->label_count; i++)
		if (is_brand(d, i))
			NDPI_BITMASK_DEL(wanted, i);
	ndpi_set_protocol_detection_bitmask2(d->module, &wanted);
}
#endif

static bool finish_module(struct dpi *d, bool thorough)
{
	choose_protocols(d, thorough);
#if AT_LEAST(4, 10)
	return ndpi_finalize_initialization(d->module) == 0;
#else
	ndpi_finalize_initialization(d->module);
	return true;
#endif
}

static bool make_pool(struct dpi *d, size_t slots)
{
	size_t align = _Alignof(max_align_t);

	d->slots = slots;
	d->stride = (sizeof(struct ndpi_flow_struct) + align - 1) / align * align;
	d->flows = calloc(slots ? slots : 1, d->stride);
	d->idle = calloc(slots ? slots : 1, sizeof(d->idle[0]));
	d->busy = calloc(slots ? slots : 1, sizeof(d->busy[0]));
	if (!d->flows || !d->idle || !d->busy)
		return false;
	for (size_t i = 0; i < slots; i++)
		d->idle[i] = (int)(slots - 1 - i);
	d->idle_count = slots;
	return true;
}

/* The flow structure is laid out by the header, and changes with each release. */
static bool library_fits(char why[256])
{
	if (ndpi_get_api_version() == NDPI_API_VERSION &&
	    ndpi_detection_get_sizeof_ndpi_flow_struct() == sizeof(struct ndpi_flow_struct))
		return true;
	snprintf(why, 256,
		 "the nDPI library found (%s) is not the one that Vigie was built with (%d.%d); "
		 "install that one, or build Vigie again",
		 ndpi_revision(), NDPI_MAJOR, NDPI_MINOR);
	return false;
}

struct dpi *dpi_create(size_t slots, bool thorough, char why[256])
{
	static atomic_flag hooked = ATOMIC_FLAG_INIT;

	if (!library_fits(why))
		return NULL;
	if (!atomic_flag_test_and_set(&hooked))
		install_hooks();
	struct dpi *d = calloc(1, sizeof(*d));
	if (d && slots <= INT32_MAX && (d->module = create_module()) && name_labels(d) &&
	    finish_module(d, thorough) && make_pool(d, slots)) {
		d->thorough = thorough;
		return d;
	}
	snprintf(why, 256, "not enough memory to inspect %zu flows at a time; lower that number",
		 slots);
	dpi_destroy(d);
	return NULL;
}

static struct ndpi_flow_struct *flow_at(const struct dpi *d, int slot)
{
	assert(slot >= 0 && (size_t)slot < d->slots && d->busy[slot]);
	return (struct ndpi_flow_struct *)(void *)(d->flows + (size_t)slot * d->stride);
}

void dpi_destroy(struct dpi *d)
{
	if (!d)
		return;
	for (size_t i = 0; d->busy && i < d->slots; i++)
		if (d->busy[i])
			dpi_flow_end(d, (int)i);
	if (d->module)
		ndpi_exit_detection_module(d->module);
	free(d->labels);
	free(d->flows);
	free(d->idle);
	free(d->busy);
	free(d);
}

/* Protocols of lines, whose tests read on and on in search of one. */
#if AT_LEAST(5, 0)
static void exclude_lines(struct ndpi_flow_struct *flow)
{
	(void)flow;
}
#else
static void exclude_lines(struct ndpi_flow_struct *flow)
{
	static const uint16_t lines[] = {
		NDPI_PROTOCOL_FTP_CONTROL, NDPI_PROTOCOL_HTTP,     NDPI_PROTOCOL_IRC,
		NDPI_PROTOCOL_MAIL_IMAP,   NDPI_PROTOCOL_MAIL_POP, NDPI_PROTOCOL_MAIL_SMTP,
		NDPI_PROTOCOL_OOKLA,       NDPI_PROTOCOL_RSYNC,    NDPI_PROTOCOL_RTSP,
		NDPI_PROTOCOL_SOAP,        NDPI_PROTOCOL_USENET,   NDPI_PROTOCOL_WHOIS_DAS,
		NDPI_PROTOCOL_JABBER,
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		NDPI_ADD_PROTOCOL_TO_BITMASK(flow->excluded_protocol_bitmask, lines[i]);
}
#endif

int dpi_flow_begin(struct dpi *d, bool binary)
{
	if (!d->idle_count)
		return -1;
	int slot = d->idle[--d->idle_count];
	d->busy[slot] = true;
	memset(flow_at(d, slot), 0, sizeof(struct ndpi_flow_struct));
	if (binary && !d->thorough)
		exclude_lines(flow_at(d, slot));
	return slot;
}

void dpi_flow_end(struct dpi *d, int slot)
{
	ndpi_free_flow_data(flow_at(d, slot));
	d->busy[slot] = false;
	d->idle[d->idle_count++] = slot;
}

struct found {
	unsigned master, app;
	ndpi_protocol_category_t category;
};

static struct found show(struct dpi *d, struct ndpi_flow_struct *flow, const uint8_t *ip,
			 uint16_t len, uint64_t ms)
{
#if AT_LEAST(4, 6)
	ndpi_protocol p = ndpi_detection_process_packet(d->module, flow, ip, len, ms, NULL);
#else
	ndpi_protocol p = ndpi_detection_process_packet(d->module, flow, ip, len, ms);
#endif
#if AT_LEAST(4, 12)
	return (struct found){ p.proto.master_protocol, p.proto.app_protocol, p.category };
#else
	return (struct found){ p.master_protocol, p.app_protocol, p.category };
#endif
}

static const char *label_of(const struct dpi *d, unsigned number, ndpi_protocol_category_t category)
{
	if (number >= d->label_count)
		return NULL;
	const struct label *l = &d->labels[number];
	return l->generic && !is_technical(category) ? NULL : l->app;
}

/* The master is the wire protocol and the app a brand, or what is said inside;
 * but NetBIOS is a session layer, which is of no interest once there is more. */
static const char *app_of(const struct dpi *d, const struct found *f)
{
	const char *app = label_of(d, f->app, f->category);
	const char *master = label_of(d, f->master, f->category);

	if (f->master == NDPI_PROTOCOL_UNKNOWN)
		return app;
	return app && master && strcmp(master, "netbios") == 0 ? app : master;
}

/* The payload of a TCP packet; empty where there is none to be found. */
static struct cursor tcp_payload(const uint8_t *ip, size_t n)
{
	struct cursor c = cursor_of(ip, n), none = { 0 };
	int first = cursor_peek(&c, 0);
	bool v4 = first >> 4 == 4;

	if (cursor_peek(&c, v4 ? 9 : 6) != 6)
		return none;
	cursor_skip(&c, v4 ? (size_t)(first & 0xf) * 4 : 40);
	int offset = cursor_peek(&c, 12);
	cursor_skip(&c, offset < 0 ? 0 : (size_t)(offset >> 4) * 4);
	return offset < 0 ? none : c;
}

/* nDPI takes pixels of a clear-text DICOM image for TLS, and is sure of it. So
 * the packet that convinced it must at least start with a TLS record. */
static bool looks_like_tls(const uint8_t *ip, size_t n)
{
	struct cursor c = tcp_payload(ip, n);
	uint8_t type = cursor_u8(&c);
	uint8_t major = cursor_u8(&c);
	uint8_t minor = cursor_u8(&c);
	uint16_t length = cursor_be16(&c);

	return !c.failed && type >= 20 && type <= 23 && major == 3 && minor <= 4 && length > 0 &&
	       length <= (1 << 14) + 2048;
}

/* RFC 4511: SEQUENCE, length, INTEGER message id. To nDPI an MQTT publication. */
static bool looks_like_ldap(const uint8_t *ip, size_t n)
{
	struct cursor c = tcp_payload(ip, n);
	uint8_t tag = cursor_u8(&c);
	uint8_t length = cursor_u8(&c);

	if (length & 0x80)
		cursor_skip(&c, length & 0x7f);
	uint8_t id = cursor_u8(&c);
	uint8_t id_length = cursor_u8(&c);
	return !c.failed && tag == 0x30 && id == 2 && id_length >= 1 && id_length <= 4;
}

/* Second thoughts on answers that are known to be wrong at times. */
static bool is_believed(const char *app, const uint8_t *ip, size_t n)
{
	if (strcmp(app, "tls") == 0)
		return looks_like_tls(ip, n);
	if (strcmp(app, "mqtt") == 0)
		return !looks_like_ldap(ip, n);
	return true;
}

bool dpi_inspect(struct dpi *d, int slot, const uint8_t *ip, size_t ip_len, uint64_t ms,
		 struct dpi_answer *out)
{
	struct ndpi_flow_struct *flow = flow_at(d, slot);
	uint16_t len = ip_len < UINT16_MAX ? (uint16_t)ip_len : UINT16_MAX;

	*out = (struct dpi_answer){ 0 };
	struct found f = show(d, flow, ip, len, ms);
	if (f.app == NDPI_PROTOCOL_UNKNOWN && f.master == NDPI_PROTOCOL_UNKNOWN)
		return false;
	/* Ports, addresses and what other flows were prove nothing. */
	if (flow->confidence != NDPI_CONFIDENCE_DPI)
		return false;
	const char *app = app_of(d, &f);
	out->app = app && is_believed(app, ip, len) ? app : NULL;
	return true;
}
