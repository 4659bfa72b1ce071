/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ip.h"
#include "collector/cli_text.h"
#include "config/nearest.h"
#include "schema/names.h"

/* Commands by their path's last part: which of them an option belongs to. */
#define FLOWS "flows "
#define TOP "top "
#define MATRIX "matrix "
#define ALERTS "alerts "
#define SENSORS "sensors "
#define COVERAGE "coverage "
#define HOSTS "hosts "
#define SQL "sql "
#define JUDGED FLOWS TOP MATRIX ALERTS
#define QUERIES JUDGED SENSORS COVERAGE HOSTS SQL

/* The word that was meant, or NULL; a word cut short is nearer than any
 * misspelling. Words may be NULL. */
static const char *suggest(const char *typed, const char *const *words, size_t count)
{
	struct nearest nearest = nearest_to(typed);

	for (size_t i = 0; i < count; i++) {
		if (!words[i])
			continue;
		if (strlen(typed) > 1 && !strncmp(words[i], typed, strlen(typed)))
			return words[i];
		nearest_offer(&nearest, words[i]);
	}
	return nearest.best;
}

/* Each check notes what is wrong with a value as "...; what would be right". */
typedef bool check(const char *value, struct buf *problem);

static bool check_time(const char *value, struct buf *problem)
{
	struct usec t;

	if (clock_parse_span(value, &t) || clock_parse(value, &t))
		return true;
	buf_format(problem,
		   "'%s' is no time; give a span back from now such as 90s, 15m, 1h or 7d, "
		   "or a time such as 2026-01-02T03:04:05Z",
		   value);
	return false;
}

static bool check_ip(const char *value, struct buf *problem)
{
	struct ip_prefix prefix;
	const char *wrong = ip_prefix_parse(value, &prefix);

	if (wrong)
		buf_format(problem, "'%s': %s; give an address or a prefix such as 10.30.0.0/16",
			   value, wrong);
	return !wrong;
}

static bool check_number(const char *value, unsigned long least, unsigned long most,
			 struct buf *problem)
{
	char *end;
	unsigned long v = strtoul(value, &end, 10);

	if (isdigit((unsigned char)*value) && strlen(value) < 10 && !*end && v >= least &&
	    v <= most)
		return true;
	buf_format(problem, "'%s' is no number from %lu to %lu", value, least, most);
	return false;
}

static bool check_port(const char *value, struct buf *problem)
{
	return check_number(value, 0, 65535, problem);
}

static bool check_limit(const char *value, struct buf *problem)
{
	return check_number(value, 1, 1000000, problem);
}

static bool check_word(const char *value, const char *const *words, size_t count,
		       struct buf *problem)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(words[i], value))
			return true;
	const char *nearest = suggest(value, words, count);
	buf_format(problem, "'%s' is none of ", value);
	for (size_t i = 0; i < count; i++)
		buf_format(problem, "%s%s", i ? ", " : "", words[i]);
	if (nearest)
		buf_format(problem, "; did you mean %s?", nearest);
	return false;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool check_verdict(const char *value, struct buf *problem)
{
	const char *words[VERDICT_COUNT];

	for (int i = 0; i < VERDICT_COUNT; i++)
		words[i] = verdict_name((enum verdict)i);
	return check_word(value, words, COUNT(words), problem);
}

static bool check_severity(const char *value, struct buf *problem)
{
	const char *words[SEVERITY_COUNT];

	for (int i = 0; i < SEVERITY_COUNT; i++)
		words[i] = severity_name((enum severity)i);
	return check_word(value, words, COUNT(words), problem);
}

static bool check_by(const char *value, struct buf *problem)
{
	static const char *const words[] = { "client", "server", "app",    "segment",
					     "pair",   "vendor", "verdict" };
	return check_word(value, words, COUNT(words), problem);
}

static bool check_order(const char *value, struct buf *problem)
{
	static const char *const words[] = { "bytes", "packets", "flows" };
	return check_word(value, words, COUNT(words), problem);
}

static bool check_format(const char *value, struct buf *problem)
{
	static const char *const words[] = { "table", "json", "ndjson", "csv" };
	return check_word(value, words, COUNT(words), problem);
}

