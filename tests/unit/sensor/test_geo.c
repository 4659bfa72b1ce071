/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "sensor/geo.h"

static char folder[] = "/tmp/vigie-geo-XXXXXX";
static char tsv[64], both[64], second[64];

static void write_bytes(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(bytes, 1, n, f), n);
	cr_assert_eq(fclose(f), 0);
}

/* Makes a database from rows with the project's own script. */
static void make(const char *path, const char *rows)
{
	const char *source = getenv("VIGIE_SOURCE");
	char command[512];

	cr_assert_not_null(source, "VIGIE_SOURCE names the source folder; meson sets it");
	write_bytes(tsv, rows, strlen(rows));
	snprintf(command, sizeof(command), "perl '%s/pcaps/make-mmdb.pl' %s %s", source, tsv, path);
	cr_assert_eq(system(command), 0, "needs libmaxmind-db-writer-perl");
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(tsv, sizeof(tsv), "%s/rows.tsv", folder);
	snprintf(both, sizeof(both), "%s/both.mmdb", folder);
	snprintf(second, sizeof(second), "%s/second.mmdb", folder);
	make(both, "# prefix, as-number, organisation, country\n"
		   "203.0.113.0/24\t64500\tAcme Imaging SA\tFR\n"
		   "198.51.100.0/25\t64501\t\t\n"
		   "198.51.100.128/25\t\t\tDE\n"
		   "2001:db8::/32\t4200000001\tSoci\xc3\xa9t\xc3\xa9 d'\xc3\x89nergie\tCH\n");
}

static void tear_down(void)
{
	unlink(tsv);
	unlink(both);
	unlink(second);
	rmdir(folder);
}

TestSuite(geo, .init = set_up, .fini = tear_down);

static struct geo_result look_up(const struct geo *g, const char *address)
{
	struct geo_result r;
	struct ip_addr ip;

	cr_assert(ip_parse(address, &ip));
	memset(&r, 0x55, sizeof(r));
	geo_lookup(g, &ip, &r);
	return r;
}

static void expect(const struct geo *g, const char *address, uint32_t asn, const char *country,
		   const char *organisation)
{
	struct geo_result r = look_up(g, address);

	cr_assert_eq(r.asn, asn, "%s: %u", address, r.asn);
	cr_assert_str_eq(r.country, country, "%s", address);
	cr_assert_str_eq(r.organisation, organisation, "%s", address);
}

Test(geo, one_database)
{
	const char *paths[] = { both };
	char why[256] = "";
	struct geo *g = geo_open(paths, 1, why);

	cr_assert_not_null(g, "%s", why);
	expect(g, "203.0.113.9", 64500, "FR", "Acme Imaging SA");
	expect(g, "198.51.100.1", 64501, "", "");
	expect(g, "198.51.100.200", 0, "DE", "");
	expect(g, "2001:db8::9", 4200000001, "CH", "Soci?t? d'?nergie");
	expect(g, "192.0.2.1", 0, "", "");
	expect(g, "2001:db9::1", 0, "", "");
	geo_close(g);
}

Test(geo, facts_come_from_the_first_that_has_them)
{
	const char *paths[] = { both, second };
	char why[256] = "";

	make(second, "198.51.100.0/24\t64999\tOther\tIT\n192.0.2.0/24\t64502\tThird\tES\n");
	struct geo *g = geo_open(paths, 2, why);
	cr_assert_not_null(g, "%s", why);
	expect(g, "198.51.100.1", 64501, "IT", "Other");
	expect(g, "198.51.100.200", 64999, "DE", "Other");
	expect(g, "192.0.2.1", 64502, "ES", "Third");
	geo_close(g);
}

Test(geo, a_long_name_is_cut)
{
	const char *paths[] = { both };
	char row[256], name[101], why[256] = "";

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(row, sizeof(row), "192.0.2.0/24\t1\t%s\tFR\n", name);
	make(both, row);
	struct geo *g = geo_open(paths, 1, why);
	cr_assert_not_null(g, "%s", why);
	struct geo_result r = look_up(g, "192.0.2.1");
	cr_assert_eq(strlen(r.organisation), GEO_ORGANISATION - 1);
	geo_close(g);
}

Test(geo, nothing_is_known_without_databases)
{
	char why[256] = "";
	struct geo *g = geo_open(NULL, 0, why);

	cr_assert_not_null(g, "%s", why);
	expect(g, "203.0.113.9", 0, "", "");
	expect(NULL, "203.0.113.9", 0, "", "");
	geo_close(g);
	geo_close(NULL);
}

Test(geo, what_cannot_be_opened_is_explained)
{
	const char *missing[] = { both, "/nonexistent/x.mmdb" }, *wrong[] = { tsv };
	char why[256] = "";

	cr_assert_null(geo_open(missing, 2, why));
	cr_assert_str_eq(why, "cannot open the database /nonexistent/x.mmdb: No such file or "
			      "directory; give the path of a readable .mmdb file");
	cr_assert_null(geo_open(wrong, 1, why));
	cr_assert(strstr(why, tsv) && strstr(why, "not a usable MaxMind database"), "%s", why);
}

/* Cut anywhere, or with any one byte changed: an explanation, or some answer
 * within the bounds of its types. */
Test(geo, damaged_databases)
{
	struct buf content = { 0 };
	const char *paths[] = { second };
	size_t opened = 0;

	cr_assert_eq(file_read(both, 1 << 20, &content), 0);
	for (size_t i = 0; i < 2 * content.len; i += 3) {
		char why[256] = "";
		size_t at = i % content.len;
		bool cut = i >= content.len;

		content.data[at] ^= (char)0xff;
		write_bytes(second, content.data, cut ? at : content.len);
		content.data[at] ^= (char)0xff;
		struct geo *g = geo_open(paths, 1, why);
		opened += g != NULL;
		cr_assert(g || why[0]);
		struct geo_result r = look_up(g, "203.0.113.9");
		cr_assert_lt(strlen(r.organisation), (size_t)GEO_ORGANISATION);
		geo_close(g);
	}
	cr_assert(opened > 0 && opened < 2 * content.len);
	buf_finish(&content);
}
