/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program can still do once it has started: the system calls that it
 * needs (seccomp) and the files that it needs (Landlock), and no others.
 *
 * An attempt at anything else fails with EPERM or EACCES, and the kernel's audit
 * log has it; the program goes on, since libraries try things harmlessly. Running
 * a program, or reaching into another's memory, ends the process at once: nothing
 * in here ever does that unless somebody else has taken over. Threads can be
 * started inside, processes cannot.
 *
 * In a sanitizer build there is no sandbox: sanitizers need what it refuses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum sandbox_profile {
	SANDBOX_SENSOR_REPLAY, /* reads captures, writes records; no socket, no executable page */
	SANDBOX_SENSOR_LIVE,   /* and receives on sockets that were opened before */
	SANDBOX_SHIPPER,       /* connects to destinations and name servers */
	SANDBOX_COLLECTOR,     /* serves on a socket that was opened before */
};

enum sandbox_access {
	SANDBOX_READ,         /* a file, or a folder and what it holds */
	SANDBOX_WRITE,        /* the same, also to change: make, rename and remove files */
	SANDBOX_READ_BESIDE,  /* a file that others may replace: all of its folder is readable */
	SANDBOX_WRITE_BESIDE, /* a file that we replace: all of its folder is writable. Of a
				 device or pipe: only itself */
};

enum { SANDBOX_MUTE_MOST = 64 };

struct sandbox {
	enum sandbox_profile profile;
	int send_fd; /* the one descriptor that a sensor may send on (struct notify); or -1 */
	int mute[SANDBOX_MUTE_MOST]; /* descriptors that nothing may be written to: captures */
	size_t mute_count;
	struct sandbox_path {
		const char *path;
		enum sandbox_access access;
	} * paths; /* sandbox_allow() */
	size_t count, room;
	int failed; /* -ENOMEM of sandbox_allow(), told by sandbox_enter() */
};

void sandbox_init(struct sandbox *s, enum sandbox_profile profile);
void sandbox_finish(struct sandbox *s);

/* The path is lent until sandbox_enter(); NULL is no path, and one that does not
 * exist then grants nothing. Time zones and what the profile's libraries read are
 * granted anyway. */
void sandbox_allow(struct sandbox *s, enum sandbox_access access, const char *path);

/* Nothing can be written to, or sent on, this descriptor any more. To be closed
 * last: a file that got its number could not be written either. */
void sandbox_mute(struct sandbox *s, int fd);

/* Enters, for good; to be called before any thread is started. A kernel without
 * Landlock, or with less of it, is said in the log. 0, or -errno with `why`:
 * cause and remedy; then the program must not go on. */
int sandbox_enter(const struct sandbox *s, char why[256]);

/* Says in the log what --no-sandbox gives up. */
void sandbox_warn_without(void);
