/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/yaml.h"

static struct problems problems;

static struct yaml *parse(const char *text)
{
	return yaml_parse("f.yaml", text, strlen(text), &problems);
}

static void expect_problems(const char *expected)
{
	struct buf out = { 0 };

	problems_print(&problems, &out);
	cr_assert_str_eq(out.data ? out.data : "", expected);
	buf_finish(&out);
	problems_finish(&problems);
}

/* Reads a text that must be refused, and compares what is said of it. */
static void expect_refused(const char *text, const char *expected)
{
	cr_assert_null(parse(text), "%s", text);
	expect_problems(expected);
}

static const char good[] = "site: chu\n"
			   "segments:\n"
			   "  - {name: icu, vlans: [20, 21]}\n"
			   "  - name: \"p\\u00e9d\"\n"
			   "    vlans: []\n"
			   "empty:\n"
			   "tilde: ~\n"
			   "word: \"null\"\n";

Test(yaml, nodes_have_kind_text_and_place)
{
	struct yaml *y = parse(good);
	cr_assert_not_null(y);
	const struct yaml_node *root = yaml_root(y);
	const struct yaml_node *segments = yaml_get(root, "segments");
	const struct yaml_node *icu = yaml_element(segments, 0), *ped = yaml_element(segments, 1);

	cr_assert_eq(yaml_kind(root), YAML_MAP);
	cr_assert_eq(yaml_count(root), 5);
	cr_assert_str_eq(yaml_text(yaml_get(root, "site")), "chu");
	cr_assert_eq(yaml_kind(segments), YAML_LIST);
	cr_assert_eq(yaml_count(segments), 2);
	cr_assert_null(yaml_text(segments));
	cr_assert_str_eq(yaml_text(yaml_key_at(icu, 1)), "vlans");
	cr_assert_str_eq(yaml_text(yaml_element(yaml_value_at(icu, 1), 1)), "21");
	cr_assert_str_eq(yaml_text(yaml_get(ped, "name")), "p\303\251d");
	cr_assert_eq(yaml_count(yaml_get(ped, "vlans")), 0);
	cr_assert_eq(yaml_kind(yaml_get(ped, "vlans")), YAML_LIST);
	cr_assert_eq(yaml_line(yaml_get(ped, "name")), 4);
	cr_assert_eq(yaml_column(yaml_get(ped, "name")), 11, "the opening quote");
	cr_assert_eq(yaml_line(yaml_element(yaml_get(icu, "vlans"), 1)), 3);
	cr_assert_eq(yaml_column(yaml_element(yaml_get(icu, "vlans"), 1)), 29);
	yaml_close(y);
	expect_problems("");
}

Test(yaml, a_key_without_value_is_absent_but_quoted_null_is_text)
{
	struct yaml *y = parse(good);
	const struct yaml_node *root = yaml_root(y);

	cr_assert_eq(yaml_kind(yaml_get(root, "empty")), YAML_ABSENT);
	cr_assert_eq(yaml_kind(yaml_get(root, "tilde")), YAML_ABSENT);
	cr_assert_null(yaml_text(yaml_get(root, "tilde")));
	cr_assert_str_eq(yaml_text(yaml_get(root, "word")), "null");
	cr_assert_null(yaml_get(root, "nowhere"));
	cr_assert_null(yaml_element(yaml_get(root, "segments"), 2));
	cr_assert_null(yaml_key_at(root, 5));
	yaml_close(y);
}

Test(yaml, an_empty_file_has_an_absent_root)
{
	struct yaml *y = parse("# nothing yet\n");
	static const char *const keys[] = { "site", NULL };

	cr_assert_not_null(y);
	cr_assert_eq(yaml_kind(yaml_root(y)), YAML_ABSENT);
	yaml_only_keys(yaml_root(y), "a site file", keys);
	yaml_close(y);
	expect_problems("f.yaml:1:1: a site file is not written as keys and values; write "
			"\"site: ...\"\n");
}

