/* SPDX-License-Identifier: Apache-2.0
 *
 * The status socket: whoever connects gets one document, and is hung up on. There
 * are no clients that last: an answer that does not go out at once, in one piece,
 * is dropped and counted, so nobody can hold the sensor up. Nothing is ever read. */
#pragma once

#include "sensor/config.h"
#include "sensor/status.h"

#define STATUS_FOLDER "/run/vigie"

enum { STATUS_PATH = 108 }; /* of a UNIX socket, NUL included */

struct status_server {
	int fd;                    /* listens; -1: there is no status socket */
	int statm;                 /* /proc/self/statm; -1: none */
	struct usec began, second; /* monotonic; second: of the last sample */
	struct usec budget;        /* monotonic; when `left` is filled up again */
	unsigned left;             /* clients that may still be answered until then */
	uint64_t answered, dropped;
	struct status_rates rates;
	struct spool_gauge *gauge; /* NULL: no spool */
	struct buf document;
	struct status snapshot;
};

/* Where a sensor's socket is: as configured, or STATUS_FOLDER/sensor-NAME.sock. */
void status_path(const struct sensor_config *c, char out[STATUS_PATH]);

/* Opens the socket (mode 0660) as the configuration says, before the sandbox and
 * as the user who goes on. One that nobody listens to any more is replaced. No
 * socket is opened when it is turned off, or when none is configured and the
 * folder is not there or not ours to write. 0, or -errno with `why`. The server
 * is to be closed in any case. */
int status_open(struct status_server *s, const struct sensor_config *c, char why[256]);
void status_close(struct status_server *s); /* leaves the file: the sandbox forbids more */

/* Fills in what only the sensor knows: names, interfaces, workers, tables. The
 * rest, zeroed, is the server's. */
typedef void status_fill(void *context, struct status *out);

/* What to poll for reading; -1: nothing now. */
int status_descriptor(const struct status_server *s);

/* Answers who waits, a few at a time, and keeps the rates; never blocks. To be
 * called several times a second, whether or not the descriptor is readable. */
void status_serve(struct status_server *s, struct usec now, status_fill *fill, void *context);
