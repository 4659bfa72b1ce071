/* SPDX-License-Identifier: Apache-2.0 */
#include "hospital.h"

#include <string.h>

#include "site/reader.h"

static void revise(const char *text, char out[SITE_REVISION])
{
	struct problems problems = { 0 };
	struct site *s = site_read("f.yaml", text, strlen(text), hospital_now, &problems, NULL);

	cr_assert_not_null(s, "%s: %s", text, problems.count ? problems.list[0].text : "");
	memcpy(out, site_revision(s), SITE_REVISION);
	site_free(s);
	problems_finish(&problems);
}

static bool same(const char *a, const char *b)
{
	char x[SITE_REVISION], y[SITE_REVISION];

	revise(a, x);
	revise(b, y);
	return !strcmp(x, y);
}

static const char plain[] = "site: chu\n"
			    "segments:\n"
			    "  - {name: icu, impact: life-critical, match: {vlans: [20, 21]}}\n";

Test(revision, is_sixteen_hex_digits)
{
	char revision[SITE_REVISION];

	revise(plain, revision);
	cr_assert_eq(strlen(revision), 16);
	cr_assert_eq(strspn(revision, "0123456789abcdef"), 16);
}

Test(revision, is_of_the_content_not_of_its_looks)
{
	cr_assert(same(plain, "# ours\n"
			      "site: 'chu'\n\n"
			      "segments:\n"
			      "- name: icu   # the unit\n"
			      "  impact: \"life-critical\"\n"
			      "  match:\n"
			      "    vlans:\n"
			      "    - 20\n"
			      "    - 21\n"));
}

Test(revision, changes_with_every_word)
{
	cr_assert_not(same(plain,
			   "site: chv\n"
			   "segments:\n"
			   "  - {name: icu, impact: life-critical, match: {vlans: [20, 21]}}\n"));
	cr_assert_not(same(plain,
			   "site: chu\n"
			   "segments:\n"
			   "  - {name: icu, impact: care-critical, match: {vlans: [20, 21]}}\n"));
	cr_assert_not(same(plain,
			   "site: chu\n"
			   "segments:\n"
			   "  - {name: icu, impact: life-critical, match: {vlans: [2021]}}\n"));
	cr_assert_not(same(plain,
			   "site: chu\n"
			   "segments:\n"
			   "  - {name: icu, impact: life-critical, match: {vlans: [20, 21]}}\n"
			   "vendors:\n"));
}