Test(yaml, unknown_and_repeated_keys)
{
	static const char *const keys[] = { "name", "impact", "match", NULL };
	struct yaml *y = parse("name: a\nimpct: b\nname: c\nzebra: d\n");

	yaml_only_keys(yaml_root(y), "a segment", keys);
	yaml_close(y);
	expect_problems("f.yaml:2:1: a segment has no key \"impct\"; \"impact\" would be right\n"
			"f.yaml:3:1: key \"name\" stands twice in a segment; keep one of them\n"
			"f.yaml:4:1: a segment has no key \"zebra\"; its keys are name, impact, "
			"match\n");
}

Test(yaml, problems_are_sorted_by_place)
{
	struct yaml *y = parse("a: 1\nb: 2\nc: {d: 3, e: 4}\n");
	const struct yaml_node *c = yaml_get(yaml_root(y), "c");

	yaml_problem(yaml_get(c, "e"), "five");
	yaml_problem(yaml_get(yaml_root(y), "b"), "two");
	yaml_problem(yaml_get(c, "d"), "three");
	yaml_problem(yaml_get(c, "d"), "four");
	yaml_problem(yaml_get(yaml_root(y), "a"), "one");
	problems_note(&problems, "f.yaml", 0, 0, "whole");
	yaml_close(y);
	expect_problems("f.yaml: whole\nf.yaml:1:4: one\nf.yaml:2:4: two\nf.yaml:3:8: three\n"
			"f.yaml:3:8: four\nf.yaml:3:14: five\n");
}

Test(yaml, control_characters_do_not_reach_the_terminal)
{
	struct yaml *y = parse("a: \"\\e[31m\"\n");

	yaml_problem(yaml_root(y), "%s", yaml_text(yaml_get(yaml_root(y), "a")));
	yaml_close(y);
	expect_problems("f.yaml:1:1: ?[31m\n");
}

Test(yaml, problems_are_bounded)
{
	for (unsigned i = 0; i < PROBLEMS_MOST + 50; i++)
		problems_note(&problems, "f", i + 1, 1, "wrong");
	cr_assert_eq(problems.count, PROBLEMS_MOST);
	cr_assert_str_eq(problems.list[PROBLEMS_MOST - 1].text,
			 "there are more mistakes; mend these first");
	problems_finish(&problems);
}

Test(yaml, what_is_not_yaml)
{
	expect_refused("a: b: c\n", "f.yaml:1:5: this is not YAML: invalid nested block mapping on "
				    "the same line; mend or quote what stands here\n");
	expect_refused("a: 1\nb: \"open\n", "f.yaml:2:5: this is not YAML: double-quoted scalar "
					    "without closing quote; mend or quote what "
					    "stands here\n");
	expect_refused("%YAML 9.9\n---\na: 1\n", "f.yaml:1:1: this is not YAML from here on; mend "
						 "or quote what stands here\n");
}

static const char no_text[] = "this is no text file: a byte here is neither UTF-8 nor a printable "
			      "character; save the file as UTF-8\n";

static void expect_no_text(const char *bytes, size_t n, const char *place)
{
	char expected[256];

	cr_assert_null(yaml_parse("f.yaml", bytes, n, &problems));
	snprintf(expected, sizeof(expected), "f.yaml:%s: %s", place, no_text);
	expect_problems(expected);
}

Test(yaml, what_is_not_text)
{
	expect_no_text("a: 1\nb: \0", 9, "2:4");
	expect_no_text("a: \xff\xfe", 5, "1:4");
	expect_no_text("\xc3\xa9\xc3", 3, "1:2");     /* cut short */
	expect_no_text("\xe0\x80\x80", 3, "1:1");     /* overlong */
	expect_no_text("\xed\xa0\x80", 3, "1:1");     /* a surrogate */
	expect_no_text("\xf4\x90\x80\x80", 4, "1:1"); /* beyond U+10FFFF */
	expect_no_text("a\x1b[0m", 5, "1:2");         /* escape */
	expect_no_text("a\xc2\x9b", 3, "1:2");        /* its C1 form */
	expect_refused("a: \"x\\0y\"\n",
		       "f.yaml:1:4: a text holds a NUL character; leave it out\n");
}

