/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "sensor/decode_parts.h"

static const struct {
	const char *name;
	bool has_id; /* always shown, also as 0 */
} tunnel_types[] = {
	[TUNNEL_GRE] = { "gre", false },        [TUNNEL_ERSPAN1] = { "erspan1", false },
	[TUNNEL_ERSPAN2] = { "erspan2", true }, [TUNNEL_ERSPAN3] = { "erspan3", true },
	[TUNNEL_VXLAN] = { "vxlan", true },     [TUNNEL_GENEVE] = { "geneve", true },
	[TUNNEL_IPIP] = { "ipip", false },      [TUNNEL_GTPU] = { "gtpu", true },
	[TUNNEL_TEREDO] = { "teredo", false },
};

struct decoder *decoder_create(size_t fragment_slots, struct counters *counters)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->counters = counters;
	d->fragments = fragments_create(fragment_slots, counters);
	if (!d->fragments) {
		free(d);
		return NULL;
	}
	return d;
}

void decoder_destroy(struct decoder *d)
{
	if (!d)
		return;
	fragments_destroy(d->fragments);
	free(d);
}

/* The rest of `out` is written with the IP header. */
static void begin(struct packet *out, const struct frame *frame)
{
	out->time = frame->time;
	out->wire = frame->wire;
	out->truncated = frame->captured < frame->wire;
	out->oversized = frame->oversized;
	out->interface = frame->interface & 31;
	out->has_mac = false;
	out->vlan_count = 0;
	out->tunnel_count = 0;
}

static enum decode_result settle(struct counters *c, enum step step)
{
	switch (step) {
	case STEP_IP:
		return DECODE_OK;
	case STEP_NOT_IP:
		c->non_ip++;
		return DECODE_NOT_IP;
	case STEP_UNKNOWN_LINK:
		c->unknown_link++;
		return DECODE_NOT_IP;
	case STEP_BAD_LINK:
		c->malformed_link++;
		return DECODE_BROKEN;
	case STEP_BAD_IP:
		break;
	}
	c->malformed_ip++;
	return DECODE_BROKEN;
}

enum decode_result decode(struct decoder *d, const struct frame *frame, struct packet *out)
{
	struct walk w = { .decoder = d, .out = out };
	struct span s = { frame->bytes, frame->captured, frame->wire - frame->captured };

	begin(out, frame);
	d->has_frame = false;
	d->counters->packets++;
	d->counters->bytes += frame->wire;
	d->counters->truncated += out->truncated;
	d->counters->oversized += out->oversized;
	return settle(d->counters, link_frame(&w, frame->link_type, s));
}

const struct packet *decode_frame(const struct decoder *d)
{
	return d->has_frame ? &d->frame : NULL;
}

bool decode_knows(uint16_t link_type)
{
	struct packet packet = { 0 };
	struct walk w = { .out = &packet };
	struct span nothing = { NULL, 0, 0 };

	return link_frame(&w, link_type, nothing) != STEP_UNKNOWN_LINK;
}

char *tunnel_text(const struct tunnel *t, char out[24])
{
	if (t->id || tunnel_types[t->type].has_id)
		snprintf(out, 24, "%s:%u", tunnel_types[t->type].name, t->id);
	else
		snprintf(out, 24, "%s", tunnel_types[t->type].name);
	return out;
}
