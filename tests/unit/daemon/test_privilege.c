/* SPDX-License-Identifier: Apache-2.0
 *
 * What is left after everything was given up, by the kernel's own account. */
#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/privilege.h"

/* The value behind "NAME:" in /proc/self/status. */
static const char *status_of(const char *name)
{
	static char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	size_t n = strlen(name);

	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, n) && line[n] == ':')
			break;
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line + n + 2;
}

static void expect_powerless(void)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };
	struct rlimit core;

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		cr_assert_str_eq(status_of(sets[i]), "0000000000000000", "%s", sets[i]);
	cr_assert_str_eq(status_of("NoNewPrivs"), "1");
	cr_assert_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	cr_assert_eq(getrlimit(RLIMIT_CORE, &core), 0);
	cr_assert_eq(core.rlim_max, 0);
	cr_assert_eq(umask(0), 0027);
}

Test(privilege, who_stays_keeps_no_capability)
{
	char why[256] = "";
	uid_t before = getuid();

	cr_assert_eq(privilege_drop(NULL, why), 0, "%s", why);
	cr_assert_eq(getuid(), before);
	expect_powerless();
}

Test(privilege, root_becomes_the_user_with_its_groups)
{
	char why[256] = "";
	gid_t groups[64];

	if (geteuid() != 0)
		cr_skip_test("only root can become another user");
	const struct passwd *nobody = getpwnam("nobody");
	cr_assert_not_null(nobody);
	uid_t uid = nobody->pw_uid;
	gid_t gid = nobody->pw_gid;
	cr_assert_eq(privilege_drop("nobody", why), 0, "%s", why);
	cr_assert_eq(getuid(), uid);
	cr_assert_eq(geteuid(), uid);
	cr_assert_eq(getegid(), gid);
	int count = getgroups(64, groups);
	for (int i = 0; i < count; i++)
		cr_assert_neq(groups[i], 0, "root's group stayed");
	cr_assert_neq(setuid(0), 0);
	cr_assert_str_eq(status_of("CapBnd"), "0000000000000000");
	expect_powerless();
}

Test(privilege, an_unknown_user_is_named)
{
	char why[256] = "";

	cr_assert_eq(privilege_drop("no-such-user", why), -ENOENT);
	cr_assert(strstr(why, "there is no user no-such-user here"), "%s", why);
}

Test(privilege, others_cannot_become_somebody_else)
{
	char why[256] = "";

	if (geteuid() == 0) {
		const struct passwd *nobody = getpwnam("nobody");
		cr_assert_eq(setuid(nobody->pw_uid), 0);
	}
	cr_assert_eq(privilege_drop("root", why), -EPERM);
	cr_assert(strstr(why, "only root can become root"), "%s", why);
}
