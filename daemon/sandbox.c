/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "daemon/sandbox_parts.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

void sandbox_init(struct sandbox *s, enum sandbox_profile profile)
{
	*s = (struct sandbox){ .profile = profile, .send_fd = -1 };
}

void sandbox_finish(struct sandbox *s)
{
	free(s->paths);
	*s = (struct sandbox){ .send_fd = -1 };
}

void sandbox_allow(struct sandbox *s, enum sandbox_access access, const char *path)
{
	if (!path || s->failed)
		return;
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 16;
		void *grown = reallocarray(s->paths, room, sizeof(*s->paths));
		if (!grown) {
			s->failed = -ENOMEM;
			return;
		}
		s->paths = grown;
		s->room = room;
	}
	s->paths[s->count++] = (struct sandbox_path){ path, access };
}

void sandbox_mute(struct sandbox *s, int fd)
{
	assert(s->mute_count < SANDBOX_MUTE_MOST);
	s->mute[s->mute_count++] = fd;
}

/* Landlock holds only for the thread that asks for it, and those it starts. */
static int is_single(char why[256])
{
	struct stat st;

	if (stat("/proc/self/task", &st) || st.st_nlink <= 3)
		return 0;
	snprintf(why, 256,
		 "the sandbox was asked for after threads were started: a mistake in "
		 "this program; --no-sandbox goes round it");
	return -EBUSY;
}

int sandbox_enter(const struct sandbox *s, char why[256])
{
	if (SANITIZED) {
		log_warn("this is a sanitizer build, for tests: it runs without its sandbox");
		return 0;
	}
	int error = s->failed ? s->failed : is_single(why);
	if (error == -ENOMEM)
		snprintf(why, 256, "no memory for the sandbox");
	errno = 0;
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		error = -errno;
		snprintf(why, 256, "no_new_privs cannot be set: %s; --no-sandbox goes without",
			 strerror(errno));
	}
	if (!error)
		error = landlock_enter(s, why);
	if (!error)
		error = filter_enter(s, why);
	return error;
}

void sandbox_warn_without(void)
{
	log_warn("no sandbox (--no-sandbox): whoever takes this program over can open any file and "
		 "socket, and run any program, that its user may");
}
