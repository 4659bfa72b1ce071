/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/yaml.h"

/* The file to read; NULL when there is none, which is no mistake unless it
 * was named. */
static const char *find_file(const struct cli_arguments *arguments, struct arena *memory)
{
	const char *named = arguments->values[OPTION_CONFIG];
	const char *home = getenv("HOME");

	if (!named)
		named = getenv("VIGIE_CONFIG");
	if (named && *named)
		return named;
	if (!home || !*home)
		return NULL;
	struct buf path = { 0 };
	buf_format(&path, "%s/.config/vigie/vigie.yaml", home);
	const char *found = path.failed || access(path.data, F_OK)
				    ? NULL
				    : arena_text(memory, path.data, path.len);
	buf_finish(&path);
	return found;
}

static const char *beside(const char *file, const char *path, struct arena *memory)
{
	const char *slash = strrchr(file, '/');
	struct buf joined = { 0 };

	if (!path)
		return NULL;
	if (path[0] != '/' && slash)
		buf_bytes(&joined, file, (size_t)(slash - file) + 1);
	buf_text(&joined, path);
	const char *kept = joined.failed ? NULL : arena_text(memory, joined.data, joined.len);
	buf_finish(&joined);
	return kept;
}

static bool read_file(const char *file, struct arena *memory, struct connection *out,
		      struct buf *problem)
{
	static const char *const keys[] = { "collector", "ca", "certificate", "key", NULL };
	struct problems problems = { 0 };
	struct yaml *y = yaml_open(file, &problems);
	const struct yaml_node *root = y ? yaml_root(y) : NULL;
	const char *url = NULL, *ca = NULL, *certificate = NULL, *key = NULL;

	if (y) {
		yaml_only_keys(root, "the configuration", keys);
		yaml_read_text(root, "collector", &url);
		yaml_read_text(root, "ca", &ca);
		yaml_read_text(root, "certificate", &certificate);
		yaml_read_text(root, "key", &key);
	}
	bool good = problems.count == 0;
	if (!good) {
		problems_print(&problems, problem);
		while (problem->len && problem->data[problem->len - 1] == '\n')
			problem->data[--problem->len] = '\0';
	} else {
		*out = (struct connection){
			.url = url ? arena_text(memory, url, strlen(url)) : NULL,
			.ca = beside(file, ca, memory),
			.certificate = beside(file, certificate, memory),
			.key = beside(file, key, memory),
			.from = file,
		};
	}
	yaml_close(y);
	problems_finish(&problems);
	return good;
}

static bool fix_url(struct connection *c, struct arena *memory, struct buf *problem)
{
	struct buf url = { 0 };

	if (strstr(c->url, "://") && strncmp(c->url, "https://", 8)) {
		buf_format(problem, "the collector's address '%s' must start with https://",
			   c->url);
		return false;
	}
	buf_format(&url, "%s%s", strstr(c->url, "://") ? "" : "https://", c->url);
	while (url.len > 8 && url.data[url.len - 1] == '/')
		url.len--;
	bool good = url.len > 8 && !strpbrk(url.data + 8, " \t?#");
	if (good)
		c->url = arena_text(memory, url.data, url.len);
	else
		buf_format(problem,
			   "the collector's address '%s' is not of the form https://HOST:PORT",
			   c->url);
	buf_finish(&url);
	return good;
}

static bool check_file(const char *path, const char *what, const char *option, struct buf *problem)
{
	if (!path)
		buf_format(problem,
			   "%s is not given; name it with --%s FILE or in the configuration", what,
			   option);
	else if (access(path, R_OK))
		buf_format(problem, "%s: cannot read %s (%s)", path, what, strerror(errno));
	else
		return true;
	return false;
}

bool connection_find(const struct cli_arguments *arguments, struct arena *memory,
		     struct connection *out, struct buf *problem)
{
	const char *const *values = arguments->values;
	bool complete = values[OPTION_COLLECTOR] && values[OPTION_CA] && values[OPTION_CERT] &&
			values[OPTION_KEY] && !values[OPTION_CONFIG];
	const char *file = complete ? NULL : find_file(arguments, memory);

	*out = (struct connection){ 0 };
	if (file && !read_file(file, memory, out, problem))
		return false;
	if (values[OPTION_COLLECTOR])
		out->url = values[OPTION_COLLECTOR];
	if (values[OPTION_CA])
		out->ca = values[OPTION_CA];
	if (values[OPTION_CERT])
		out->certificate = values[OPTION_CERT];
	if (values[OPTION_KEY])
		out->key = values[OPTION_KEY];
	if (!out->url) {
		buf_text(problem,
			 "no collector is given; name it with --collector https://HOST:PORT, "
			 "or in a file with --config or $VIGIE_CONFIG "
			 "(~/.config/vigie/vigie.yaml if neither is there)");
		return false;
	}
	return fix_url(out, memory, problem) &&
	       check_file(out->ca, "the authority's certificate", "ca", problem) &&
	       check_file(out->certificate, "the own certificate", "cert", problem) &&
	       check_file(out->key, "the own private key", "key", problem);
}
