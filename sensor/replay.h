/* SPDX-License-Identifier: Apache-2.0
 *
 * Captures through the pipeline, one after the other. */
#pragma once

#include <signal.h>

#include "sensor/pipeline.h"

struct replay {
	const char *const *files; /* "-" is standard input */
	size_t count;
	struct pipeline *pipeline;
	struct counters *counters;
	struct output *output;
	const volatile sig_atomic_t *stop;
};

/* Opens each file once, to tell before anything is written that one of them is
 * no capture. False when one is not; the sentence has been logged. */
bool replay_check(const char *const *files, size_t count);

/* Identifies the input's content; never 0. For standard input it is new each
 * time. */
uint64_t replay_epoch(const char *const *files, size_t count, const void *salt, size_t salt_length);

/* 0 when all was read, 3 when an input could not be read whole or the replay was
 * interrupted, 1 when the output failed (exit codes of docs/records.md). */
int replay_run(const struct replay *r);
