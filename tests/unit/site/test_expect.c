/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "site/reader.h"

static struct site *read(const char *text)
{
	struct problems problems = { 0 };
	struct site *s = site_read("t", text, strlen(text), (struct usec){ 0 }, &problems, NULL);

	cr_assert(s, "%s", problems.count ? problems.list[0].text : "");
	problems_finish(&problems);
	return s;
}

#define SEGMENTS \
	"site: t\n" \
	"segments:\n" \
	"  - {name: icu, impact: life-critical, match: {prefixes: [10.20.0.0/16]}}\n" \
	"  - {name: building, impact: operational, match: {prefixes: [10.70.0.0/16]}}\n"

static struct ip_addr ip(const char *text)
{
	struct ip_addr a;

	cr_assert(ip_parse(text, &a));
	return a;
}

Test(expect, says_what_was_declared)
{
	struct site *s = read(SEGMENTS "expect:\n"
				       "  learn: 0s\n"
				       "  ae_titles: [PACS, CT 1]\n"
				       "  hl7_senders: [\"LAB^SITE\", HIS]\n"
				       "  bulk_images: 7\n"
				       "  building: [building]\n"
				       "  resolvers: [10.20.0.53, 10.70.0.0/24]\n");
	const struct expectations *e = site_expectations(s);

	cr_expect_eq(e->learn.v, 0);
	cr_expect_eq(e->bulk_images, 7u);
	cr_expect(expected_has(&e->ae_titles, "PACS") && expected_has(&e->ae_titles, "CT 1"));
	cr_expect(!expected_has(&e->ae_titles, "CT"));
	cr_expect(expected_has(&e->hl7_senders, "HIS") &&
		  expected_has(&e->hl7_senders, "LAB^SITE"));
	cr_expect(!expected_has(&e->hl7_types, "ADT"));
	struct ip_addr in = ip("10.20.0.53"), out = ip("10.20.0.54");
	cr_expect(site_expects_resolver(s, &in) && !site_expects_resolver(s, &out));
	cr_expect(site_expects_control_from(s, site_segment_named(s, "building")));
	cr_expect(!site_expects_control_from(s, site_segment_named(s, "icu")));
	site_free(s);
}

Test(expect, nothing_said_is_nothing_declared)
{
	struct site *s = read(SEGMENTS);
	const struct expectations *e = site_expectations(s);

	cr_expect_eq(e->learn.v, INT64_C(86400) * USEC_PER_SECOND);
	cr_expect_eq(e->ae_titles.count + e->hl7_senders.count + e->resolver_count +
			     e->building_count,
		     0u);
	site_free(s);
}
