/* SPDX-License-Identifier: Apache-2.0
 *
 * DICOM: who calls whom, who is refused, and where images go. */
#include "events/judge.h"

#include <string.h>

enum { REJECTS = 5 };

static bool is_declared(const struct view *v, const char *title)
{
	return title && expected_has(&v->expect->ae_titles, title);
}

static void judge_default(const struct view *v, const char *calling, const char *called)
{
	if (!view_flag(v, "dicom.default_ae") || is_declared(v, calling) || is_declared(v, called))
		return;
	view_raise(v, EVENT_DICOM_DEFAULT_AE, WEIGHT_NOTE, ONCE,
		   "%s calls %s: at least one of the two is an AE title that software comes with",
		   calling ? calling : "a title that was not seen",
		   called ? called : "one that was not seen");
}

static void judge_caller(const struct view *v, const char *calling)
{
	const struct ip_addr *ip = &v->flow->client.ip;
	bool new_title = view_is_new(v, "ae", calling, NULL, NULL);
	bool new_place = view_is_new(v, "ae-from", calling, NULL, ip);
	char client[END_TEXT];

	if (v->expect->ae_titles.count && !expected_has(&v->expect->ae_titles, calling))
		view_raise(v, EVENT_DICOM_UNKNOWN_AE, WEIGHT_WARNING, ONCE,
			   "%s in %s is not among the AE titles that are expected", calling,
			   view_end(&v->flow->client, client));
	else if (new_title && !v->learning && !v->expect->ae_titles.count)
		view_raise(v, EVENT_DICOM_UNKNOWN_AE, WEIGHT_NOTE, ONCE,
			   "%s in %s was never seen to call before", calling,
			   view_end(&v->flow->client, client));
	if (new_place && !new_title && !v->learning)
		view_raise(v, EVENT_DICOM_NEW_ADDRESS, WEIGHT_WARNING, ONCE,
			   "%s calls from an address in %s from which it never called before",
			   calling, view_end(&v->flow->client, client));
}

/* Of one client, whoever it calls and by whatever title. */
static void judge_result(const struct view *v)
{
	const char *result = view_text(v, "dicom.association");
	char client[END_TEXT];

	if (!result || v->flow->interim)
		return;
	uint64_t *row = view_memory(v, "rejects", NULL, NULL, &v->flow->client.ip);
	*row = strcmp(result, "rejected") ? 0 : *row + 1;
	if (*row >= REJECTS)
		view_raise(
			v, EVENT_DICOM_REJECTED, WEIGHT_WARNING, EACH_RECORD,
			"%u associations in a row from %s were rejected: titles are being tried, "
			"or a device is set up wrongly",
			(unsigned)*row, view_end(&v->flow->client, client));
}

static void judge_destination(const struct view *v, const char *title)
{
	bool known_archive = !view_is_new(v, "moves", NULL, NULL, &v->flow->server.ip);
	bool is_new = view_is_new(v, "moves-to", title, NULL, &v->flow->server.ip);

	if (v->expect->ae_titles.count) {
		if (!expected_has(&v->expect->ae_titles, title))
			view_raise(v, EVENT_DICOM_NEW_DESTINATION, WEIGHT_WARNING, ONCE,
				   "images were sent for to %s, which is not among the AE titles "
				   "that are expected",
				   title);
	} else if (is_new && known_archive && !v->learning) {
		view_raise(v, EVENT_DICOM_NEW_DESTINATION, WEIGHT_WARNING, ONCE,
			   "images were sent for to %s, which never got any from there before",
			   title);
	}
}

static void judge_retrieval(const struct view *v)
{
	const struct record_attribute *to = view_attribute(v, "dicom.move_destination");
	uint64_t images = view_number(v, "dicom.suboperations_completed");
	char client[END_TEXT];

	for (size_t i = 0; to && i < to->count; i++)
		judge_destination(v, to->texts[i]);
	if (images >= v->expect->bulk_images)
		view_raise(v, EVENT_DICOM_BULK, WEIGHT_GRAVE, ONCE,
			   "%s had %llu images retrieved at a time, %llu or more being unusual",
			   view_end(&v->flow->client, client), (unsigned long long)images,
			   (unsigned long long)v->expect->bulk_images);
}

static const char *const apps[] = { "dicom", NULL };

static void judge(const struct view *v)
{
	const char *calling, *called;

	if (!view_app_is(v, apps))
		return;
	calling = view_text(v, "dicom.calling_ae");
	called = view_text(v, "dicom.called_ae");
	judge_default(v, calling, called);
	if (view_text(v, "dicom.scanner"))
		view_raise(v, EVENT_DICOM_SCANNER, WEIGHT_WARNING, ONCE,
			   "an association was asked for as a network scanner does it");
	judge_result(v);
	if (calling && strcmp(calling, "invalid") != 0)
		judge_caller(v, calling);
	judge_retrieval(v);
}

const struct family dicom_family = { .judge = judge, .apps = apps };
