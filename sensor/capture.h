/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames from captures: pcap and pcapng, both byte orders, microseconds and
 * nanoseconds, several interfaces, gzip or not, a file or standard input. Both
 * formats have a reader of ours (pcap_file, pcapng_file over source): libpcap
 * refuses interfaces that differ, does not gunzip, and costs twice the time. */
#pragma once

#include "sensor/decode.h"

struct capture;

/* Opens a file, or standard input for "-". NULL with `why` (one sentence that
 * names the cause and the remedy) when it is no capture. */
struct capture *capture_open(const char *path, char why[256]);
void capture_close(struct capture *c); /* accepts NULL */

/* 1 with a frame, 0 at the end, -EIO when the input broke off or is damaged:
 * then capture_problem() says where. Frames read before stay good. A wire length
 * that no frame can have (fuzzed captures) is taken as the captured one. */
int capture_next(struct capture *c, struct frame *out);
/* Asks to be called before the bytes of frames handed out so far are overwritten;
 * until then they stay good, and not just until the next frame. Closing tells
 * nobody. */
void capture_before_reuse(struct capture *c, void (*call)(void *context), void *context);
const char *capture_problem(const struct capture *c);

/* For progress: bytes of the file read so far and in all (0: not known). */
void capture_progress(const struct capture *c, uint64_t *done, uint64_t *all);

/* Identifies the input's content, for a replay's epoch (exporters/spool.h): the
 * same file gives the same value; 0 for standard input. Of a file over 64 MiB it
 * reads samples. */
uint64_t capture_fingerprint(const char *path);
