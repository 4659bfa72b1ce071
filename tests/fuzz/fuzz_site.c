/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "site/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses a text buffer on some broken inputs; not ours to mend. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

/* Judges a flow between the places that the first and last bytes name. */
static void judge(const struct site *s, const uint8_t *data, size_t size)
{
	struct site_flow f = { .protocol = data[0], .server_port = data[size - 1], .app = "ssh" };
	struct judgement j;
	uint8_t a[4] = { 10, data[0], data[size / 2], 1 }, b[4] = { 10, data[size - 1], 0, 1 };

	f.client_ip = ip_from_v4(a);
	f.server_ip = ip_from_v4(b);
	f.client = site_locate(s, &f.client_ip, data[0], a);
	f.server = site_locate(s, &f.server_ip, data[size / 2], b);
	f.server_name = "www.acme.example";
	site_judge(s, &f, &j);
	assert(j.verdict < VERDICT_COUNT && memchr(j.reason, 0, sizeof(j.reason)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems = { 0 };
	struct site_counts counts;
	struct site *s = site_read("fuzz", size ? data : (const uint8_t *)"", size,
				   (struct usec){ 0 }, &problems, &counts);

	assert(!s == (!counts.readable || counts.mistakes > 0));
	assert(problems.count >= counts.mistakes + counts.findings);
	if (s && size)
		judge(s, data, size);
	site_free(s);
	problems_finish(&problems);
	return 0;
}
