/* SPDX-License-Identifier: Apache-2.0 */
#include "site/view.h"

#include <stdarg.h>
#include <string.h>

#include "base/line.h"

enum { END_TEXT = 128, APP_TEXT = 63 }; /* END_TEXT: with its NUL */

/* A sentence that was cut short must not end within a UTF-8 character. */
static void end_cleanly(const struct line *l, const char *begin)
{
	char *at = l->at;

	if (at < l->last)
		return;
	while (at > begin && ((unsigned char)at[-1] & 0xc0) == 0x80)
		at--;
	if (at > begin && (unsigned char)at[-1] >= 0xc0)
		at[-1] = '\0';
}

/* Texts one behind the other; NULL ends them. */
__attribute__((sentinel)) static void say(struct line *l, ...)
{
	va_list texts;

	va_start(texts, l);
	for (const char *text; (text = va_arg(texts, const char *));)
		line_bytes(l, text, strlen(text));
	va_end(texts);
}

/* Room for an end of the flow within the sentence. */
static struct line part_of(const struct line *l)
{
	size_t room = (size_t)(l->last - l->at);

	return (struct line){ l->at, l->at + (room < END_TEXT - 1 ? room : END_TEXT - 1) };
}

/* "icu (life-critical)", "Acme Imaging", "an address outside the hospital". */
static void describe(struct line *l, const struct view *v, const struct segment *end,
		     bool with_impact)
{
	const char *name = end->name;
	struct line part = part_of(l);

	if (end == v->site->external)
		name = v->vendor ? v->vendor->name : "an address outside the hospital";
	else if (end == v->site->unknown_internal)
		name = "an internal address that no segment claims";
	line_text(&part, name);
	if (with_impact && impact_is_clinical(end->impact))
		say(&part, " (", impact_name(end->impact), ")", NULL);
	l->at = part.at;
}

static void describe_client(struct line *l, const struct view *v, bool with_impact)
{
	struct line part = part_of(l);

	if (!v->by_way_in) {
		describe(l, v, v->from, with_impact);
		return;
	}
	if (v->candidate)
		say(&part, v->candidate->name, "'s way in", NULL);
	else
		line_text(&part, "a way in that vendors share");
	l->at = part.at;
}

static void describe_service(struct line *l, const struct view *v)
{
	char number[4];

	if (v->app) {
		line_bytes(l, v->app, strnlen(v->app, APP_TEXT));
		return;
	}
	line_text(l, protocol_name(v->flow->protocol, number));
	if (v->flow->server_port) {
		line_text(l, " port ");
		line_u64(l, v->flow->server_port);
	}
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

/* "labs may reach lab-systems over hl7" */
static void explain_allowed(struct line *l, const struct view *v)
{
	describe_client(l, v, false);
	if (v->at_way_in) {
		line_text(l, " uses its declared way in over ");
		describe_service(l, v);
		return;
	}
	line_text(l, " may reach ");
	describe(l, v, v->to, false);
	line_text(l, " over ");
	describe_service(l, v);
	if (v->exception)
		say(l, " until ", v->exception->until_text, ": ", v->exception->reason, NULL);
}

static void explain_shed(struct line *l, const struct view *v)
{
	line_text(l, "what ");
	describe_client(l, v, false);
	line_text(l, " may speak with ");
	describe(l, v, v->to, false);
	line_text(l, " depends on the app, which an overloaded sensor did not look for");
}

static void explain_good(struct line *l, const struct view *v, enum verdict verdict)
{
	if (v->shed)
		explain_shed(l, v);
	else if (v->nameless)
		say(l, "whether ", v->inside->name,
		    " reached a vendor depends on its name, which an overloaded sensor did not "
		    "look for",
		    NULL);
	else if (verdict == VERDICT_NOT_EVALUATED)
		line_text(l, "no site file was given to judge by");
	else if (verdict == VERDICT_INTRA_SEGMENT && v->local_peer)
		line_text(l, "broadcast, multicast and link-local traffic stays in its segment");
	else if (verdict == VERDICT_INTRA_SEGMENT) {
		line_text(l, "both ends are in ");
		describe(l, v, v->to, false);
	} else {
		explain_allowed(l, v);
	}
}

static void say_why(const struct view *v, const struct judgement *out, struct line *l)
{
	if (v->expired && out->rule == v->expired->id) {
		say(l, "exception ", v->expired->id, " for this ended on ", v->expired->until_text,
		    NULL);
	} else if (out->verdict == VERDICT_VENDOR_UNEXPECTED) {
		line_text(l, complaint(v));
	} else if (out->verdict == VERDICT_UNKNOWN_THIRD_PARTY) {
		line_text(l, "no vendor entry claims it");
	} else if (out->verdict == VERDICT_WRONG_SERVICE ||
		   out->verdict == VERDICT_WRONG_DIRECTION) {
		say(l, "conduit ", v->near->id,
		    out->verdict == VERDICT_WRONG_SERVICE ? " allows other services only"
							  : " allows this the other way only",
		    NULL);
	} else {
		line_text(l, "no conduit joins the two");
		line_text(l, v->near ? " in this direction" : "");
	}
}

static void explain_bad(struct line *l, const struct view *v, const struct judgement *out)
{
	describe_client(l, v, true);
	line_text(l, " reached ");
	describe(l, v, v->to, true);
	line_text(l, " over ");
	describe_service(l, v);
	line_text(l, "; ");
	say_why(v, out, l);
}

void view_explain(const struct view *v, struct judgement *out)
{
	struct line l = line_in(out->reason, sizeof(out->reason));

	if (out->verdict <= VERDICT_VENDOR)
		explain_good(&l, v, out->verdict);
	else
		explain_bad(&l, v, out);
	end_cleanly(&l, out->reason);
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
