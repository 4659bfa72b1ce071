/* SPDX-License-Identifier: Apache-2.0
 *
 * A flow while it is judged: what the rules found, for the reason in words. */
#pragma once

#include "site/model.h"

/* How well a vendor's declaration covers a flow, from the least on. */
enum fit { FIT_NOT_SEGMENT, FIT_NOT_SERVICE, FIT_NOT_WAY, FIT_WHOLLY };

struct view {
	const struct site *site;
	const struct site_flow *flow;
	const struct segment *from, *to;
	const struct segment *inside; /* the other end of an external one, or NULL */
	const char *app;              /* NULL while unknown; the protocol where it has no ports */
	char number[4];               /* for protocol_name() */
	const struct vendor *vendor;  /* who claims the external end, or NULL */
	bool local_peer;
	bool shed;     /* the app would have decided, and is unknown because of overload */
	bool nameless; /* a name would have */
	const struct rule *exception;   /* the one that allows it */
	const struct rule *expired;     /* one that did */
	const struct rule *near;        /* a conduit that joins the two in another manner */
	const struct vendor *candidate; /* whose declaration was held against it */
	enum fit fit;                   /* how that went */
	unsigned considered;            /* how many vendors it could be */
	bool by_way_in;                 /* the client is a way in of theirs */
	bool at_way_in;                 /* the server is */
};

/* One plain sentence: segments, app and vendor, never an address. */
void view_explain(const struct view *v, struct judgement *out);
/* An ATT&CK technique (v15 ids), or NULL where none fits. */
const char *view_technique(const struct view *v, enum verdict verdict);
