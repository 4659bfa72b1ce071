/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines that come too often: held back, and counted. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "base/log.h"

#define SECONDS(n) ((struct usec){ (int64_t)(n)*USEC_PER_SECOND })

Test(log, one_line_passes_per_interval)
{
	struct log_limit limit = { .interval = SECONDS(10) };
	uint64_t held = 99;

	cr_assert(log_limit_pass(&limit, SECONDS(100), &held));
	cr_assert_eq(held, 0);
	for (int64_t i = 0; i < 7; i++)
		cr_assert_not(log_limit_pass(&limit, SECONDS(100 + i), &held));
	cr_assert_not(log_limit_pass(&limit, (struct usec){ SECONDS(110).v - 1 }, &held));
	cr_assert_eq(held, 0, "told only when a line passes");
	cr_assert(log_limit_pass(&limit, SECONDS(110), &held));
	cr_assert_eq(held, 8);
	cr_assert_not(log_limit_pass(&limit, SECONDS(119), &held));
	cr_assert(log_limit_pass(&limit, SECONDS(1000), &held));
	cr_assert_eq(held, 1, "the count starts anew");
}

Test(log, kinds_do_not_hold_each_other_back)
{
	struct log_limit a = { .interval = SECONDS(10) }, b = a;
	uint64_t held;

	cr_assert(log_limit_pass(&a, SECONDS(1), &held));
	cr_assert(log_limit_pass(&b, SECONDS(1), &held));
	cr_assert_not(log_limit_pass(&a, SECONDS(2), &held));
}

Test(log, the_next_line_says_how_many_were_held_back, .init = cr_redirect_stderr)
{
	struct log_limit limit = { .interval = SECONDS(3600) };
	char text[512] = "";

	log_init("test", LOG_INFO);
	for (int i = 0; i < 4; i++)
		log_limited(&limit, LOG_WARN, "line %d", i);
	log_limited(&limit, LOG_DEBUG, "not printed, so not held back");
	limit.next.v = 0;
	log_limited(&limit, LOG_WARN, "line %d", 4);
	fflush(stderr);
	FILE *said = cr_get_redirected_stderr();
	size_t n = fread(text, 1, sizeof(text) - 1, said);
	text[n] = '\0';
	cr_assert_str_eq(text, "test: warning: line 0\n"
			       "test: warning: line 4 (3 more like this were held back)\n");
}
