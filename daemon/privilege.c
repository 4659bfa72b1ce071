/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(char why[256], const char *what)
{
	int error = errno ? -errno : -EPERM;

	snprintf(why, 256,
		 "%s: %s; start the program as root with all of its capabilities, or as the user "
		 "that it shall be",
		 what, strerror(-error));
	return error;
}

/* Memory holds keys and what packets said. */
static int forbid_cores(char why[256])
{
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 }) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail(why, "core dumps cannot be turned off");
	return 0;
}

static int find_user(const char *name, struct passwd *out, char why[256])
{
	errno = 0;
	const struct passwd *found = getpwnam(name);

	if (found) {
		*out = *found;
		return 0;
	}
	snprintf(why, 256, "user: there is no user %.64s here; make one, or leave `user` out",
		 name);
	return -ENOENT;
}

static int become(const char *name, char why[256])
{
	struct passwd user;

	int error = find_user(name, &user, why);
	if (error)
		return error;
	if (geteuid() == user.pw_uid && getuid() == user.pw_uid)
		return 0; /* whoever started us saw to that, and to the groups */
	if (geteuid() != 0) {
		snprintf(why, 256,
			 "user: only root can become %.64s; start the program as root or as %.64s, "
			 "or leave `user` out",
			 name, name);
		return -EPERM;
	}
	errno = 0;
	if (initgroups(name, user.pw_gid) || setresgid(user.pw_gid, user.pw_gid, user.pw_gid) ||
	    setresuid(user.pw_uid, user.pw_uid, user.pw_uid))
		return fail(why, "user: cannot change to the user");
	/* What can be taken back was not given up. */
	if (user.pw_uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
		snprintf(why, 256, "user: root's rights came back; the system does not let go");
		return -EPERM;
	}
	return 0;
}

/* The bounding set goes first: emptying it is itself a capability, which is
 * lost with the user. Without that right it stays, and matters no more once
 * no_new_privs is set. */
static void empty_bounds(void)
{
	capng_get_caps_process();
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return;
	capng_clear(CAPNG_SELECT_BOUNDS);
	capng_apply(CAPNG_SELECT_BOUNDS);
}

static int empty_capabilities(char why[256])
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	capng_clear(CAPNG_SELECT_CAPS);
	errno = 0;
	if (capng_apply(CAPNG_SELECT_CAPS))
		return fail(why, "capabilities cannot be given up");
	capng_get_caps_process();
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) > CAPNG_NONE) {
		snprintf(why, 256,
			 "capabilities were given up, and are still there; this system "
			 "does not let go");
		return -EPERM;
	}
	return 0;
}

int privilege_drop(const char *user, char why[256])
{
	umask(0027);
	empty_bounds();
	int error = user ? become(user, why) : 0;
	if (!error)
		error = empty_capabilities(why);
	errno = 0;
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = fail(why, "no_new_privs cannot be set");
	/* Last: a change of user would turn dumps on or off as the system likes. */
	return error ? error : forbid_cores(why);
}
