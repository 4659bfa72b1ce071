/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the collector is, and how to prove who we are: from options, and for
 * what they leave open from a file. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "collector/cli_options.h"

struct connection {
	const char *url;                    /* https://HOST:PORT, no slash at the end */
	const char *ca, *certificate, *key; /* PEM files */
	const char *from;                   /* the file that was read, or NULL */
};

/* Texts live in `memory`, or in argv. False with what is missing or wrong, one
 * or several lines. Paths in a file are relative to the file's folder. */
bool connection_find(const struct cli_arguments *arguments, struct arena *memory,
		     struct connection *out, struct buf *problem);