static const struct option {
	const char *name;
	const char *argument; /* NULL: a flag */
	const char *commands; /* those it belongs to; NULL: all */
	bool filter;          /* goes to the collector by the same name */
	check *check;
	const char *meaning;
} options[OPTION_COUNT] = {
	[OPTION_SINCE] = { "since", "WHEN", QUERIES, true, check_time,
			   "from then on: a span back from now (1h, 7d) or a time "
			   "(2026-01-02T03:04:05Z)" },
	[OPTION_UNTIL] = { "until", "WHEN", QUERIES, true, check_time, "up to then" },
	[OPTION_SEGMENT] = { "segment", "NAME", JUDGED COVERAGE HOSTS, true, NULL,
			     "either end, or the host, is in this segment" },
	[OPTION_CLIENT_SEGMENT] = { "client-segment", "NAME", JUDGED, true, NULL,
				    "the client is in this segment" },
	[OPTION_SERVER_SEGMENT] = { "server-segment", "NAME", JUDGED, true, NULL,
				    "the server is in this segment" },
	[OPTION_IP] = { "ip", "CIDR", JUDGED HOSTS, true, check_ip,
			"either end's address, or the host's, is in this prefix; of hosts, a "
			"single "
			"address shows all that is known" },
	[OPTION_PORT] = { "port", "NUMBER", JUDGED, true, check_port, "the server's port" },
	[OPTION_APP] = { "app", "NAME", JUDGED, true, NULL, "application: dicom, hl7, tls, ..." },
	[OPTION_VERDICT] = { "verdict", "NAME", JUDGED, true, check_verdict,
			     "verdict: cross-segment, unknown-third-party, ..." },
	[OPTION_SEVERITY] = { "severity", "NAME", JUDGED, true, check_severity,
			      "this severe at least: info, low, high or critical" },
	[OPTION_VENDOR] = { "vendor", "NAME", JUDGED, true, NULL, "vendor of the site file" },
	[OPTION_SENSOR] = { "sensor", "NAME", JUDGED SENSORS COVERAGE HOSTS, true, NULL,
			    "seen by this sensor" },
	[OPTION_ROLE] = { "role", "NAME", HOSTS, true, NULL,
			  "hosts that seem to be for this: modality, archive, monitor, plc, ..." },
	[OPTION_EXERCISE] = { "exercise", "NAME", JUDGED SENSORS COVERAGE HOSTS, true, NULL,
			      "of this exercise, in place of what was real" },
	[OPTION_BY] = { "by", "WHAT", TOP, true, check_by,
			"client, server, app, segment, pair, vendor or verdict" },
	[OPTION_ORDER] = { "order", "WHAT", TOP, true, check_order, "bytes, packets or flows" },
	[OPTION_MINUTES] = { "minutes", NULL, COVERAGE, false, NULL,
			     "each minute of each segment, the newest first" },
	[OPTION_LIMIT] = { "limit", "NUMBER", QUERIES, false, check_limit,
			   "rows at most (tables: 50 unless told)" },
	[OPTION_CURSOR] = { "cursor", "TEXT", FLOWS ALERTS COVERAGE HOSTS, false, NULL,
			    "go on behind an earlier answer: its \"next\"" },
	[OPTION_FORMAT] = { "format", "FORMAT", QUERIES, false, check_format,
			    "table (standard), json, ndjson or csv" },
	[OPTION_EXIT_CODE] = { "exit-code", NULL, ALERTS COVERAGE, false, NULL,
			       "exit with 1 when there is any alert, or a segment that is not well "
			       "seen" },
	[OPTION_COLLECTOR] = { "collector", "URL", QUERIES, false, NULL, "https://HOST:PORT" },
	[OPTION_CA] = { "ca", "FILE", QUERIES, false, NULL,
			"who signed the collector's certificate" },
	[OPTION_CERT] = { "cert", "FILE", QUERIES, false, NULL, "own certificate" },
	[OPTION_KEY] = { "key", "FILE", QUERIES, false, NULL, "own private key" },
	[OPTION_CONFIG] = { "config", "FILE", QUERIES, false, NULL,
			    "the four above as keys collector, ca, certificate, key; otherwise "
			    "$VIGIE_CONFIG, then ~/.config/vigie/vigie.yaml" },
	[OPTION_HELP] = { "help", NULL, NULL, false, NULL, "this help" },
	[OPTION_VERSION] = { "version", NULL, NULL, false, NULL, "the version" },
};

