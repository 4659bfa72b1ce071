/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "dissectors/hostname_class.h"

static void expect(const char *name, const char *class)
{
	cr_expect_str_eq(hostname_class(name, strlen(name)), class, "%s is a %s", name,
			 hostname_class(name, strlen(name)));
}

Test(hostname_class, makers_defaults)
{
	expect("DESKTOP-4F7K2QX", "windows-default");
	expect("LAPTOP-9A8B7C6D", "windows-default");
	expect("WIN-1A2B3C4D5E6", "windows-default");
	expect("NPI1A2B3C", "printer");
	expect("BRN30055C123456", "printer");
	expect("BRW30055C123456.chu.example", "printer");
	expect("SEP0011223344AA", "phone");
	expect("axis-00408c123456", "camera");
	expect("android-0123456789abcdef", "android");
	expect("ESP-1A2B3C", "embedded");
}

/* One digit more or less is somebody's own idea. */
Test(hostname_class, what_only_looks_like_a_default)
{
	expect("NPI1A2B3", "other");
	expect("BRN30055C12345G", "other");
	expect("SEP0011223344AAF", "other");
	expect("desktop-of-somebody", "workstation");
}

Test(hostname_class, words)
{
	expect("ct-01", "modality");
	expect("CT02", "modality");
	expect("radiology-mr3", "modality");
	expect("scanner", "modality");
	expect("us-2.echo.chu.example", "modality");
	expect("pacs", "clinical");
	expect("hl7-engine", "clinical");
	expect("srv-sql-2", "server");
	expect("DC01", "server");
	expect("sw-12", "network");
	expect("PC-0412", "workstation");
	expect("MacBook-Pro", "apple");
	expect("raspberrypi", "embedded");
	expect("ipcam3", "camera");
}

/* The class is of the thing, whoever's name stands beside it. */
Test(hostname_class, persons_are_no_class)
{
	expect("ZZPHI-doe-ipad", "apple");
	expect("dr-zzphi", "other");
	expect("us-embassy", "other");
	expect("mr-zzphi", "other");
	expect("octopus", "other");
	expect("dictation", "other");
	expect("macula", "other");
	expect("-", "other");
	expect("\xc3\xa9t\xc3\xa9", "other");
}

Test(hostname_class, only_the_first_label_counts)
{
	expect("zzphi.printer.chu.example", "other");
	cr_expect_null(hostname_class("", 0));
	cr_expect_null(hostname_class(".printer", 8));
}

Test(hostname_class, every_truncation_and_a_long_one)
{
	static const char name[] = "BRN30055C123456-printer-ct01-android-0123456789abcdef-ipad-srv-"
				   "and-so-on-and-so-on-printer";
	for (size_t n = 1; n < sizeof(name); n++) {
		char *exact = malloc(n);
		memcpy(exact, name, n);
		cr_expect(hostname_class(exact, n));
		free(exact);
	}
}
