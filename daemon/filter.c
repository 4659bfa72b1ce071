/* SPDX-License-Identifier: Apache-2.0
 *
 * The system calls of each program. Names that this kernel's architecture does
 * not have are left out. How the lists came about: the programs' own tests, with
 * what the kernel's audit log said was refused; and what C libraries newer than
 * that of the day use for the same. */
#include "daemon/sandbox_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum {
	REPLAY = 1 << SANDBOX_SENSOR_REPLAY,
	LIVE = 1 << SANDBOX_SENSOR_LIVE,
	SENSOR = REPLAY | LIVE,
	SHIPPER = 1 << SANDBOX_SHIPPER,
	COLLECTOR = 1 << SANDBOX_COLLECTOR,
	ALL = SENSOR | SHIPPER | COLLECTOR,
};

/* Allowed whatever their arguments are. */
static const struct {
	unsigned profiles;
	const char *names;
} allowed[] = {
	{ ALL, "brk munmap mremap madvise membarrier "
	       "futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue "
	       "rseq set_robust_list get_robust_list set_tid_address restart_syscall "
	       "exit exit_group sched_yield sched_getaffinity getcpu sysinfo uname "
	       "getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups "
	       "getrusage getrandom times time gettimeofday clock_gettime clock_gettime64 "
	       "clock_getres clock_getres_time64 nanosleep clock_nanosleep "
	       "clock_nanosleep_time64" },
	{ ALL, "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend "
	       "rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack sigreturn" },
	{ ALL, "read readv pread64 preadv write writev pwrite64 pwritev lseek _llseek close "
	       "close_range poll ppoll ppoll_time64 select pselect6" },
	{ ALL, "open openat access faccessat faccessat2 stat lstat fstat stat64 lstat64 fstat64 "
	       "newfstatat fstatat64 statx statfs fstatfs statfs64 fstatfs64 readlink readlinkat "
	       "getcwd getdents getdents64 fadvise64 readahead umask" },
	/* the spool and the store */
	{ ALL, "ftruncate ftruncate64 fallocate fsync fdatasync sync_file_range flock mkdir "
	       "mkdirat rmdir unlink unlinkat rename renameat renameat2 fchmod chmod fchmodat" },
	{ REPLAY, "dup" }, /* of standard input */
	{ COLLECTOR, "fchown truncate truncate64 utimensat" },
	/* sockets that were opened before */
	{ LIVE | COLLECTOR, "accept accept4 shutdown getsockname getpeername" },
	{ LIVE | SHIPPER | COLLECTOR,
	  "recvfrom recvmsg getsockopt setsockopt pipe pipe2 eventfd eventfd2 epoll_create "
	  "epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 timerfd_create "
	  "timerfd_settime" },
	{ SHIPPER | COLLECTOR, "sendto sendmsg" },
	{ SHIPPER, "connect bind shutdown getsockname getpeername recvmmsg sendmmsg" },
};

/* Refused as if the kernel did not know them: libraries then do it the old way,
 * whose arguments can be looked at. */
static const char unknown[] = "clone3 fchmodat2 openat2 mseal map_shadow_stack cachestat";

/* No library of ours does these, harmlessly or not: somebody else is at work. */
static const char deadly[] =
	"execve execveat ptrace process_vm_readv process_vm_writev init_module finit_module "
	"delete_module kexec_load kexec_file_load mount umount2 pivot_root chroot setns unshare "
	"open_by_handle_at reboot swapon swapoff";

/* Allowed with these arguments alone; several rows of a name are alternatives. */
struct conditional {
	unsigned profiles;
	const char *name;
	unsigned count;
	struct scmp_arg_cmp args[2];
};

#define IS(argument, value) \
	{ \
		(argument), SCMP_CMP_EQ, (value), 0 \
	}
#define MASKED(argument, mask, value) \
	{ \
		(argument), SCMP_CMP_MASKED_EQ, (mask), (value) \
	}
#define PROTECTIONS (PROT_WRITE | PROT_EXEC)

