/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines that come too often: held back, and counted. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define SECONDS(n) ((struct usec){ (int64_t)(n)*USEC_PER_SECOND })
#define MINUTE \
	{ \
		.interval = { 60LL * USEC_PER_SECOND } \
	}

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

Test(log, a_burst_passes_first)
{
	struct log_limit limit = { .interval = SECONDS(10), .burst = 3 };
	uint64_t held;

	for (int64_t i = 0; i < 3; i++)
		cr_assert(log_limit_pass(&limit, SECONDS(100 + i), &held));
	cr_assert_not(log_limit_pass(&limit, SECONDS(103), &held));
	cr_assert_not(log_limit_pass(&limit, SECONDS(109), &held));
	cr_assert(log_limit_pass(&limit, SECONDS(110), &held), "the interval began with the first");
	cr_assert_eq(held, 2);
}

static const char *said(void)
{
	static char text[1024];

	fflush(stderr);
	size_t n = fread(text, 1, sizeof(text) - 1, cr_get_redirected_stderr());
	text[n] = '\0';
	return text;
}

Test(log, the_next_line_says_how_many_were_held_back, .init = cr_redirect_stderr)
{
	static struct log_limit limit = MINUTE;

	log_init("test", LOG_INFO);
	for (int i = 0; i < 4; i++)
		log_limited(&limit, LOG_WARN, "line %d", i);
	log_limited(&limit, LOG_DEBUG, "not printed, so not held back");
	limit.next.v = 0;
	log_limited(&limit, LOG_WARN, "line %d", 4);
	cr_assert_str_eq(said(), "test: warning: line 0\n"
				 "test: warning: line 4 (3 more like this were held back)\n");
}

Test(log, the_latest_is_told_when_the_interval_is_over, .init = cr_redirect_stderr)
{
	static struct log_limit limit = MINUTE, other = MINUTE;
	struct usec now = clock_monotonic();

	log_init("test", LOG_INFO);
	for (int i = 0; i < 4; i++)
		log_limited(&limit, LOG_WARN, "line %d", i);
	for (int i = 0; i < 2; i++)
		log_limited(&other, LOG_INFO, "other %d", i);
	log_tick((struct usec){ now.v + SECONDS(59).v });
	log_tick((struct usec){ now.v + SECONDS(62).v });
	log_tick((struct usec){ now.v + SECONDS(200).v });
	log_limited(&limit, LOG_WARN, "held back since the tick began an interval");
	const char *text = said();
	cr_assert(strstr(text, "test: warning: line 3 (2 more like this were held back)\n"), "%s",
		  text);
	cr_assert(strstr(text, "test: other 0\ntest: other 1\n"), "one alone is just printed: %s",
		  text);
	cr_assert_not(strstr(text, "began an interval"));
}

Test(log, what_is_held_is_told_before_its_limit_goes, .init = cr_redirect_stderr)
{
	struct log_limit *limit = calloc(1, sizeof(*limit));

	limit->interval = SECONDS(60);
	log_init("test", LOG_INFO);
	for (int i = 0; i < 3; i++)
		log_limited(limit, LOG_ERROR, "line %d", i);
	log_limit_finish(limit);
	log_limit_finish(limit); /* nothing is left */
	free(limit);
	log_tick((struct usec){ clock_monotonic().v + SECONDS(3600).v });
	cr_assert_str_eq(said(), "test: error: line 0\n"
				 "test: error: line 2 (1 more like this were held back)\n");
}

/* In a process of its own: exit() tells. */
Test(log, what_is_held_is_told_at_exit)
{
	int ends[2];
	char text[256] = "";

	cr_assert_eq(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		static struct log_limit limit = MINUTE;
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		log_init("test", LOG_INFO);
		for (int i = 0; i < 5; i++)
			log_limited(&limit, LOG_WARN, "line %d", i);
		exit(0);
	}
	close(ends[1]);
	size_t n = 0;
	for (ssize_t more; (more = read(ends[0], text + n, sizeof(text) - 1 - n)) > 0;)
		n += (size_t)more;
	close(ends[0]);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_str_eq(text, "test: warning: line 0\n"
			       "test: warning: line 4 (3 more like this were held back)\n");
}
