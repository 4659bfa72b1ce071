/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "config/yaml.h"

static struct problems problems;

static const struct yaml_node *value(const char *text, struct yaml **y)
{
	char file[256];

	snprintf(file, sizeof(file), "v: %s\n", text);
	*y = yaml_parse("f", file, strlen(file), &problems);
	cr_assert_not_null(*y, "%s", file);
	return yaml_root(*y);
}

/* Checks that exactly one mistake was noted, at the value, with this text. */
static void expect_problem(const char *text)
{
	cr_assert_eq(problems.count, 1);
	cr_assert_eq(problems.list[0].line, 1);
	cr_assert_eq(problems.list[0].column, 4);
	cr_assert_str_eq(problems.list[0].text, text);
	problems_finish(&problems);
}

static bool read_u64(const char *text, uint64_t *out)
{
	struct yaml *y;
	bool ok = yaml_read_u64(value(text, &y), "v", 1, 4094, out);

	yaml_close(y);
	return ok;
}

Test(node, whole_numbers)
{
	static const char *const bad[] = {
		"0",    "4095", "-1",    "1.5", "12x", "0x10", "18446744073709551616",
		"\"\"", "+3",   "\" 3\""
	};
	uint64_t v = 7;

	cr_assert(read_u64("1", &v));
	cr_assert_eq(v, 1);
	cr_assert(read_u64("4094", &v));
	cr_assert_eq(v, 4094);
	cr_assert(read_u64("", &v), "absent");
	cr_assert_eq(v, 4094);
	cr_assert_eq(problems.count, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_not(read_u64(bad[i], &v), "%s", bad[i]);
		cr_assert_eq(problems.count, 1);
		problems_finish(&problems);
	}
	cr_assert_not(read_u64("4095", &v));
	expect_problem("v is \"4095\"; a whole number from 1 to 4094 would be right");
	cr_assert_not(read_u64("[1]", &v));
	expect_problem("v is a list; a whole number would be right");
	cr_assert_eq(v, 4094, "left alone");
}

static bool read_size(const char *text, uint64_t *out)
{
	struct yaml *y;
	bool ok = yaml_read_size(value(text, &y), "v", out);

	yaml_close(y);
	return ok;
}

Test(node, sizes)
{
	static const char *const bad[] = {
		"64 MiB", "64MB",   "64mib",       "MiB",
		"-1",     "1.5GiB", "16777216TiB", "18446744073709551616"
	};
	static const struct {
		const char *text;
		uint64_t v;
	} good[] = { { "0", 0 },
		     { "512", 512 },
		     { "512B", 512 },
		     { "3KiB", 3072 },
		     { "64MiB", 64 << 20 },
		     { "2GiB", 2ull << 30 },
		     { "16777215TiB", 16777215ull << 40 } };
	uint64_t v;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		v = 99;
		cr_assert(read_size(good[i].text, &v), "%s", good[i].text);
		cr_assert_eq(v, good[i].v, "%s", good[i].text);
	}
	v = 99;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_not(read_size(bad[i], &v), "%s", bad[i]);
		problems_finish(&problems);
	}
	cr_assert_eq(v, 99);
	cr_assert_not(read_size("64MB", &v));
	expect_problem("v is \"64MB\"; a number with its unit, as 512KiB, 64MiB or 2GiB, would be "
		       "right");
}

Test(node, spans)
{
	struct usec v = { 5 };
	struct yaml *y;

	cr_assert(yaml_read_span(value("90s", &y), "v", &v));
	yaml_close(y);
	cr_assert_eq(v.v, 90 * (int64_t)USEC_PER_SECOND);
	cr_assert(yaml_read_span(value("1h", &y), "v", &v));
	yaml_close(y);
	cr_assert_eq(v.v, 3600 * (int64_t)USEC_PER_SECOND);
	cr_assert(yaml_read_span(value("~", &y), "v", &v));
	yaml_close(y);
	cr_assert_not(yaml_read_span(value("90", &y), "v", &v));
	yaml_close(y);
	expect_problem("v is \"90\"; a number with its unit, as 90s, 5m, 1h or 7d, would be right");
	cr_assert_eq(v.v, 3600 * (int64_t)USEC_PER_SECOND);
}

Test(node, truth_values)
{
	struct yaml *y;
	bool v = false;

	cr_assert(yaml_read_bool(value("true", &y), "v", &v));
	yaml_close(y);
	cr_assert(v);
	cr_assert(yaml_read_bool(value("false", &y), "v", &v));
	yaml_close(y);
	cr_assert_not(v);
	cr_assert_not(yaml_read_bool(value("yes", &y), "v", &v));
	yaml_close(y);
	expect_problem("v is \"yes\"; true or false would be right");
}

Test(node, texts)
{
	const char *text = "as it was";
	struct yaml *y;

	cr_assert(yaml_read_text(value("", &y), "v", &text));
	yaml_close(y);
	cr_assert_str_eq(text, "as it was");
	cr_assert(yaml_read_text(value("hello there", &y), "v", &text));
	cr_assert_str_eq(text, "hello there");
	yaml_close(y);
	cr_assert_not(yaml_read_text(value("{a: b}", &y), "v", &text));
	yaml_close(y);
	expect_problem("v is a map; a single text would be right");
}