/* clang-format off */
static const struct conditional conditionals[] = {
	/* The sensor makes no page executable; no program one that is writable, too. */
	{ SENSOR, "mmap", 1, { MASKED(2, PROT_EXEC, 0) } },
	{ SENSOR, "mmap2", 1, { MASKED(2, PROT_EXEC, 0) } },
	{ SENSOR, "mprotect", 1, { MASKED(2, PROT_EXEC, 0) } },
	{ SHIPPER | COLLECTOR, "mmap", 1, { MASKED(2, PROTECTIONS, 0) } },
	{ SHIPPER | COLLECTOR, "mmap", 1, { MASKED(2, PROTECTIONS, PROT_WRITE) } },
	{ SHIPPER | COLLECTOR, "mmap", 1, { MASKED(2, PROTECTIONS, PROT_EXEC) } },
	{ SHIPPER | COLLECTOR, "mmap2", 1, { MASKED(2, PROTECTIONS, 0) } },
	{ SHIPPER | COLLECTOR, "mmap2", 1, { MASKED(2, PROTECTIONS, PROT_WRITE) } },
	{ SHIPPER | COLLECTOR, "mmap2", 1, { MASKED(2, PROTECTIONS, PROT_EXEC) } },
	{ SHIPPER | COLLECTOR, "mprotect", 1, { MASKED(2, PROTECTIONS, 0) } },
	{ SHIPPER | COLLECTOR, "mprotect", 1, { MASKED(2, PROTECTIONS, PROT_WRITE) } },
	{ SHIPPER | COLLECTOR, "mprotect", 1, { MASKED(2, PROTECTIONS, PROT_EXEC) } },
	/* Threads, not processes. */
	{ LIVE | SHIPPER | COLLECTOR, "clone", 1, { MASKED(0, CLONE_THREAD, CLONE_THREAD) } },
	{ ALL, "prctl", 1, { IS(0, PR_SET_NAME) } },
	{ ALL, "prctl", 1, { IS(0, PR_GET_NAME) } },
	{ ALL, "prctl", 1, { IS(0, 0x53564d41) } }, /* PR_SET_VMA: names for memory */
	/* Limits are looked at, not set. */
	{ ALL, "prlimit64", 1, { IS(2, 0) } },
	{ ALL, "fcntl", 1, { IS(1, F_GETFD) } },
	{ ALL, "fcntl", 1, { IS(1, F_SETFD) } },
	{ ALL, "fcntl", 1, { IS(1, F_GETFL) } },
	{ ALL, "fcntl", 1, { IS(1, F_SETFL) } },
	{ ALL, "fcntl", 1, { IS(1, F_GETLK) } },
	{ ALL, "fcntl", 1, { IS(1, F_SETLK) } },
	{ ALL, "fcntl", 1, { IS(1, F_SETLKW) } },
	{ ALL, "ioctl", 1, { IS(1, TCGETS) } },
	{ ALL, "ioctl", 1, { IS(1, TIOCGWINSZ) } },
	{ ALL, "ioctl", 1, { IS(1, FIONREAD) } },
	{ LIVE | SHIPPER | COLLECTOR, "ioctl", 1, { IS(1, FIONBIO) } },
	{ LIVE, "ioctl", 1, { IS(1, SIOCGIFINDEX) } },
	{ LIVE, "ioctl", 1, { IS(1, SIOCGIFNAME) } },
	{ LIVE, "ioctl", 1, { IS(1, SIOCGIFFLAGS) } },
	{ LIVE, "ioctl", 1, { IS(1, SIOCGIFMTU) } },
	/* An interface that is back, by its length: it can make no sockets to bind. */
	{ LIVE, "bind", 1, { IS(2, sizeof(struct sockaddr_ll)) } },
	/* Where to, Landlock and the configuration say; but never raw. */
	{ SHIPPER, "socket", 2, { IS(0, AF_INET), MASKED(1, 0xf, SOCK_STREAM) } },
	{ SHIPPER, "socket", 2, { IS(0, AF_INET), MASKED(1, 0xf, SOCK_DGRAM) } },
	{ SHIPPER, "socket", 2, { IS(0, AF_INET6), MASKED(1, 0xf, SOCK_STREAM) } },
	{ SHIPPER, "socket", 2, { IS(0, AF_INET6), MASKED(1, 0xf, SOCK_DGRAM) } },
	{ SHIPPER, "socket", 1, { IS(0, AF_UNIX) } },
	{ SHIPPER, "socket", 2, { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) } },
	{ SHIPPER | COLLECTOR, "socketpair", 1, { IS(0, AF_UNIX) } },
};
/* clang-format on */

