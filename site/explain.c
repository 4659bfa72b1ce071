/* SPDX-License-Identifier: Apache-2.0 */
#include "site/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/line.h"

enum { END_TEXT = 128, OVER_TEXT = 80, REASON = sizeof((struct judgement){ 0 }.reason) };

/* A sentence that was cut short must not end within a UTF-8 character. */
static void end_cleanly(char *text, size_t room)
{
	size_t n = strlen(text), at = n;

	if (n + 1 < room)
		return;
	while (at && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
		at--;
	if (at && (unsigned char)text[at - 1] >= 0xc0)
		text[at - 1] = '\0';
}

__attribute__((format(printf, 2, 3))) static void say(char out[REASON], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out, REASON, format, args);
	va_end(args);
	end_cleanly(out, REASON);
}

/* "icu (life-critical)", "Acme Imaging", "an address outside the hospital". */
static const char *describe(const struct view *v, const struct segment *end, bool with_impact,
			    char out[END_TEXT])
{
	const char *name = end->name;

	if (end == v->site->external)
		name = v->vendor ? v->vendor->name : "an address outside the hospital";
	else if (end == v->site->unknown_internal)
		name = "an internal address that no segment claims";
	struct line l = line_in(out, END_TEXT);
	line_text(&l, name);
	if (with_impact && impact_is_clinical(end->impact)) {
		line_text(&l, " (");
		line_text(&l, impact_name(end->impact));
		line_text(&l, ")");
	}
	return out;
}

static const char *describe_client(const struct view *v, bool with_impact, char out[END_TEXT])
{
	if (!v->by_way_in)
		return describe(v, v->from, with_impact, out);
	if (v->candidate)
		snprintf(out, END_TEXT, "%s's way in", v->candidate->name);
	else
		snprintf(out, END_TEXT, "a way in that vendors share");
	return out;
}

static const char *describe_service(const struct view *v, char out[OVER_TEXT])
{
	char number[4];
	struct line l = line_in(out, OVER_TEXT);

	if (v->app) {
		line_bytes(&l, v->app, strnlen(v->app, 63));
		return out;
	}
	line_text(&l, protocol_name(v->flow->protocol, number));
	if (v->flow->server_port) {
		line_text(&l, " port ");
		line_u64(&l, v->flow->server_port);
	}
	return out;
}

static const char *complaint(const struct view *v)
{
	switch (v->fit) {
	case FIT_NOT_SEGMENT:
		return "the vendor is not declared for this segment";
	case FIT_NOT_SERVICE:
		return "the vendor is not declared for this service";
	default:
		return "the vendor did not come through its declared way in";
	}
}

static void explain_good(const struct view *v, struct judgement *out)
{
	char from[END_TEXT], to[END_TEXT], over[OVER_TEXT];

	describe_client(v, false, from);
	describe(v, v->to, false, to);
	describe_service(v, over);
	if (v->shed)
		say(out->reason,
		    "what %s may speak with %s depends on the app, which an overloaded sensor "
		    "did not look for",
		    from, to);
	else if (v->nameless)
		say(out->reason,
		    "whether %s reached a vendor depends on its name, which an overloaded sensor "
		    "did not look for",
		    v->inside->name);
	else if (out->verdict == VERDICT_NOT_EVALUATED)
		say(out->reason, "no site file was given to judge by");
	else if (out->verdict == VERDICT_INTRA_SEGMENT && v->local_peer)
		say(out->reason,
		    "broadcast, multicast and link-local traffic stays in its segment");
	else if (out->verdict == VERDICT_INTRA_SEGMENT)
		say(out->reason, "both ends are in %s", to);
	else if (v->at_way_in)
		say(out->reason, "%s uses its declared way in over %s", from, over);
	else if (v->exception)
		say(out->reason, "%s may reach %s over %s until %s: %s", from, to, over,
		    v->exception->until_text, v->exception->reason);
	else
		say(out->reason, "%s may reach %s over %s", from, to, over);
}

static void say_why(const struct view *v, const struct judgement *out, struct line *l)
{
	if (v->expired && out->rule == v->expired->id) {
		line_text(l, "exception ");
		line_text(l, v->expired->id);
		line_text(l, " for this ended on ");
		line_text(l, v->expired->until_text);
	} else if (out->verdict == VERDICT_VENDOR_UNEXPECTED) {
		line_text(l, complaint(v));
	} else if (out->verdict == VERDICT_UNKNOWN_THIRD_PARTY) {
		line_text(l, "no vendor entry claims it");
	} else if (out->verdict == VERDICT_WRONG_SERVICE ||
		   out->verdict == VERDICT_WRONG_DIRECTION) {
		line_text(l, "conduit ");
		line_text(l, v->near->id);
		line_text(l, out->verdict == VERDICT_WRONG_SERVICE
				     ? " allows other services only"
				     : " allows this the other way only");
	} else {
		line_text(l, "no conduit joins the two");
		line_text(l, v->near ? " in this direction" : "");
	}
}

static void explain_bad(const struct view *v, struct judgement *out)
{
	char text[END_TEXT];
	struct line l = line_in(out->reason, REASON);

	line_text(&l, describe_client(v, true, text));
	line_text(&l, " reached ");
	line_text(&l, describe(v, v->to, true, text));
	line_text(&l, " over ");
	line_text(&l, describe_service(v, text));
	line_text(&l, "; ");
	say_why(v, out, &l);
	end_cleanly(out->reason, REASON);
}

void view_explain(const struct view *v, struct judgement *out)
{
	if (out->verdict <= VERDICT_VENDOR)
		explain_good(v, out);
	else
		explain_bad(v, out);
}

struct technique {
	const char *app;
	uint16_t port; /* where it is while the app is unknown */
	const char *id;
};

static const char *find_technique(const struct view *v, const struct technique *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (v->app ? !strcmp(v->app, table[i].app)
			   : table[i].port && v->flow->server_port == table[i].port)
			return table[i].id;
	}
	return NULL;
}

const char *view_technique(const struct view *v, enum verdict verdict)
{
	/* Remote services, by which an intruder moves on. */
	static const struct technique lateral[] = {
		{ "rdp", 3389, "T1021.001" },   { "smb", 445, "T1021.002" },
		{ "ssh", 22, "T1021.004" },     { "vnc", 5900, "T1021.005" },
		{ "winrm", 5985, "T1021.006" }, { "telnet", 23, "T1021" },
	};
	/* Programs that let somebody outside look at a screen inside. */
	static const struct technique outward[] = {
		{ "anydesk", 0, "T1219" },     { "teamviewer", 0, "T1219" },
		{ "rustdesk", 0, "T1219" },    { "splashtop", 0, "T1219" },
		{ "gotomeeting", 0, "T1219" },
	};
	size_t lateral_count = sizeof(lateral) / sizeof(*lateral);

	if (verdict < VERDICT_VENDOR_OUT_OF_HOURS)
		return NULL;
	if (v->to == v->site->external)
		return find_technique(v, outward, sizeof(outward) / sizeof(*outward));
	const char *id = find_technique(v, lateral, lateral_count);
	/* From outside it is not yet lateral: an external remote service. */
	return id && v->from == v->site->external ? "T1133" : id;
}
