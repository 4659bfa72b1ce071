/* SPDX-License-Identifier: Apache-2.0
 *
 * What HL7 messages are for (table 0076, message types; table 0003, events), and
 * whose dialect they are written in. Mindray's patient data share protocol is known
 * from several independent clients of it: MSH-3 to MSH-8 are empty, and MSH-10, which
 * elsewhere identifies a message, is one of a few numbers that tell its kind. */
#include "dissectors/hl7_internal.h"

static const struct {
	const char *word, *types; /* three letters each */
} groups[] = {
	{ "adt", "ADT" },
	{ "orders", "ORM OML OMG OMP OMS OMN OMD OMB OMI OMQ RDE RDS RAS RGV RDY" },
	{ "results", "ORU OUL MDM OPU ORF" },
	{ "query", "QRY QBP QVR QCN QSB EQQ SPQ VQQ RQQ RQI RQC RQP RQA OSQ VXQ DSR" },
	{ "master", "MFN MFQ" },
	{ "device", "ESU ESR SSU SSR INU INR EAC EAN EAR TCU TCR LSU LSR" },
	{ "schedule", "SIU SRM SQM SQR" },
	{ "billing", "BAR DFT EHC" },
	{ "vaccination", "VXU VXX VXR" },
};

static const char *group_of(struct cursor type)
{
	if (cursor_starts(&type, "ORU^R40"))
		return "alarm";
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (const char *t = groups[i].types; *t; t += t[3] ? 4 : 3)
			if (memcmp(t, type.at, 3) == 0)
				return groups[i].word;
	return "other";
}

/* Events of chapter 3 that make one of two patients, visits or accounts. */
static bool is_merge(struct cursor type)
{
	static const char *const events[] = { "A18", "A30", "A34", "A35", "A36",
					      "A39", "A40", "A41", "A42" };

	if (!cursor_starts(&type, "ADT^"))
		return false;
	cursor_skip(&type, 4);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (cursor_starts(&type, events[i]))
			return true;
	return false;
}

void hl7_note_kind(struct hl7_call *call, struct cursor type)
{
	const char *word = group_of(type);

	hl7_note_word(call, F_GROUP, word);
	if (!strcmp(word, "query"))
		hl7_count(call, F_QUERIES, 1);
	if (is_merge(type))
		hl7_count(call, F_MERGES, 1);
}

enum { MINDRAY_ECHO = 106, MINDRAY_QUERY = 1203 };

/* The kind of a message of Mindray's; 0: MSH-10 is none of them. */
static unsigned mindray_kind(const struct cursor *id)
{
	static const struct {
		const char *text;
		unsigned kind;
	} rows[] = {
		{ "54", 54 },   { "56", 56 },   { "103", 103 },           { "106", MINDRAY_ECHO },
		{ "204", 204 }, { "503", 503 }, { "1203", MINDRAY_QUERY }
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (hl7_equals(id, rows[i].text))
			return rows[i].kind;
	return 0;
}

/* The monitor is asked once, and then sends on its own; both sides send echoes. */
void hl7_note_dialect(struct hl7_call *call, const struct cursor *fields, size_t count)
{
	struct hl7_side *side = call->side;

	if (count <= MSH(12) || !hl7_equals(&fields[MSH(12)], "2.3.1"))
		return;
	for (size_t i = 3; i <= 8; i++)
		if (cursor_left(&fields[MSH(i)]))
			return;
	unsigned kind = mindray_kind(&fields[MSH(10)]);
	bool asks = hl7_equals(&fields[MSH(9)], "QRY^R02");
	if (!kind || asks != (kind == MINDRAY_QUERY) ||
	    (!asks && !hl7_equals(&fields[MSH(9)], "ORU^R01")))
		return;
	call->flow->dialect = true;
	side->silent = true;
	hl7_note_word(call, F_DIALECT, "mindray");
	if (kind == MINDRAY_ECHO)
		return;
	side->role = asks ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
	if (asks || side->introduced)
		return;
	side->introduced = true;
	dissect_says(call->in, &hl7_fields[F_DIALECT], FACT_SENDER, "mindray", 7);
	dissect_says(call->in, &hl7_fields[F_ROLE], FACT_SENDER, "patient-monitor", 15);
}
