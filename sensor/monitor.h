/* SPDX-License-Identifier: Apache-2.0
 *
 * The main thread of a live sensor: while the workers capture, it obeys signals,
 * answers `vigie-sensor status`, tells the service manager, and says what befalls the
 * interfaces. */
#pragma once

#include <signal.h>

#include "daemon/notify.h"
#include "sensor/crew.h"
#include "sensor/status_server.h"

struct monitor {
	struct crew *crew;
	struct outlet *outlet;
	size_t interfaces;
	struct ports *ports;
	bool can_rejoin; /* interfaces that went are taken again when they are back */
	const volatile sig_atomic_t *stop, *reload;
	/* Called after SIGHUP; says itself what went wrong. */
	void (*on_reload)(void *context);
	void *context;
	struct notify *notify; /* is told that we live */
	struct status_server *status;
	status_fill *fill; /* of `status`; calls monitor_status() */
	/* the monitor's own */
	int64_t told; /* second when the manager was told last; 0: never */
	uint64_t told_packets;
	struct fare *fares;
	struct worker_view view; /* of one worker, in passing */
};

/* What the monitor knows of its interfaces and workers. */
void monitor_status(struct monitor *m, struct status *out);

/* 0 after a signal, 1 when the output failed or every interface has gone for good.
 * The crew is running, and still is when this returns. */
int monitor_run(struct monitor *m);
