/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "collector/cli_options.h"

/* Only the shape counts here; nothing is run. */
const struct cli_command cli_commands[] = {
	{ "flows", NULL, "Flows.", "/v1/flows", 0, 0, NULL },
	{ "top", NULL, "Top.", "/v1/top", 0, 0, NULL },
	{ "alerts", NULL, "Alerts.", "/v1/alerts", 0, 0, NULL },
	{ "coverage", NULL, "Coverage.", "/v1/coverage/segments", 0, 0, NULL },
	{ "hosts", NULL, "Coverage.", "/v1/hosts", 0, 0, NULL },
	{ "sql", "\"SELECT ...\"", "SQL.", "/v1/sql", 1, 1, NULL },
	{ "site", "check FILE", "Site.", NULL, 2, 2, NULL },
	{ "help", "[COMMAND]", "Help.", NULL, 0, 1, NULL },
	{ NULL },
};

enum { WORDS_MOST = 12 };

/* Splits at blanks, so that a test reads like a command line; `~` is a blank. */
static bool parse(const char *line, struct cli_arguments *out, struct buf *problem)
{
	static char copy[512];
	char *argv[WORDS_MOST] = { copy };
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word && argc < WORDS_MOST; word = strtok(NULL, " ")) {
		for (char *p = word; *p; p++)
			*p = *p == '~' ? ' ' : *p;
		argv[argc++] = word;
	}
	return cli_parse(argc, argv, out, problem);
}

static void is_good(const char *line, const char *command, const char *query)
{
	struct cli_arguments arguments;
	struct buf problem = { 0 }, out = { 0 };

	cr_assert(parse(line, &arguments, &problem), "%s: %s", line, problem.data);
	cr_expect_str_eq(arguments.command->name, command);
	buf_text(&out, "");
	cli_put_query(&arguments, &out);
	cr_expect_str_eq(out.data, query);
	buf_finish(&problem);
	buf_finish(&out);
}

Test(options, become_a_query)
{
	is_good("vigie flows", "flows", "");
	is_good("vigie flows --since 1h --ip 10.0.0.0/8", "flows", "&since=1h&ip=10.0.0.0%2F8");
	is_good("vigie flows --ip=10.0.0.0/8 --since=1h", "flows", "&since=1h&ip=10.0.0.0%2F8");
	is_good("vigie --app dicom flows", "flows", "&app=dicom");
	is_good("vigie --app=dicom flows", "flows", "&app=dicom");
	is_good("vigie flows --vendor Acme~&~Co%", "flows", "&vendor=Acme%20%26%20Co%25");
	is_good("vigie flows --segment \xc3\xa9t\xc3\xa9", "flows", "&segment=%C3%A9t%C3%A9");
	is_good("vigie top --by pair --order flows --limit 9", "top", "&by=pair&order=flows");
	is_good("vigie alerts --exit-code --severity high --format csv", "alerts",
		"&severity=high");
	is_good("vigie coverage --minutes --exit-code --sensor a", "coverage", "&sensor=a");
	is_good("vigie coverage --sensor a", "coverage", "&sensor=a");
	is_good("vigie hosts --role plc --ip 10.0.0.1", "hosts", "&ip=10.0.0.1&role=plc");
	is_good("vigie sql SELECT~1", "sql", "");
	is_good("vigie sql -- --x", "sql", "");
	is_good("vigie sql -", "sql", "");
	is_good("vigie site check --help", "site", "");
}

Test(options, words_and_values_are_kept)
{
	struct cli_arguments arguments;
	struct buf problem = { 0 };

	cr_assert(parse("vigie site check a.yaml", &arguments, &problem));
	cr_expect_eq(arguments.word_count, 2);
	cr_expect_str_eq(arguments.words[1], "a.yaml");
	cr_assert(parse("vigie flows --limit 7 -h", &arguments, &problem));
	cr_expect_str_eq(arguments.values[OPTION_LIMIT], "7");
	cr_expect_not_null(arguments.values[OPTION_HELP]);
	cr_assert(parse("vigie --version", &arguments, &problem));
	cr_expect_null(arguments.command);
	buf_finish(&problem);
}

static void is_bad(const char *line, const char *expected)
{
	struct cli_arguments arguments;
	struct buf problem = { 0 };

	cr_expect_not(parse(line, &arguments, &problem), "%s", line);
	cr_assert_not_null(problem.data);
	cr_expect_not_null(strstr(problem.data, expected), "%s: %s", line, problem.data);
	buf_finish(&problem);
}

Test(options, mistakes_get_a_remedy)
{
	is_bad("vigie flwos", "did you mean flows?");
	is_bad("vigie cov", "did you mean coverage?");
	is_bad("vigie xyzzy", "vigie help lists them");
	is_bad("vigie series", "not available yet");
	is_bad("vigie flows --role plc", "does not go with flows");
	is_bad("vigie hosts --verdict conduit", "does not go with hosts");
	is_bad("vigie flows --sicne 1h", "did you mean --since?");
	is_bad("vigie flows --sicne=1h", "did you mean --since?");
	is_bad("vigie flows --quux", "vigie help flows lists them");
	is_bad("vigie --quux", "vigie help lists them");
	is_bad("vigie --format csv", "needs a command");
	is_bad("vigie flows --exit-code", "does not go with flows");
	is_bad("vigie flows -l 5", "options are words");
	is_bad("vigie flows more", "one word too many");
	is_bad("vigie sql", "needs more");
	is_bad("vigie flows --since", "needs a value");
	is_bad("vigie flows --since=", "needs a value");
	is_bad("vigie alerts --exit-code=1", "takes no value");
	is_bad("vigie flows --app a --app b", "given twice");
}

Test(options, values_are_checked)
{
	is_bad("vigie flows --since yesterday", "--since: 'yesterday' is no time");
	is_bad("vigie flows --until 2026-02-30", "is no time");
	is_bad("vigie flows --ip 10.0.0.0/33", "give an address or a prefix");
	is_bad("vigie flows --port 65536", "from 0 to 65535");
	is_bad("vigie flows --port -1", "from 0 to 65535");
	is_bad("vigie flows --limit 0", "from 1 to");
	is_bad("vigie flows --limit 99999999999999999999", "from 1 to");
	is_bad("vigie flows --limit 5x", "from 1 to");
	is_bad("vigie flows --severity hihg", "did you mean high?");
	is_bad("vigie flows --verdict crosssegment", "did you mean cross-segment?");
	is_bad("vigie flows --format yaml", "none of table, json, ndjson, csv");
	is_bad("vigie top --by host", "none of client, server");
}

Test(options, help_lists_only_what_belongs)
{
	struct buf problem = { 0 }, out = { 0 };

	cli_put_help(cli_find_command("top", &problem), &out);
	cr_expect_not_null(strstr(out.data, "--order WHAT"));
	cr_expect_null(strstr(out.data, "--exit-code"));
	buf_clear(&out);
	cli_put_help(NULL, &out);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		cr_expect_not_null(strstr(out.data, c->name));
	buf_finish(&problem);
	buf_finish(&out);
}