/* True when the command's name is one word of the list. */
static bool belongs(const struct option *o, const struct cli_command *command)
{
	const char *name = command ? command->name : "";
	size_t n = strlen(name);

	if (!o->commands)
		return true;
	for (const char *p = o->commands; *p; p = strchr(p, ' ') + 1)
		if (n && !strncmp(p, name, n) && p[n] == ' ')
			return true;
	return false;
}

const struct cli_command *cli_find_command(const char *name, struct buf *problem)
{
	/* Promised names whose time has not come. */
	static const char *const later[] = { "series", "lifelines", "vendors",
					     "drill",  "cutoff",    "incident" };
	const char *names[32] = { "help" };
	size_t count = 1;

	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
		if (count < COUNT(names))
			names[count++] = c->name;
	}
	for (size_t i = 0; i < COUNT(later); i++) {
		if (strcmp(later[i], name))
			continue;
		buf_format(problem, "'%s' is not available yet in this version (%s)", name,
			   VIGIE_VERSION);
		return NULL;
	}
	const char *nearest = suggest(name, names, count);
	buf_format(problem, "there is no command '%s'; ", name);
	if (nearest)
		buf_format(problem, "did you mean %s?", nearest);
	else
		buf_text(problem, "vigie help lists them");
	return NULL;
}

static const struct option *find_option(const char *name, size_t n,
					const struct cli_command *command, struct buf *problem)
{
	const char *names[OPTION_COUNT];
	char typed[64] = { 0 };

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		names[i] = belongs(&options[i], command) ? options[i].name : NULL;
		if (strlen(options[i].name) != n || strncmp(options[i].name, name, n))
			continue;
		if (names[i])
			return &options[i];
		if (command)
			buf_format(problem,
				   "--%s does not go with %s; vigie help %s lists what does",
				   options[i].name, command->name, command->name);
		else
			buf_format(problem, "--%s needs a command before it; vigie help lists them",
				   options[i].name);
		return NULL;
	}
	memcpy(typed, name, n < sizeof(typed) ? n : sizeof(typed) - 1);
	const char *nearest = suggest(typed, names, OPTION_COUNT);
	buf_format(problem, "there is no option '--%.*s'", (int)n, name);
	if (nearest)
		buf_format(problem, "; did you mean --%s?", nearest);
	else
		buf_format(problem, "; vigie help%s%s lists them", command ? " " : "",
			   command ? command->name : "");
	return NULL;
}

/* One option at argv[*at]; takes its value along. */
static bool take_option(int argc, char *const *argv, int *at, struct cli_arguments *out,
			struct buf *problem)
{
	const char *name = argv[*at] + 2;
	size_t n = strcspn(name, "=");
	const struct option *o = find_option(name, n, out->command, problem);
	const char *value = name[n] ? name + n + 1 : NULL;

	if (!o)
		return false;
	if (!o->argument && value) {
		buf_format(problem, "--%s takes no value", o->name);
		return false;
	}
	if (!o->argument)
		value = "";
	else if (!value && *at + 1 < argc)
		value = argv[++*at];
	if (!value || (o->argument && !*value)) {
		buf_format(problem, "--%s needs a value: --%s %s", o->name, o->name, o->argument);
		return false;
	}
	if (out->values[o - options]) {
		buf_format(problem, "--%s is given twice; once is right", o->name);
		return false;
	}
	buf_format(problem, "--%s: ", o->name);
	if (o->check && !o->check(value, problem))
		return false;
	buf_clear(problem);
	out->values[o - options] = value;
	return true;
}

static bool take_word(const char *word, struct cli_arguments *out, struct buf *problem)
{
	const struct cli_command *c = out->command;

	if (out->word_count < (c ? c->word_most : 0)) {
		out->words[out->word_count++] = word;
		return true;
	}
	buf_format(problem, "'%s' is one word too many; usage: vigie %s%s%s [OPTIONS]", word,
		   c ? c->name : "COMMAND", c && c->words ? " " : "",
		   c && c->words ? c->words : "");
	return false;
}

