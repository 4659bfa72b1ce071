/* SPDX-License-Identifier: Apache-2.0
 *
 * Every counter of the sensor, once: the row makes the struct member, the name
 * in health records, the summary line and the manual. Whatever is dropped,
 * evicted, refused or not understood has a row here.
 * X(member, "name", "unit", "meaning") */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define COUNTERS(X) \
	X(packets, "packets", "packets", "frames read from the input") \
	X(bytes, "bytes", "bytes", "wire bytes of the frames read") \
	X(drops_kernel, "drops.kernel", "packets", "frames that found no room in the capture ring")        \
	X(drops_interface, "drops.interface", "packets", "frames that the capture device or its driver dropped") \
	X(unclaimed, "frames.unclaimed", "frames", "frames that the kernel counts as dropped by the device (rx_dropped), for most of them nobody but a capture wanted: a note, no loss") \
	X(drops_softnet, "drops.softnet", "packets", "frames that the kernel's queues dropped, of any interface of this machine; those of the capture's are in drops.interface, too") \
	X(frames_damaged, "frames.damaged", "packets", "frames that came with a wrong checksum, alignment or length, and were not shown to the capture") \
	X(drops_handover, "drops.handover", "packets", "packets for another worker, whose queue was full") \
	X(handed_over, "packets.handed-over", "packets", "packets that one worker read and another one handled") \
	X(metered, "packets.metered", "packets", "IP packets counted in a flow") \
	X(shed, "packets.shed", "packets", "IP packets counted for their two segments only, because the sensor was overloaded") \
	X(truncated, "packets.truncated", "packets", "frames captured shorter than they were on the wire") \
	X(oversized, "packets.oversized", "packets", "frames longer than the interface's MTU allows: offloads joined packets, so there were more of them") \
	X(non_ip, "packets.non-ip", "packets", "frames of other protocols than IP") \
	X(malformed_link, "malformed.link", "packets", "link-layer header cut short or wrong") \
	X(malformed_ip, "malformed.ip", "packets", "IP header cut short or contradicting itself") \
	X(malformed_transport, "malformed.transport", "packets", "TCP, UDP or ICMP header cut short or wrong; metered without ports where it can be") \
	X(malformed_tunnel, "malformed.tunnel", "packets", "encapsulation header wrong, or nested too deep; metered by the outer addresses") \
	X(unknown_link, "packets.unknown-link-type", "packets", "link-layer type that is not decoded") \
	X(fragments, "fragments", "packets", "IP fragments seen") \
	X(fragments_reassembled, "fragments.reassembled", "datagrams", "datagrams put together from fragments") \
	X(fragments_overlap, "fragments.overlap", "packets", "fragments that overlap others; never believed") \
	X(fragments_orphan, "fragments.orphan", "packets", "later fragments whose first one was not seen; metered without ports") \
	X(fragments_expired, "fragments.expired", "datagrams", "datagrams given up for age or room") \
	X(copies_mirror, "copies.mirror", "packets", "identical frames shown again by the mirror, not counted twice") \
	X(copies_routed, "copies.routed", "packets", "packets seen again behind a router, not counted twice") \
	X(clock_back, "clock.back", "packets", "time stamps earlier than one already seen") \
	X(clock_jump, "clock.jump", "jumps", "time stamps more than an hour ahead of the clock, which waits for a second one") \
	X(clock_steps, "clock.steps", "steps", "times that this machine's clock was set by half a second or more, forward or back") \
	X(flows, "flows", "flows", "flows opened") \
	X(flows_closed, "flows.closed", "flows", "flows ended, for any reason") \
	X(flows_evicted, "flows.evicted", "flows", "flows ended early because the table was full") \
	X(records_interim, "records.interim", "records", "records of flows that went on") \
	X(contexts_refused, "contexts.refused", "flows", "flows not dissected because all dissection slots were in use") \
	X(claims, "dissectors.claims", "flows", "flows that a dissector recognised") \
	X(dissect_malformed, "dissectors.malformed", "flows", "claimed flows whose bytes broke the protocol's rules") \
	X(attributes_dropped, "attributes.dropped", "values", "dissector values that found no room in a record") \
	X(attributes_invalid, "attributes.invalid", "values", "texts outside their grammar, shown as the word invalid") \
	X(stream_gaps, "reassembly.gaps", "gaps", "holes in streams that a dissector read on behind") \
	X(stream_overflow, "reassembly.overflow", "times", "stream bytes given up because a direction's buffer was full") \
	X(dpi_flows, "dpi.flows", "flows", "flows shown to nDPI") \
	X(dpi_packets, "dpi.packets", "packets", "packets shown to nDPI") \
	X(dpi_refused, "dpi.refused", "flows", "flows not shown to nDPI because its slots were in use") \
	X(dpi_recalled, "dpi.recalled", "flows", "flows not shown to nDPI, because it is remembered what their server speaks") \
	X(dpi_rechecks, "dpi.rechecks", "flows", "flows shown to nDPI although their server is remembered, to notice a change") \
	X(dpi_changed, "dpi.changed", "servers", "servers forgotten because a flow was of something else") \
	X(dpi_memory, "dpi.memory", "bytes", "memory that nDPI holds; a level, not a sum") \
	X(shed_level, "shed.level", "level", "how much work is left out, 0 to 4; a level, not a sum") \
	X(shed_raised, "shed.raised", "times", "how often the level went up") \
	X(shed_dpi, "shed.dpi", "flows", "flows that nDPI would have looked at") \
	X(shed_dissection, "shed.dissection", "flows", "flows with payload that our dissectors were not shown") \
	X(shed_flows, "shed.flows", "flows", "one-packet flows given up by the full table that have no record of their own") \
	X(shed_pairs_full, "shed.pairs-full", "packets", "packets counted without their segments, because the table of pairs was full") \
	X(alerts, "alerts", "alerts", "findings raised, before folding") \
	X(events, "events", "events", "events found in records (docs/events.md), before they were folded into alerts") \
	X(events_forgotten, "events.forgotten", "entries", "what events compare with was forgotten to make room for newer") \
	X(alerts_table_full, "alerts.table-full", "alerts", "alerts sent at once because the folding table was full") \
	X(alerts_summed, "alerts.summed", "alerts", "findings folded by their segments, without addresses, because the folding table was full and the sensor overloaded") \
	X(assets, "assets", "hosts", "hosts met: an address that shows another MAC is another one") \
	X(assets_evicted, "assets.evicted", "hosts", "hosts forgotten because the table was full, or their address had too many tenants") \
	X(assets_refused, "assets.refused", "times", "times that a host found no room in the table") \
	X(asset_facts_refused, "assets.facts-refused", "facts", "facts about hosts that found no room") \
	X(asset_facts_replaced, "assets.facts-replaced", "facts", "facts about hosts given up for newer ones of the same field") \
	X(records, "records", "records", "records handed to the output") \
	X(batches, "spool.batches", "batches", "batches written to the spool") \
	X(batches_known, "spool.batches-known", "batches", "batches that an earlier replay had written already") \
	X(spool_refused, "spool.refused", "records", "records lost because the spool could not take them")
