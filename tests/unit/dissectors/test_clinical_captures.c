/* SPDX-License-Identifier: Apache-2.0
 *
 * Clinical protocols on captures of real programs (of ASTM and IntelliVue, on simulations),
 * and on everything else: what is
 * listed in clinical-captures.txt is found exactly so (the figures there were
 * held against tshark's), and no other capture is claimed. The captures are not
 * part of the tree: VIGIE_SHARED names the folder above `pcaps`. */
#define _XOPEN_SOURCE 700
#include <criterion/criterion.h>
#include <ftw.h>

#include "tests/unit/dissectors/capture.h"

extern const struct dissector dissector_dicom, dissector_hl7, dissector_astm, dissector_intellivue,
	dissector_carescape, dissector_ieee11073;

static const struct dissector *const subjects[] = { &dissector_dicom,     &dissector_hl7,
						    &dissector_astm,      &dissector_intellivue,
						    &dissector_carescape, &dissector_ieee11073 };

enum { TEXT_MOST = 1 << 16 };

static char expected[1 << 17];
static size_t root_length;
static unsigned files, claimed;

static void load_expected(void)
{
	FILE *f = fopen(SOURCE_ROOT "/tests/unit/dissectors/clinical-captures.txt", "r");

	cr_assert(f);
	expected[fread(expected, 1, sizeof(expected) - 1, f)] = '\0';
	fclose(f);
}

/* The lines below "== FILE DISSECTOR", up to the next head; "" without one. */
static void lookup(const char *file, const char *dissector, char out[TEXT_MOST])
{
	char head[600];

	snprintf(head, sizeof(head), "== %s %s\n", file, dissector);
	const char *block = strstr(expected, head);
	out[0] = '\0';
	if (!block)
		return;
	block += strlen(head);
	const char *end = strstr(block, "== ");
	size_t n = end ? (size_t)(end - block) : strlen(block);
	memcpy(out, block, n);
	out[n] = '\0';
}

static void check_once(const struct dissector *d, const char *path, size_t piece)
{
	static char found[TEXT_MOST], wanted[TEXT_MOST];
	struct capture *capture = capture_open(d, piece);

	capture_read(capture, path);
	capture_text(capture, found, sizeof(found));
	capture_close(capture);
	lookup(path + root_length, d->name, wanted);
	claimed += piece == 0 && *wanted;
	cr_expect(!strcmp(found, wanted), "%s, %s, pieces of %zu:\n%sshould be:\n%s", path, d->name,
		  piece, found, wanted);
	cr_expect(!strstr(found, "ZZ"), "%s: a canary got out", path);
}

static int check(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static char wanted[TEXT_MOST];

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	files++;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		check_once(subjects[i], path, 0);
		lookup(path + root_length, subjects[i]->name, wanted);
		if (!*wanted)
			continue;
		check_once(subjects[i], path, 1);
		check_once(subjects[i], path, 7);
		check_once(subjects[i], path, 1000);
	}
	return 0;
}

Test(clinical_captures, as_others_read_them)
{
	const char *shared = getenv("VIGIE_SHARED");
	char root[4000];
	struct stat st;

	snprintf(root, sizeof(root), "%s/pcaps/", shared ? shared : SOURCE_ROOT "/../shared");
	if (stat(root, &st))
		cr_skip_test("no captures in %s (VIGIE_SHARED)", root);
	root_length = strlen(root);
	load_expected();
	cr_assert(nftw(root, check, 16, FTW_PHYS) == 0);

	unsigned blocks = 0;
	for (const char *at = expected; (at = strstr(at, "== ")); at += 3)
		blocks++;
	cr_expect(claimed == blocks, "%u of %u captures are there", claimed, blocks);
	cr_expect(files > 100, "only %u files in %s", files, root);
}
