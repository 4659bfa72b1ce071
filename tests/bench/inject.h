/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames into the receiving side of an interface, as if they had just come in:
 * a small XDP program, run by the kernel for each (live frames of
 * BPF_PROG_TEST_RUN), hands them to the network stack. Needs root. */
#pragma once

#include "tests/bench/load.h"

struct inject;

/* Of `frames` or of `floods` (as many as `flood_count`, in turns). NULL with a
 * cause in `why`. */
struct inject *inject_open(const char *interface, const struct frames *frames,
			   const struct flood *floods, size_t flood_count, char why[256]);
void inject_close(struct inject *i); /* accepts NULL */

/* Offers up to `most` frames, for at most `seconds` (or a part of them, where floods
 * take turns), `rate` a second (0: as many as possible). How many they were; or
 * -errno. Takes SIGALRM and its timer for itself; ends early at any other signal. */
int64_t inject_send(struct inject *i, uint64_t most, double seconds, double rate);
uint64_t inject_bytes(const struct inject *i); /* offered so far */
