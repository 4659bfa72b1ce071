/* SPDX-License-Identifier: Apache-2.0
 *
 * The main thread of a live sensor: while the workers capture, it obeys signals,
 * tells the service manager, and says what befalls the interfaces. */
#pragma once

#include <signal.h>

#include "daemon/notify.h"
#include "sensor/crew.h"

struct monitor {
	struct crew *crew;
	size_t interfaces;
	bool can_rejoin; /* interfaces that went are taken again when they are back */
	const volatile sig_atomic_t *stop, *reload;
	/* Called after SIGHUP; says itself what went wrong. */
	void (*on_reload)(void *context);
	void *context;
	struct notify *notify; /* is told that we live */
};

/* 0 after a signal, 1 when the output failed or every interface has gone for good.
 * The crew is running, and still is when this returns. */
int monitor_run(struct monitor *m);
