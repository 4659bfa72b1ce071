/* SPDX-License-Identifier: Apache-2.0
 *
 * Landlock by its system calls: no library wraps them, and the C library's
 * headers may be older than the kernel (Documentation/userspace-api/landlock.rst
 * tells which ABI brought what). */
#include "daemon/sandbox_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif

enum { CREATE_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_CHAR = 1 << 6,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_BLOCK = 1 << 11,
	FS_MAKE_SYM = 1 << 12,
	FS_FIRST = (1 << 13) - 1,
	FS_REFER = 1 << 13,     /* since ABI 2 */
	FS_TRUNCATE = 1 << 14,  /* 3 */
	FS_IOCTL_DEV = 1 << 15, /* 5 */

	OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
	READING = FS_READ_FILE | FS_READ_DIR,
	WRITING = READING | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
		  FS_MAKE_REG | FS_REFER | FS_TRUNCATE,

	NET_BIND_TCP = 1 << 0, /* 4 */
	NET_CONNECT_TCP = 1 << 1,

	SCOPE_ABSTRACT_SOCKETS = 1 << 0, /* 6 */
	SCOPE_SIGNALS = 1 << 1,
};

/* As the kernel lays them out; an older one takes the front part alone. */
struct ruleset {
	uint64_t files, net, scopes;
};
struct path_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* What libraries read when it suits them. Folders of executables are no risk
 * here: nothing can be executed. */
static const char *const for_all[] = { "/etc/localtime",
				       "/usr/share/zoneinfo",
				       "/dev/urandom",
				       "/sys/devices/system/cpu",
				       "/proc/meminfo",
				       "/proc/sys/vm/overcommit_memory",
				       NULL };
static const char *const for_shipper[] = {
	/* names: the C library reads these anew when they change */
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
	"/etc/services", "/etc/protocols", "/etc/passwd", "/run/systemd/resolve", "/run/resolvconf",
	"/run/NetworkManager", "/run/nscd", "/proc/sys/net", "/proc/net",
	/* modules of the C library and TLS, and how the system configures TLS */
	"/etc/ld.so.cache", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ssl", "/etc/pki",
	"/etc/gnutls", "/etc/crypto-policies", "/usr/share/ca-certificates",
	"/usr/share/crypto-policies", "/etc/pkcs11", "/usr/share/p11-kit", NULL
};

static long create(const struct ruleset *set, size_t size, uint32_t flags)
{
	return syscall(__NR_landlock_create_ruleset, set, size, flags);
}

static uint64_t rights_known(long abi)
{
	uint64_t rights = FS_FIRST;

	if (abi >= 2)
		rights |= FS_REFER;
	if (abi >= 3)
		rights |= FS_TRUNCATE;
	if (abi >= 5)
		rights |= FS_IOCTL_DEV;
	return rights;
}

static long open_ruleset(long abi, enum sandbox_profile profile)
{
	struct ruleset set = { .files = rights_known(abi) };
	size_t size = sizeof(set.files);

	if (abi >= 4) {
		set.net = NET_BIND_TCP | (profile == SANDBOX_SHIPPER ? 0 : NET_CONNECT_TCP);
		size += sizeof(set.net);
	}
	if (abi >= 6) {
		set.scopes = SCOPE_SIGNALS;
		if (profile != SANDBOX_SHIPPER)
			set.scopes |= SCOPE_ABSTRACT_SOCKETS;
		size += sizeof(set.scopes);
	}
	return create(&set, size, 0);
}

/* One file or folder. 0, or -errno; what is not there grants nothing. */
static int grant(int ruleset, const char *path, uint64_t rights)
{
	struct stat st;
	int error = 0;
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rights &= OF_FILES;
	struct path_beneath rule = { rights, fd };
	/* Pipes and sockets are nowhere in the tree, and open to us anyway (EBADFD). */
	if (syscall(__NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) &&
	    errno != EBADFD)
		error = -errno;
	close(fd);
	return error;
}

/* The folder of a file, unless that is the root of everything. */
static int grant_folder(int ruleset, const char *path, uint64_t rights)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == path || (slash && (size_t)(slash - path) >= sizeof(folder)))
		return grant(ruleset, path, rights);
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1,
		 slash ? path : ".");
	return grant(ruleset, folder, rights);
}

/* By its name, and where links lead: either may be replaced. */
static int grant_beside(int ruleset, const char *path, uint64_t rights)
{
	struct stat st;
	char real[PATH_MAX];

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return grant(ruleset, path, rights);
	int error = grant_folder(ruleset, path, rights);
	if (!error && realpath(path, real))
		error = grant_folder(ruleset, real, rights);
	return error;
}

static int grant_list(int ruleset, const char *const *paths, uint64_t rights)
{
	int error = 0;

	for (; !error && *paths; paths++)
		error = grant(ruleset, *paths, rights);
	return error;
}

static int grant_all(int ruleset, const struct sandbox *s, uint64_t known)
{
	int error = grant_list(ruleset, for_all, READING & known);

	if (!error)
		error = grant(ruleset, "/dev/null", WRITING & known);
	if (!error && s->profile == SANDBOX_SHIPPER)
		error = grant_list(ruleset, for_shipper, READING & known);
	for (size_t i = 0; !error && i < s->count; i++) {
		enum sandbox_access access = s->paths[i].access;
		bool write = access == SANDBOX_WRITE || access == SANDBOX_WRITE_BESIDE;
		bool beside = access == SANDBOX_READ_BESIDE || access == SANDBOX_WRITE_BESIDE;
		error = (beside ? grant_beside : grant)(ruleset, s->paths[i].path,
							(write ? WRITING : READING) & known);
	}
	return error;
}

static void say_what_is_lost(long abi)
{
	if (abi < 0)
		log_warn("this kernel has no Landlock (%s): file permissions alone say which files "
			 "this program may open; Linux 5.13 or newer with lsm=landlock has it",
			 strerror(errno));
	else if (abi < 3)
		log_warn("this kernel's Landlock is of ABI %ld: it does not stop this program from "
			 "cutting files short; Linux 6.2 or newer does",
			 abi);
	else
		log_debug("Landlock ABI %ld", abi);
}

int landlock_enter(const struct sandbox *s, char why[256])
{
	long abi = create(NULL, 0, CREATE_VERSION);
	int error = 0;

	say_what_is_lost(abi);
	if (abi < 0)
		return 0;
	int ruleset = (int)open_ruleset(abi, s->profile);
	if (ruleset < 0) {
		error = -errno;
	} else {
		error = grant_all(ruleset, s, rights_known(abi));
		if (!error && syscall(__NR_landlock_restrict_self, ruleset, 0))
			error = -errno;
		close(ruleset);
	}
	if (error)
		snprintf(why, 256, "Landlock cannot be turned on: %s; --no-sandbox goes without",
			 strerror(-error));
	return error;
}
