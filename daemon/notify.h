/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells the service manager how the program is: sd_notify(3)'s protocol, which
 * is documented as stable, in a datagram of our own. libsystemd would do the
 * same, and bring compression and cryptography into every program for it.
 *
 * Without a manager (no $NOTIFY_SOCKET) all of this does nothing. The socket is
 * opened once, so that it outlives the sandbox. */
#pragma once

#include "base/clock.h"

struct notify {
	int fd;            /* connected datagram socket; -1: nobody listens */
	struct usec pause; /* between two signs of life; 0: none are wanted */
	struct usec due;   /* monotonic; when the next one is */
	char status[128];  /* as last told */
};

/* Takes $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. 0, or -errno when the
 * manager named a socket that cannot be reached: worth a warning, no more. */
int notify_open(struct notify *n);
void notify_close(struct notify *n);

void notify_ready(struct notify *n); /* also once a reload is done */
void notify_reloading(struct notify *n);
void notify_stopping(struct notify *n);

/* One line for `systemctl status`; told only when it differs from the last. */
void notify_status(struct notify *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A sign of life, when one is due. To be called from where work is done, several
 * times a second; a program that is stuck does not come by, and is restarted. */
void notify_alive(struct notify *n, struct usec now);