/* The command is the first word, wherever it stands: options before it are
 * read after it, when it is known which ones it has. */
static int find_first_word(int argc, char *const *argv)
{
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-' || !argv[i][1])
			return i;
		for (size_t k = 0; k < OPTION_COUNT && !strncmp(argv[i], "--", 2); k++)
			if (!strcmp(argv[i] + 2, options[k].name) && options[k].argument)
				i++;
		if (i >= argc)
			break;
	}
	return 0;
}

bool cli_parse(int argc, char *const *argv, struct cli_arguments *out, struct buf *problem)
{
	int command = find_first_word(argc, argv);
	bool options_end = false;

	*out = (struct cli_arguments){ 0 };
	if (command) {
		out->command = cli_find_command(argv[command], problem);
		if (!out->command)
			return false;
	}
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		if (i == command)
			continue;
		if (!options_end && !strcmp(word, "--")) {
			options_end = true;
		} else if (!options_end && !strcmp(word, "-h")) {
			out->values[OPTION_HELP] = "";
		} else if (!options_end && !strncmp(word, "--", 2)) {
			if (!take_option(argc, argv, &i, out, problem))
				return false;
		} else if (!options_end && word[0] == '-' && word[1]) {
			buf_format(problem,
				   "there is no option '%s'; options are words, such as --since 1h",
				   word);
			return false;
		} else if (!take_word(word, out, problem)) {
			return false;
		}
	}
	if (!out->command || out->values[OPTION_HELP] ||
	    out->word_count >= out->command->word_least)
		return true;
	buf_format(problem, "%s needs more; usage: vigie %s %s", out->command->name,
		   out->command->name, out->command->words);
	return false;
}

void cli_put_encoded(const char *text, struct buf *out)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x80 && (isalnum(*p) || strchr("-._~:,", *p)))
			buf_char(out, (char)*p);
		else
			buf_format(out, "%%%02X", *p);
	}
}

void cli_put_query(const struct cli_arguments *arguments, struct buf *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (!options[i].filter || !arguments->values[i])
			continue;
		buf_format(out, "&%s=", options[i].name);
		cli_put_encoded(arguments->values[i], out);
	}
}

static void put_options(const struct cli_command *command, struct buf *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *o = &options[i];
		struct buf left = { 0 };
		if (!belongs(o, command) || i == OPTION_VERSION)
			continue;
		buf_format(&left, "--%s%s%s", o->name, o->argument ? " " : "",
			   o->argument ? o->argument : "");
		buf_text(out, "  ");
		text_pad(left.data ? left.data : "", 22, false, out);
		buf_finish(&left);
		struct buf meaning = { 0 };
		text_wrap(o->meaning, 26, 96, &meaning);
		buf_text(out, meaning.len > 24 ? meaning.data + 24 : "\n");
		buf_finish(&meaning);
	}
}

void cli_put_help(const struct cli_command *command, struct buf *out)
{
	if (command) {
		buf_format(out, "usage: vigie %s%s%s%s\n\n", command->name,
			   command->words ? " " : "", command->words ? command->words : "",
			   command->path ? " [OPTIONS]" : "");
		text_wrap(command->summary, 0, 96, out);
		buf_text(out, "\n");
		put_options(command, out);
		return;
	}
	buf_text(out, "usage: vigie COMMAND [OPTIONS]\n\n"
		      "Asks a Vigie collector, and looks into local files.\n\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		struct buf summary = { 0 };
		buf_text(out, "  ");
		text_pad(c->name, 10, false, out);
		text_wrap(c->summary, 14, 96, &summary);
		buf_text(out, summary.len > 12 ? summary.data + 12 : "\n");
		buf_finish(&summary);
	}
	buf_text(out,
		 "\nvigie help COMMAND shows a command's options; vigie --version, the version.\n"
		 "Exit codes: 0 done; 1 done, but something was found wrong; 2 wrong usage or\n"
		 "configuration; 3 the answer could not be had whole.\n");
}
