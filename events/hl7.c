/* SPDX-License-Identifier: Apache-2.0
 *
 * HL7 v2: who sends, what, and whether it is answered. */
#include "events/judge.h"

#include <stdio.h>
#include <string.h>

enum { NAKS = 5, NAK_SHARE = 10, UNANSWERED = 3, SENDER = 132, TYPE = 3 };

/* Declared by its application alone, or together with its facility. */
static bool is_expected(const struct view *v, const char *app, const char *facility)
{
	char both[SENDER];

	if (expected_has(&v->expect->hl7_senders, app))
		return true;
	if (!facility)
		return false;
	snprintf(both, sizeof(both), "%s^%s", app, facility);
	return expected_has(&v->expect->hl7_senders, both);
}

static void judge_sender(const struct view *v, const char *app, const char *facility)
{
	bool new_app = view_is_new(v, "hl7", app, facility, NULL);
	bool new_place = view_is_new(v, "hl7-from", app, facility, &v->flow->client.ip);
	char client[END_TEXT];

	if (v->expect->hl7_senders.count && !is_expected(v, app, facility))
		view_raise(v, EVENT_HL7_UNKNOWN_SENDER, WEIGHT_WARNING, ONCE,
			   "%s in %s is not among the HL7 senders that are expected", app,
			   view_end(&v->flow->client, client));
	else if (new_app && !v->learning && !v->expect->hl7_senders.count)
		view_raise(v, EVENT_HL7_UNKNOWN_SENDER, WEIGHT_NOTE, ONCE,
			   "%s in %s was never seen to send before", app,
			   view_end(&v->flow->client, client));
	if (new_place && !new_app && !v->learning)
		view_raise(v, EVENT_HL7_NEW_ADDRESS, WEIGHT_WARNING, ONCE,
			   "%s sends from an address in %s from which it never sent before", app,
			   view_end(&v->flow->client, client));
}

/* Both directions name senders: the client's is the first that was seen. */
static void judge_senders(const struct view *v)
{
	const char *app = view_text(v, "hl7.sending_app");

	if (app && strcmp(app, "invalid") != 0)
		judge_sender(v, app, view_text(v, "hl7.sending_facility"));
}

/* ORU is declared for ORU^R01 and all its like. */
static bool type_is_expected(const struct view *v, const char *type)
{
	char bare[TYPE + 1], event[2 * TYPE + 2];

	snprintf(bare, sizeof(bare), "%s", type);
	snprintf(event, sizeof(event), "%s", type);
	return expected_has(&v->expect->hl7_types, type) ||
	       expected_has(&v->expect->hl7_types, event) ||
	       expected_has(&v->expect->hl7_types, bare);
}

static void judge_type(const struct view *v, const char *type)
{
	char pair[IP_TEXT], server[END_TEXT];

	ip_text(&v->flow->client.ip, pair);
	bool known_pair = !view_is_new(v, "hl7-pair", pair, NULL, &v->flow->server.ip);
	bool is_new = view_is_new(v, "hl7-type", pair, type, &v->flow->server.ip);

	if (v->expect->hl7_types.count) {
		if (!type_is_expected(v, type))
			view_raise(v, EVENT_HL7_UNEXPECTED_TYPE, WEIGHT_WARNING, ONCE,
				   "%s came to %s and is not among the message types that are "
				   "expected",
				   type, view_end(&v->flow->server, server));
	} else if (is_new && known_pair && !v->learning) {
		view_raise(v, EVENT_HL7_UNEXPECTED_TYPE, WEIGHT_NOTE, ONCE,
			   "%s came to %s from one that never sent this type before", type,
			   view_end(&v->flow->server, server));
	}
}

static void judge_types(const struct view *v)
{
	const struct record_attribute *types = view_attribute(v, "hl7.message_type");

	for (size_t i = 0; types && i < types->count; i++)
		if (strcmp(types->texts[i], "invalid") != 0)
			judge_type(v, types->texts[i]);
}

static void judge_answers(const struct view *v)
{
	uint64_t good = view_number(v, "hl7.ack_aa") + view_number(v, "hl7.ack_ca");
	uint64_t bad = view_number(v, "hl7.ack_ae") + view_number(v, "hl7.ack_ar") +
		       view_number(v, "hl7.ack_ce") + view_number(v, "hl7.ack_cr") +
		       view_number(v, "hl7.mllp_naks");
	uint64_t unanswered = view_number(v, "hl7.unanswered");
	char server[END_TEXT];

	if (bad >= NAKS && bad * NAK_SHARE >= good + bad)
		view_raise(v, EVENT_HL7_NAKS, WEIGHT_WARNING, EACH_RECORD,
			   "%s answered %llu of %llu messages with an error",
			   view_end(&v->flow->server, server), (unsigned long long)bad,
			   (unsigned long long)(good + bad));
	if (unanswered >= UNANSWERED)
		view_raise(v, EVENT_HL7_UNANSWERED, WEIGHT_WARNING, EACH_RECORD,
			   "%s left %llu messages without an answer",
			   view_end(&v->flow->server, server), (unsigned long long)unanswered);
}

static const char *const apps[] = { "hl7", NULL };

static void judge(const struct view *v)
{
	if (!view_app_is(v, apps))
		return;
	judge_senders(v);
	judge_types(v);
	judge_answers(v);
}

const struct family hl7_family = { .judge = judge, .apps = apps };