static int add_named(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
		     const struct scmp_arg_cmp *args)
{
	int number = seccomp_syscall_resolve_name(name);

	/* Pseudo numbers stand for what other architectures have. */
	if (number < 0)
		return 0;
	return seccomp_rule_add_array(filter, action, number, count, args);
}

static int add_list(scmp_filter_ctx filter, uint32_t action, const char *names)
{
	int error = 0;

	while (!error && *names) {
		char name[48];
		size_t n = strcspn(names, " ");
		snprintf(name, sizeof(name), "%.*s", (int)n, names);
		error = add_named(filter, action, name, 0, NULL);
		names += n + strspn(names + n, " ");
	}
	return error;
}

static int add_profile(scmp_filter_ctx filter, unsigned profile)
{
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(allowed) / sizeof(*allowed); i++)
		if (allowed[i].profiles & profile)
			error = add_list(filter, SCMP_ACT_ALLOW, allowed[i].names);
	for (size_t i = 0; !error && i < sizeof(conditionals) / sizeof(*conditionals); i++) {
		const struct conditional *c = &conditionals[i];
		if (c->profiles & profile)
			error = add_named(filter, SCMP_ACT_ALLOW, c->name, c->count, c->args);
	}
	return error;
}

/* What depends on this process: its own signals (abort), its one socket. */
static int add_own(scmp_filter_ctx filter, const struct sandbox *s)
{
	struct scmp_arg_cmp self[] = { IS(0, (scmp_datum_t)getpid()) };
	struct scmp_arg_cmp send[] = { IS(0, (scmp_datum_t)s->send_fd), IS(4, 0) };
	bool sensor = s->profile == SANDBOX_SENSOR_LIVE || s->profile == SANDBOX_SENSOR_REPLAY;

	int error = add_named(filter, SCMP_ACT_ALLOW, "tgkill", 1, self);
	if (!error && sensor && s->send_fd >= 0)
		error = add_named(filter, SCMP_ACT_ALLOW, "sendto", 2, send);
	return error;
}

static int load(scmp_filter_ctx filter, bool log)
{
	/* Of use where the kernel has them; not needed. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, log);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	return seccomp_load(filter);
}

/* A filter of its own, since the strictest answer of all filters counts: writing
 * is allowed in general, but to none of these. */
static int load_mute(const struct sandbox *s)
{
	static const char *const ways[] = { "write",  "writev",  "pwrite64", "pwritev",  "pwritev2",
					    "sendto", "sendmsg", "sendmmsg", "sendfile", "splice" };
	scmp_filter_ctx filter = s->mute_count ? seccomp_init(SCMP_ACT_ALLOW) : NULL;
	int error = 0;

	if (!filter)
		return s->mute_count ? -ENOMEM : 0;
	for (size_t i = 0; !error && i < s->mute_count; i++) {
		struct scmp_arg_cmp fd[] = { IS(0, (scmp_datum_t)s->mute[i]) };
		for (size_t k = 0; !error && k < sizeof(ways) / sizeof(*ways); k++)
			error = add_named(filter, SCMP_ACT_ERRNO(EPERM), ways[k], 1, fd);
	}
	if (!error)
		error = load(filter, true);
	seccomp_release(filter);
	return error;
}

/* Another, which keeps no log: these are tried with every thread. */
static int load_unknown(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = filter ? add_list(filter, SCMP_ACT_ERRNO(ENOSYS), unknown) : -ENOMEM;

	if (!error)
		error = load(filter, false);
	if (filter)
		seccomp_release(filter);
	return error;
}

int filter_enter(const struct sandbox *s, char why[256])
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error = filter ? 0 : -ENOMEM;

	if (!error)
		error = load_mute(s);
	if (!error)
		error = load_unknown();
	if (!error)
		error = add_profile(filter, 1u << s->profile);
	if (!error)
		error = add_own(filter, s);
	if (!error)
		error = add_list(filter, SCMP_ACT_ALLOW, unknown); /* load_unknown() has them */
	if (!error)
		error = add_list(filter, SCMP_ACT_KILL_PROCESS, deadly);
	if (!error)
		error = load(filter, true);
	if (filter)
		seccomp_release(filter);
	if (error)
		snprintf(why, 256,
			 "the filter of system calls cannot be turned on: %s; this kernel or "
			 "container has no seccomp; --no-sandbox goes without",
			 strerror(-error));
	return error;
}
