/* SPDX-License-Identifier: Apache-2.0
 *
 * Live interfaces through the pipeline, until a signal ends it. */
#pragma once

#include <signal.h>

#include "daemon/notify.h"
#include "sensor/live.h"
#include "sensor/pipeline.h"
#include "sensor/status_server.h"

struct monitor {
	struct live *const *inputs;
	size_t count;
	struct pipeline *pipeline;
	struct counters *counters;
	struct output *output;
	const volatile sig_atomic_t *stop, *reload;
	/* Called between two packets after SIGHUP; says itself what went wrong. */
	void (*on_reload)(void *context);
	void *context;
	struct notify *notify; /* is told that we live */
	struct status_server *status;
	status_fill *fill;  /* of `status`; calls monitor_status() */
	struct fare *fares; /* the monitor's own */
};

/* What the monitor knows of its interfaces and workers. */
void monitor_status(const struct monitor *m, struct status *out);

/* 0 after a signal, 1 when the output failed or every interface has gone. Open
 * flows are ended and written before it returns. */
int monitor_run(struct monitor *m);