Test(yaml, anchors_second_documents_and_complex_keys_are_refused)
{
	static const char remedy[] = "anchors and aliases (& and *) are not read; write the value "
				     "out, or in quotes when it is a text\n";
	char expected[256];

	snprintf(expected, sizeof(expected), "f.yaml:1:4: %s", remedy);
	expect_refused("a: &x [1, 2]\nb: *x\n", expected);
	expect_refused("a: *x\n", expected);
	expect_refused("a: 1\n---\nb: 1\n",
		       "f.yaml:2:1: a second document starts here; one file holds one\n");
	expect_refused("? [a, b]\n: 1\n", "f.yaml:1:3: a list or map stands where a key belongs; "
					  "write a plain word as the key\n");
}

Test(yaml, depth_is_bounded)
{
	char text[2 * YAML_DEPTH_MOST + 3];
	const size_t most = YAML_DEPTH_MOST;

	memset(text, '[', most);
	memset(text + most, ']', most);
	struct yaml *y = yaml_parse("f.yaml", text, 2 * most, &problems);
	cr_assert_not_null(y);
	yaml_close(y);
	memset(text, '[', most + 1);
	memset(text + most + 1, ']', most + 1);
	cr_assert_null(yaml_parse("f.yaml", text, 2 * most + 2, &problems));
	expect_problems("f.yaml:1:65: values are nested more than 64 deep; write them flatter\n");
}

Test(yaml, number_of_values_is_bounded)
{
	size_t n = 1 + 2 * YAML_NODES_MOST;
	char *text = malloc(n);

	text[0] = '[';
	for (size_t i = 1; i < n; i += 2)
		memcpy(text + i, "a,", 2);
	cr_assert_null(yaml_parse("f.yaml", text, n, &problems));
	cr_assert_eq(problems.count, 1);
	cr_assert_not_null(strstr(problems.list[0].text, "more than a million values"));
	problems_finish(&problems);
	free(text);
}

/* Any part of a good file is read or refused with a reason, never both or neither. */
Test(yaml, every_truncation)
{
	for (size_t n = 0; n < strlen(good); n++) {
		char *copy = malloc(n + 1);
		memcpy(copy, good, n);
		struct yaml *y = yaml_parse("f.yaml", copy, n, &problems);
		cr_assert_eq(!y, problems.count > 0, "length %zu", n);
		yaml_close(y);
		problems_finish(&problems);
		free(copy);
	}
}

Test(yaml, files_that_cannot_be_read)
{
	cr_assert_null(yaml_open("/nonexistent/site.yaml", &problems));
	expect_problems("/nonexistent/site.yaml: cannot be read: No such file or directory; name a "
			"file that exists\n");
	cr_assert_null(yaml_open("/", &problems));
	expect_problems("/: cannot be read: Is a directory; name a file, not a folder\n");
}

Test(yaml, files_that_are_too_large)
{
	char path[] = "/tmp/vigie-test-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, YAML_FILE_MOST + 1), 0);
	close(fd);
	cr_assert_null(yaml_open(path, &problems));
	unlink(path);
	cr_assert_eq(problems.count, 1);
	cr_assert_not_null(strstr(problems.list[0].text, "make it smaller than 16 MiB"));
	problems_finish(&problems);
}

Test(yaml, a_file_on_disk)
{
	char path[] = "/tmp/vigie-test-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, good, strlen(good)), (ssize_t)strlen(good));
	close(fd);
	struct yaml *y = yaml_open(path, &problems);
	unlink(path);
	cr_assert_not_null(y);
	cr_assert_str_eq(yaml_text(yaml_get(yaml_root(y), "site")), "chu");
	yaml_close(y);
	problems_finish(&problems);
}
