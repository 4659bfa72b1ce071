/* SPDX-License-Identifier: Apache-2.0
 *
 * What a destination is: somewhere that batches go. To add one:
 * exporters/NAME.c and a line in exporters/meson.build.
 *
 * The shipper reads the spool, hands batches of a stream over in order, and
 * moves the destination's acknowledged position only past batches that were
 * delivered or refused. A destination may have several batches on their way. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/yaml.h"
#include "daemon/sandbox.h"
#include "exporters/spool.h"

enum delivery {
	DELIVERED, /* durable at the destination */
	DELAYED,   /* not now: try again, after `retry_after` when it is not zero */
	REFUSED,   /* never: the batch is quarantined, with `reason`, and the row goes on */
};

struct delivery_report {
	uint64_t ticket;
	enum delivery outcome;
	struct usec retry_after;
	const char
		*reason; /* printable; borrowed until the callback returns; NULL when delivered */
};

typedef void delivery_done(void *context, const struct delivery_report *report);

struct exporter_option {
	const char *name;     /* key in the destination's map */
	const char *type;     /* "text", "path", "url", "number", "span", "flag" */
	const char *standard; /* default as text; NULL: required */
	const char *meaning;
};

/* Relative paths are relative to the working folder, which the shipper sets to
 * the configuration's. */
struct exporter {
	const char *name; /* `type:` in the configuration */
	const char *summary;
	const struct exporter_option *options; /* ends with a NULL name */
	size_t state_size;                     /* allocated zeroed, and freed, by the shipper */

	/* Reads and checks its options, and notes mistakes at their places (yaml_problem);
	 * changes nothing on disk and connects nowhere. Unknown and missing keys are noted
	 * by the shipper. Map and sensor name outlive the state. */
	void (*configure)(void *state, const struct yaml_node *destination, const char *sensor);
	/* Names the files that open() and all that comes after it need; called between
	 * the two, since everything else is out of reach from open() on. */
	void (*reach)(const void *state, struct sandbox *sandbox);
	/* Opens what can be opened now; only after a configure without mistakes. 0, or
	 * -errno with `why`: cause and remedy. */
	int (*open)(void *state, char why[256]);
	/* Takes one batch (the frame is lent until this returns). 0 when accepted: a
	 * report with this ticket follows; -EAGAIN when it can hold no more now. */
	int (*submit)(void *state, uint64_t ticket, const struct spool_frame *frame);
	/* Works for at most `wait`, calling `done` once per finished ticket. 0, or -errno
	 * when this destination will not work again (its pipe is closed, its disk broken). */
	int (*poll)(void *state, struct usec wait, delivery_done *done, void *context);
	void (*close)(void *state); /* also called when open failed, or never was called */
};

extern const struct exporter *const exporters[];        /* NULL-terminated */
const struct exporter *exporter_find(const char *name); /* or NULL */
