/* SPDX-License-Identifier: Apache-2.0
 *
 * vigie: asks a collector, and looks into local files (docs/man/vigie.1.scd). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "collector/cli_options.h"
#include "collector/cli_query.h"
#include "exporters/spool_tools.h"
#include "site/check.h"

static int print(const struct buf *out, int code)
{
	if (out->failed) {
		log_error("out of memory");
		return 2;
	}
	/* A closed pipe is no failure of ours. Code 2 comes with a complaint. */
	(void)file_write_all(code == 2 ? STDERR_FILENO : STDOUT_FILENO, out->data ? out->data : "",
			     out->len);
	return code;
}

static int wrong_action(const struct cli_arguments *arguments, const char *right)
{
	log_error("vigie %s has no '%s'; %s", arguments->command->name, arguments->words[0], right);
	return 2;
}

static int run_site(const struct cli_arguments *arguments)
{
	struct buf out = { 0 };

	if (strcmp(arguments->words[0], "check"))
		return wrong_action(arguments, "vigie site check FILE checks a site file");
	int code = print(&out, site_check(arguments->words[1], clock_wall(), &out));
	buf_finish(&out);
	return code;
}

static int run_spool(const struct cli_arguments *arguments)
{
	struct buf out = { 0 };
	int code;

	if (!strcmp(arguments->words[0], "ls"))
		code = spool_list(arguments->words[1], &out);
	else if (!strcmp(arguments->words[0], "verify"))
		code = spool_verify(arguments->words[1], &out);
	else
		return wrong_action(arguments, "there are ls and verify");
	code = print(&out, code);
	buf_finish(&out);
	return code;
}

static int run_help(const struct cli_arguments *arguments)
{
	const struct cli_command *command = NULL;
	struct buf out = { 0 }, problem = { 0 };
	int code = 0;

	if (arguments && arguments->word_count)
		command = cli_find_command(arguments->words[0], &problem);
	if (problem.len) {
		log_error("%s", problem.data);
		code = 2;
	} else {
		cli_put_help(command, &out);
		code = print(&out, 0);
	}
	buf_finish(&problem);
	buf_finish(&out);
	return code;
}

const struct cli_command cli_commands[] = {
	{ "flows", NULL, "Flows, the newest first.", "/v1/flows", 0, 0, query_run },
	{ "top", NULL,
	  "Who or what moves most: by client, server, app, segment, pair, vendor or verdict.",
	  "/v1/top", 0, 0, query_run },
	{ "matrix", NULL, "Flows from segment to segment, with the worst finding of each pair.",
	  "/v1/matrix", 0, 0, query_run },
	{ "alerts", NULL, "Alerts with their reasons.", "/v1/alerts", 0, 0, query_run },
	{ "sensors", NULL, "Sensors: what each last reported, and what it lost.", "/v1/sensors", 0,
	  0, query_run },
	{ "coverage", NULL,
	  "How well each segment is seen now, since when, and how it was at worst.",
	  "/v1/coverage/segments", 0, 0, query_run },
	{ "hosts", NULL,
	  "Hosts: address, MAC, maker, place, what each seems to be for, and since when.",
	  "/v1/hosts", 0, 0, query_run },
	{ "sql", "\"SELECT ...\"",
	  "Read-only SQL over the documented views; - reads it from standard input.", "/v1/sql", 1,
	  1, query_run_sql },
	{ "site", "check FILE", "Checks a site file: every mistake with its place and the remedy.",
	  NULL, 2, 2, run_site },
	{ "spool", "ls|verify DIR", "Shows what a spool holds, or checks every frame of it.", NULL,
	  2, 2, run_spool },
	{ "help", "[COMMAND]", "Help on a command.", NULL, 0, 1, run_help },
	{ NULL },
};

int main(int argc, char **argv)
{
	struct cli_arguments arguments;
	struct buf problem = { 0 };
	int code = 2;

	log_init("vigie", LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	if (!cli_parse(argc, argv, &arguments, &problem)) {
		log_error("%s", problem.data ? problem.data : "out of memory");
	} else if (arguments.values[OPTION_VERSION]) {
		code = puts("vigie " VIGIE_VERSION) < 0;
	} else if (arguments.values[OPTION_HELP]) {
		struct buf out = { 0 };
		cli_put_help(arguments.command, &out);
		code = print(&out, 0);
		buf_finish(&out);
	} else if (!arguments.command) {
		log_error("no command is given; vigie help lists them");
	} else {
		code = arguments.command->run(&arguments);
	}
	buf_finish(&problem);
	return code;
}
