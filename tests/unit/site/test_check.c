/* SPDX-License-Identifier: Apache-2.0
 *
 * check/NAME.yaml is checked as of 2026-06-15 noon, and check/NAME.txt is what
 * must be said of it, with the exit code in its last line. */
#include <criterion/criterion.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "site/check.h"
#include "site/reader.h"

static const struct usec noon = { 1781524800000000 };

static void compare(const char *path)
{
	struct buf said = { 0 }, expected = { 0 };
	char txt[256];

	snprintf(txt, sizeof(txt), "%.*s.txt", (int)(strlen(path) - strlen(".yaml")), path);
	int code = site_check(path, noon, &said);
	buf_format(&said, "exit %d\n", code);
	if (getenv("ACCEPT"))
		cr_assert_eq(file_replace(txt, said.data, said.len, 0644), 0);
	cr_assert_eq(file_read(txt, 1 << 20, &expected), 0, "%s cannot be read", txt);
	cr_expect_str_eq(said.data, expected.data, "%s differs from %s:\n%s", path, txt, said.data);
	buf_finish(&said);
	buf_finish(&expected);
}

Test(check, says_what_was_accepted)
{
	glob_t files;

	cr_assert_eq(chdir(UNIT_SOURCES "/site/check"), 0);
	cr_assert_eq(glob("*.yaml", 0, NULL, &files), 0);
	cr_assert_geq(files.gl_pathc, 9);
	for (size_t i = 0; i < files.gl_pathc; i++)
		compare(files.gl_pathv[i]);
	globfree(&files);
}

Test(check, a_file_that_is_not_there)
{
	struct buf said = { 0 };

	cr_assert_eq(site_check("/nonexistent.yaml", noon, &said), 2);
	cr_assert_str_eq(said.data, "/nonexistent.yaml: cannot be read: No such file or directory; "
				    "name a file that exists\n");
	buf_finish(&said);
}

/* A file cut short at any byte is refused with a reason, or is a smaller site. */
Test(check, every_truncation)
{
	struct buf text = { 0 };

	cr_assert_eq(file_read(UNIT_SOURCES "/site/check/good.yaml", 1 << 20, &text), 0);
	for (size_t n = 1; n < text.len; n++) {
		struct problems problems = { 0 };
		struct site_counts counts;
		char *exact = malloc(n);
		memcpy(exact, text.data, n);
		struct site *s = site_read("cut", exact, n, noon, &problems, &counts);
		cr_assert_eq(!s, !counts.readable || counts.mistakes > 0, "%zu bytes", n);
		cr_assert(s || problems.count, "%zu bytes", n);
		site_free(s);
		problems_finish(&problems);
		free(exact);
	}
	buf_finish(&text);
}
