/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dissectors/product_words.h"
#include "schema/attributes.h"

static void expect(const char *text, const char *words)
{
	char out[PRODUCT_WORDS_MOST + 1] = "";
	size_t n = product_words(text, strlen(text), out);

	cr_expect_eq(n, strlen(words), "%s gives %zu: %s", text, n, out);
	cr_expect(!memcmp(out, words, strlen(words)), "%s gives %s", text, out);
}

Test(product_words, real_descriptions)
{
	expect("Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 12.2(55)SE",
	       "Cisco IOS Software C2960");
	expect("Debian GNU/Linux 12 (bookworm) Linux 6.1.0-13-amd64 #1 SMP x86_64",
	       "Debian GNU/Linux 12 (bookworm)");
	expect("HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT,JD153",
	       "HP ETHERNET MULTI-ENVIRONMENT");
	expect("Brother NC-8300w, Firmware Ver.1.01 ,MID 8C5-B03", "Brother NC-8300w Firmware");
	expect("dhcpcd-9.4.1:Linux-5.10.0:x86_64:GenuineIntel", "dhcpcd-9.4.1");
	expect("MSFT 5.0", "MSFT 5.0");
	expect("GE CARESCAPE", "GE CARESCAPE");
	expect("Linux/3.14.0 UPnP/1.0 IpBridge/1.26.0", "Linux/3.14.0 UPnP/1.0");
	expect("Linux, UPnP/1.0, Portable SDK for UPnP devices/1.6.19",
	       "Linux UPnP/1.0 Portable SDK for");
	expect("MacBookPro14,3", "MacBookPro14");
	expect("Hardware: Intel64 Family 6 - Software: Windows Version 10.0 (Build 19041 "
	       "Multiprocessor)",
	       "Windows Version 10.0 (Build");
}

Test(product_words, the_host_s_name_of_uname_is_left_out)
{
	expect("Linux zzphi-ward3 6.1.0-13-amd64 #1 SMP PREEMPT_DYNAMIC", "Linux 6.1.0-13-amd64");
	expect("Linux 3zzphi 6.1.0-13-amd64 #1 SMP", "Linux 6.1.0-13-amd64");
	expect("FreeBSD zzphi.chu.example 13.1-RELEASE FreeBSD", "FreeBSD 13.1-RELEASE FreeBSD");
	expect("SunOS zzphi 5.11 11.4", "SunOS 5.11 11.4");
	expect("Linux 6.1.0 x86_64", "Linux 6.1.0 x86_64");
	expect("Linux zzphi", "Linux");
	expect("Linux", "Linux");
}

Test(product_words, what_does_not_fit_ends_it)
{
	expect("", "");
	expect("   ", "");
	expect("\nsecond line", "");
	expect("first\nsecond", "first");
	expect("M\xc3\xbcller's box", "");
	expect("box of <zzphi>", "box of");
	expect("abcdefghijklmnopqrstuvwxyz0123456789", "");
	expect("a b c d e f g", "a b c d e f");
	expect(",,, a", "");
}

Test(product_words, every_truncation_fits_the_grammar)
{
	static const char text[] =
		"Linux zzphi 6.1.0-13-amd64 (x) Hardware: y - Software: z, 12;\r\n";

	for (size_t n = 0; n <= sizeof(text); n++) {
		char *exact = malloc(n ? n : 1), out[PRODUCT_WORDS_MOST];
		memcpy(exact, text, n);
		size_t length = product_words(exact, n, out);
		cr_expect(!length || grammar_accepts(GRAMMAR_PRODUCT, out, length), "%zu", n);
		free(exact);
	}
}
