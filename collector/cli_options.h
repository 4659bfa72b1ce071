/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of `vigie`: commands, options, their checks and their help,
 * from two tables. Options may stand anywhere, as `--name value` or
 * `--name=value`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum cli_option_id {
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_SEGMENT,
	OPTION_CLIENT_SEGMENT,
	OPTION_SERVER_SEGMENT,
	OPTION_IP,
	OPTION_PORT,
	OPTION_APP,
	OPTION_VERDICT,
	OPTION_SEVERITY,
	OPTION_VENDOR,
	OPTION_SENSOR,
	OPTION_ROLE,
	OPTION_EXERCISE,
	OPTION_BY,
	OPTION_ORDER,
	OPTION_MINUTES,
	OPTION_LIMIT,
	OPTION_CURSOR,
	OPTION_FORMAT,
	OPTION_EXIT_CODE,
	OPTION_COLLECTOR,
	OPTION_CA,
	OPTION_CERT,
	OPTION_KEY,
	OPTION_CONFIG,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT,
};

enum { CLI_WORDS_MOST = 2 };

struct cli_arguments;

struct cli_command {
	const char *name;
	const char *words;   /* usage of what follows the name: "\"SELECT ...\"", or NULL */
	const char *summary; /* what it does, for the help */
	const char *path;    /* of the collector's API; NULL: a local command */
	size_t word_least, word_most;
	int (*run)(const struct cli_arguments *arguments); /* gives the exit code */
};

/* Defined by the program; ends with a NULL name. */
extern const struct cli_command cli_commands[];

struct cli_arguments {
	const struct cli_command *command; /* NULL: none given */
	const char *values[OPTION_COUNT];  /* borrowed from argv; a flag's is "" */
	const char *words[CLI_WORDS_MOST];
	size_t word_count;
};

/* False with a sentence that says what is wrong and what would be right. */
bool cli_parse(int argc, char *const *argv, struct cli_arguments *out, struct buf *problem);

/* Appends the options that are filters as "&name=value", percent-encoded. */
void cli_put_query(const struct cli_arguments *arguments, struct buf *out);

/* Appends a value as a URL's query may hold it. */
void cli_put_encoded(const char *text, struct buf *out);

/* The program's help, or one command's. */
void cli_put_help(const struct cli_command *command, struct buf *out);

/* The command of a name, or NULL with a sentence in `problem`. */
const struct cli_command *cli_find_command(const char *name, struct buf *problem);
