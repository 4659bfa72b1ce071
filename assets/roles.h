/* SPDX-License-Identifier: Apache-2.0
 *
 * From what was said of a host, and what it said itself, to what it is for: pure rules,
 * in tables. A conclusion has a confidence: high where the protocol leaves no choice (who
 * queries a worklist is a modality), medium where it is usual, low where it is a hint. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"

/* All roles there are; docs/records.md promises them. X("word", "meaning") */
#define HOST_ROLES(X) \
	X("modality", "makes images: CT, MR, ultrasound, ...") \
	X("archive", "stores images: PACS, vendor-neutral archive") \
	X("imaging-workstation", "looks for images and gets them") \
	X("worklist-server", "gives modalities their worklist: RIS, broker") \
	X("film-printer", "takes DICOM print jobs") \
	X("hl7-sender", "sends HL7 messages") \
	X("hl7-receiver", "takes HL7 messages") \
	X("patient-administration", "sends admissions, discharges and transfers") \
	X("monitor", "patient monitor") \
	X("monitor-gateway", "speaks for patient monitors, or gathers their data") \
	X("pump", "infusion pump") \
	X("pump-gateway", "speaks for infusion pumps") \
	X("medical-device", "a medical device of a kind not known") \
	X("analyser", "laboratory analyser, or point-of-care test device") \
	X("lis", "laboratory system, or data manager of point-of-care devices") \
	X("clinical-server", "offers clinical documents or records: FHIR, DICOMweb, XDS") \
	X("building-controller", "controls ventilation, heating, lighting, doors") \
	X("building-workstation", "operates building controllers") \
	X("plc", "programmable logic controller, or its input and output") \
	X("engineering-workstation", "operates or programs controllers") \
	X("printer", "prints") \
	X("camera", "network camera") \
	X("phone", "telephone") \
	X("access-point", "wireless access point") \
	X("switch", "network switch") \
	X("router", "forwards packets, or is somebody's gateway") \
	X("workstation", "a person's computer") \
	X("mobile", "telephone or tablet of a person") \
	X("server", "serves others") \
	X("name-server", "answers DNS") \
	X("address-server", "answers DHCP") \
	X("file-server", "serves files") \
	X("directory-server", "signs people in: domain controller") \
	X("remote-access-target", "is operated from elsewhere: RDP, VNC, SSH, ...") \
	X("remote-access-source", "operates others")

bool is_host_role(const char *word);

/* One conclusion from a flow; `from` is a field's or an application's name. All static,
 * or borrowed from the flow. */
struct role_guess {
	const char *role, *from;
	enum confidence confidence;
};

enum { ROLE_GUESSES = 8 };

/* What a flow's record says of one of its ends. Confidence is never above that of the
 * application. How many were written. */
size_t roles_of_flow(const struct record_flow *f, bool server, struct role_guess out[ROLE_GUESSES]);

/* Whether what this field says of an end may be believed: a title by which somebody was
 * called, and refused, is not its own. */
bool fact_holds(const struct record_flow *f, const char *field);

/* Whether a host that is the one is not the other as well: a modality that takes what was
 * moved to it is no archive. The surer one is told. */
bool roles_exclude(const char *a, const char *b);

/* What a fact tells beyond itself; NULL where it tells nothing. */
struct fact_sense {
	const char *name; /* what it is about: "model", "os", "ae_title"; never NULL */
	const char *role, *os;
	enum confidence role_confidence, os_confidence;
	bool passing; /* it shows the host at its address, and nothing that lasts */
};
/* `field` is "dissector.noun"; `value` has its grammar. Static, or borrowed from `field`. */
struct fact_sense fact_sense(const char *field, const char *value);

/* Makers of little else; low confidence. NULL: no hint. */
const char *role_of_vendor(const char *vendor);

/* By the TTL that systems start with (RFC 1340 and usual practice); low confidence.
 * NULL: none of them. */
const char *os_of_ttl(uint8_t ttl);

/* What kind of host goes by such a name: a role, or NULL. The name itself is not kept:
 * it may be a person's. Low confidence. */
const char *host_name_class(const char *name);
