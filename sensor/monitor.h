/* SPDX-License-Identifier: Apache-2.0
 *
 * Live interfaces through the pipeline, until a signal ends it. */
#pragma once

#include <signal.h>

#include "daemon/notify.h"
#include "sensor/live.h"
#include "sensor/pipeline.h"
#include "sensor/ports.h"

struct monitor {
	struct live *const *inputs;
	size_t count;
	struct pipeline *pipeline;
	struct counters *counters;
	struct output *output;
	struct ports *ports; /* of the same interfaces in the same order */
	const volatile sig_atomic_t *stop, *reload;
	/* Called between two packets after SIGHUP; says itself what went wrong. */
	void (*on_reload)(void *context);
	void *context;
	struct notify *notify; /* is told that we live */
};

/* 0 after a signal, 1 when the output failed or every interface has gone. Open
 * flows are ended and written before it returns. */
int monitor_run(struct monitor *m);
