/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands that ask the collector. Both give the program's exit code. */
#pragma once

#include "collector/cli_options.h"

int query_run(const struct cli_arguments *arguments);
int query_run_sql(const struct cli_arguments *arguments);
