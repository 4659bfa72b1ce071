/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/geo.h"

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct geo {
	size_t count;
	MMDB_s databases[];
};

/* Where databases keep a fact: MaxMind's and DB-IP's keys, then IPinfo's. */
static const char *const asn_at[][3] = {
	{ "autonomous_system_number" },
	{ "asn" },
	{ NULL },
};
static const char *const organisation_at[][3] = {
	{ "autonomous_system_organization" },
	{ "as_name" },
	{ NULL },
};
static const char *const country_at[][3] = {
	{ "country", "iso_code" },
	{ "registered_country", "iso_code" },
	{ "country_code" },
	{ "country" },
	{ NULL },
};

static void explain(const char *path, int status, int error, char why[256])
{
	if (status == MMDB_FILE_OPEN_ERROR)
		snprintf(why, 256,
			 "cannot open the database %.120s: %s; give the path of a readable "
			 ".mmdb file",
			 path, strerror(error));
	else if (status == MMDB_OUT_OF_MEMORY_ERROR)
		snprintf(why, 256, "not enough memory to open the database %.120s", path);
	else
		snprintf(why, 256,
			 "%.120s is not a usable MaxMind database: it is damaged, cut short or "
			 "of another format; fetch it again",
			 path);
}

struct geo *geo_open(const char *const *paths, size_t n, char why[256])
{
	struct geo *g = calloc(1, sizeof(*g) + n * sizeof(g->databases[0]));

	if (!g) {
		snprintf(why, 256, "not enough memory to open the databases");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		errno = 0;
		int status = MMDB_open(paths[i], MMDB_MODE_MMAP, &g->databases[i]);
		if (status != MMDB_SUCCESS) {
			explain(paths[i], status, errno, why);
			geo_close(g);
			return NULL;
		}
		g->count++;
	}
	return g;
}

void geo_close(struct geo *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->count; i++)
		MMDB_close(&g->databases[i]);
	free(g);
}

static bool find(const MMDB_s *db, const struct ip_addr *ip, MMDB_entry_s *entry)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *address = (const struct sockaddr *)&v6;
	int error;

	if (ip_is_v4(ip)) {
		memcpy(&v4.sin_addr, ip->bytes + 12, 4);
		address = (const struct sockaddr *)&v4;
	} else {
		memcpy(&v6.sin6_addr, ip->bytes, 16);
	}
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(db, address, &error);
	*entry = found.entry;
	return error == MMDB_SUCCESS && found.found_entry;
}

static bool value_at(MMDB_entry_s *entry, const char *const *path, MMDB_entry_data_s *value)
{
	return MMDB_aget_value(entry, value, path) == MMDB_SUCCESS && value->has_data;
}

/* "AS64500" or "64500", not NUL-terminated. */
static uint32_t number_of(const char *text, size_t n)
{
	char digits[16] = "";

	if (n >= 2 && memcmp(text, "AS", 2) == 0) {
		text += 2;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(digits))
		return 0;
	memcpy(digits, text, n);
	char *end;
	unsigned long v = strtoul(digits, &end, 10);
	return *end || v > UINT32_MAX ? 0 : (uint32_t)v;
}

static uint32_t read_asn(const MMDB_entry_data_s *value)
{
	switch (value->type) {
	case MMDB_DATA_TYPE_UINT16:
		return value->uint16;
	case MMDB_DATA_TYPE_UINT32:
		return value->uint32;
	case MMDB_DATA_TYPE_UTF8_STRING:
		return number_of(value->utf8_string, value->data_size);
	default:
		return 0;
	}
}

/* Text leaves the sensor, so it is held to printable ASCII: '?' for each
 * character beyond. */
static void read_organisation(const MMDB_entry_data_s *value, char out[GEO_ORGANISATION])
{
	size_t used = 0;

	if (value->type != MMDB_DATA_TYPE_UTF8_STRING)
		return;
	for (size_t i = 0; i < value->data_size && used < GEO_ORGANISATION - 1; i++) {
		uint8_t c = (uint8_t)value->utf8_string[i];
		if ((c & 0xc0) != 0x80)
			out[used++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	out[used] = '\0';
}

static void read_country(const MMDB_entry_data_s *value, char out[3])
{
	if (value->type != MMDB_DATA_TYPE_UTF8_STRING || value->data_size != 2)
		return;
	for (size_t i = 0; i < 2; i++)
		if (value->utf8_string[i] < 'A' || value->utf8_string[i] > 'Z')
			return;
	memcpy(out, value->utf8_string, 2);
}

/* Adds what is not known yet. */
static void read_entry(MMDB_entry_s *entry, struct geo_result *out)
{
	MMDB_entry_data_s value;

	for (size_t i = 0; !out->asn && asn_at[i][0]; i++)
		if (value_at(entry, asn_at[i], &value))
			out->asn = read_asn(&value);
	for (size_t i = 0; !out->organisation[0] && organisation_at[i][0]; i++)
		if (value_at(entry, organisation_at[i], &value))
			read_organisation(&value, out->organisation);
	for (size_t i = 0; !out->country[0] && country_at[i][0]; i++)
		if (value_at(entry, country_at[i], &value))
			read_country(&value, out->country);
}

void geo_lookup(const struct geo *g, const struct ip_addr *ip, struct geo_result *out)
{
	MMDB_entry_s entry;

	*out = (struct geo_result){ 0 };
	for (size_t i = 0; g && i < g->count; i++)
		if (find(&g->databases[i], ip, &entry))
			read_entry(&entry, out);
}

const char *geo_library(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "libmaxminddb %s", MMDB_lib_version());
	return text;
}