/* clang-format on */

struct counters {
#define COUNTER_MEMBER(member, name, unit, meaning) uint64_t member;
	COUNTERS(COUNTER_MEMBER)
#undef COUNTER_MEMBER
};

struct counter_info {
	const char *name, *unit, *meaning;
	size_t offset; /* of the uint64_t in struct counters */
	bool level;    /* what is now, no sum: health records tell it as it is */
};

#define COUNTER_ONE(member, name, unit, meaning) +1
enum { COUNTER_COUNT = 0 COUNTERS(COUNTER_ONE) };
#undef COUNTER_ONE

extern const struct counter_info counter_infos[COUNTER_COUNT];

uint64_t counter_value(const struct counters *c, size_t i);

/* Adds another's, of another worker say; of a level, the higher one stays. */
void counters_add(struct counters *sum, const struct counters *more);
/* Adds what came to `now` since `then`; of a level, the higher one stays. */
void counters_add_since(struct counters *sum, const struct counters *now,
			const struct counters *then);

/* Every frame read is accounted for exactly once (with several workers, in the sum
 * of theirs):
 *   packets = packets.metered + packets.shed + copies.mirror + copies.routed
 *             + packets.non-ip + packets.unknown-link-type + malformed.link
 *             + malformed.ip + drops.handover
 * All other counters of packets say more about frames that are among these. */
bool counters_add_up(const struct counters *c);

/* Frames and packets that were lost after they came to this machine: in the ring,
 * in the device, in the queue to another worker. */
uint64_t counters_lost(const struct counters *c);
