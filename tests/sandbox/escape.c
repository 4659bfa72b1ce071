/* SPDX-License-Identifier: Apache-2.0
 *
 * Tries to get out of each program's sandbox, and to do in it what the program
 * needs. Every attempt is made twice: outside, where it must work (else its
 * refusal would prove nothing, and it is skipped by name), and inside. Prints TAP. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/sandbox.h"

enum {
	REPLAY = 1 << SANDBOX_SENSOR_REPLAY,
	LIVE = 1 << SANDBOX_SENSOR_LIVE,
	SENSOR = REPLAY | LIVE,
	SHIPPER = 1 << SANDBOX_SHIPPER,
	COLLECTOR = 1 << SANDBOX_COLLECTOR,
	ALL = SENSOR | SHIPPER | COLLECTOR,
};

static char work[] = "/tmp/vigie-escape-XXXXXX"; /* holds in/ (granted) and out/ */
static int manager[2], capture[2], listener;
static pid_t victim;

static const char *at(const char *name)
{
	static char path[8][128]; /* so many can be lent at a time */
	static int which;

	which = (which + 1) % 8;
	snprintf(path[which], sizeof(path[which]), "%s/%s", work, name);
	return path[which];
}

/* ---- attempts: true when it worked ---- */

static bool done_fd(int fd)
{
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool open_tcp(void)
{
	return done_fd(socket(AF_INET, SOCK_STREAM, 0));
}

static bool open_udp(void)
{
	return done_fd(socket(AF_INET6, SOCK_DGRAM, 0));
}

static bool open_unix(void)
{
	return done_fd(socket(AF_UNIX, SOCK_STREAM, 0));
}

static bool open_raw(void)
{
	return done_fd(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static bool open_packet(void)
{
	return done_fd(socket(AF_PACKET, SOCK_RAW, 0));
}

static bool serve_tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, 1);
}

static bool run_shell(void)
{
	execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
	return false;
}

static bool run_shell_by_descriptor(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };
	int fd = open("/bin/true", O_PATH | O_CLOEXEC);

	syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH);
	return false;
}

static bool start_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

static bool trace(void)
{
	return ptrace(PTRACE_ATTACH, victim, NULL, NULL) == 0;
}

static bool read_anothers_memory(void)
{
	static char here[16];
	struct iovec to = { here, sizeof(here) }, from = { work, sizeof(here) };

	return process_vm_readv(victim, &to, 1, &from, 1, 0) > 0;
}

static bool signal_another(void)
{
	return kill(victim, 0) == 0;
}

static bool read_shadow(void)
{
	return done_fd(open("/etc/shadow", O_RDONLY));
}

static bool read_outside(void)
{
	return done_fd(open(at("out/kept"), O_RDONLY));
}

static bool write_outside(void)
{
	return done_fd(open(at("out/new"), O_WRONLY | O_CREAT, 0600));
}

static bool cut_outside(void)
{
	return truncate(at("out/kept"), 0) == 0 ||
	       done_fd(open(at("out/kept"), O_WRONLY | O_TRUNC));
}

static bool remove_outside(void)
{
	return unlink(at("out/kept")) == 0;
}

static bool link_from_outside(void)
{
	return symlink("/etc/shadow", at("in/link")) == 0 ||
	       link(at("out/kept"), at("in/hard")) == 0;
}

static bool write_what_is_only_read(void)
{
	return done_fd(open(at("ro/config"), O_WRONLY));
}

static bool make_memory_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
}

static bool map_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

static bool raise_a_limit(void)
{
	struct rlimit r;

	return !getrlimit(RLIMIT_CORE, &r) && !setrlimit(RLIMIT_CORE, &r);
}

static bool send_elsewhere(void)
{
	return send(manager[1], "x", 1, 0) == 1;
}

static bool send_into_the_capture(void)
{
	return send(capture[0], "x", 1, 0) == 1;
}

static bool write_into_the_capture(void)
{
	return write(capture[0], "x", 1) == 1;
}

static bool copy_the_capture(void)
{
	return done_fd(dup(capture[0])) || done_fd(fcntl(capture[0], F_DUPFD, 100));
}

/* ---- what is needed: true when it worked ---- */

static bool notify_manager(void)
{
	return send(manager[0], "READY=1", 7, MSG_NOSIGNAL | MSG_DONTWAIT) == 7;
}

static bool keep_files(void)
{
	int fd = open(at("in/a"), O_RDWR | O_CREAT | O_TRUNC, 0640);
	bool good = fd >= 0 && write(fd, "abc", 3) == 3 && !fdatasync(fd) && !ftruncate(fd, 2) &&
		    !fallocate(fd, 0, 0, 4096);

	if (fd >= 0)
		close(fd);
	return good && !mkdir(at("in/folder"), 0750) && !rename(at("in/a"), at("in/folder/b")) &&
	       !unlink(at("in/folder/b")) && !rmdir(at("in/folder"));
}

static bool read_configuration(void)
{
	return done_fd(open(at("ro/config"), O_RDONLY));
}

/* An editor, or who renews a certificate, renames a new file over the old one. */
static bool read_replaced_key(void)
{
	return done_fd(open(at("keys/renewed"), O_RDONLY));
}

static void *nothing(void *context)
{
	return context;
}

static bool start_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0;
}

static bool take_memory(void)
{
	char *p = malloc(64 << 20);

	if (!p)
		return false;
	memset(p, 1, 64 << 20);
	p = realloc(p, 128 << 20);
	free(p);
	return p != NULL;
}

static bool know_the_time(void)
{
	time_t now = time(NULL);
	struct tm tm;

	setenv("TZ", ":Europe/Paris", 1);
	tzset();
	return localtime_r(&now, &tm) &&
	       (access("/usr/share/zoneinfo/Europe/Paris", R_OK) || tm.tm_gmtoff != 0);
}

static bool wait_a_little(void)
{
	struct timespec t = { .tv_nsec = 1000 };
	sigset_t set;

	sigemptyset(&set);
	return poll(NULL, 0, 1) == 0 && nanosleep(&t, NULL) == 0 &&
	       sigtimedwait(&set, NULL, &t) < 0 && errno == EAGAIN;
}

static bool receive(void)
{
	char byte;

	return recv(capture[0], &byte, 1, MSG_DONTWAIT) == 1;
}

static bool accept_one(void)
{
	return done_fd(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

static bool find_a_name(void)
{
	struct addrinfo *found = NULL;
	int code = getaddrinfo("localhost", "443", NULL, &found);

	freeaddrinfo(found);
	return code == 0;
}

static bool connect_tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && !getsockname(listener, (struct sockaddr *)&a, &n) &&
		    !connect(fd, (struct sockaddr *)&a, n);

	close(fd);
	return good;
}

static bool abort_itself(void)
{
	abort();
}

struct attempt {
	unsigned profiles;
	const char *name;
	bool (*go)(void);
};

static const struct attempt refused[] = {
	{ SENSOR | COLLECTOR, "open a TCP socket", open_tcp },
	{ SENSOR | COLLECTOR, "open a UDP socket", open_udp },
	{ SENSOR | COLLECTOR, "open a local socket", open_unix },
	{ ALL, "open a raw socket", open_raw },
	{ ALL, "open a packet socket", open_packet },
	{ ALL, "listen on a TCP port", serve_tcp },
	{ ALL, "run a shell", run_shell },
	{ ALL, "run a program by its descriptor", run_shell_by_descriptor },
	{ ALL, "start a process", start_process },
	{ ALL, "trace a process", trace },
	{ ALL, "read a process's memory", read_anothers_memory },
	{ ALL, "signal a process", signal_another },
	{ ALL, "read /etc/shadow", read_shadow },
	{ ALL, "read a file outside", read_outside },
	{ ALL, "write a file outside", write_outside },
	{ ALL, "cut a file outside short", cut_outside },
	{ ALL, "remove a file outside", remove_outside },
	{ ALL, "link to a file outside", link_from_outside },
	{ ALL, "write a file that is only read", write_what_is_only_read },
	{ ALL, "have memory that is writable and executable", make_memory_executable },
	{ SENSOR, "map memory that is executable", map_executable },
	{ ALL, "set a limit", raise_a_limit },
	{ SENSOR, "send on another socket", send_elsewhere },
	{ LIVE, "send on a capture socket", send_into_the_capture },
	{ LIVE, "write to a capture socket", write_into_the_capture },
	{ LIVE, "copy a capture socket", copy_the_capture },
};

static const struct attempt needed[] = {
	{ ALL, "tell the service manager", notify_manager },
	{ ALL, "make, write, rename and remove files", keep_files },
	{ ALL, "read the configuration", read_configuration },
	{ ALL, "read a key that was replaced", read_replaced_key },
	{ ALL, "take memory", take_memory },
	{ ALL, "know a time zone", know_the_time },
	{ ALL, "wait", wait_a_little },
	{ LIVE | SHIPPER | COLLECTOR, "start a thread", start_thread },
	{ LIVE | SHIPPER | COLLECTOR, "receive", receive },
	{ LIVE | COLLECTOR, "accept a connection", accept_one },
	{ SHIPPER, "look a name up", find_a_name },
	{ SHIPPER, "connect", connect_tcp },
};

/* ---- trying ---- */

static void enter(enum sandbox_profile profile)
{
	struct sandbox s;
	char why[256] = "";

	sandbox_init(&s, profile);
	s.send_fd = manager[0];
	sandbox_mute(&s, capture[0]);
	sandbox_allow(&s, SANDBOX_WRITE, at("in"));
	sandbox_allow(&s, SANDBOX_READ, at("ro/config"));
	sandbox_allow(&s, SANDBOX_READ_BESIDE, at("keys/key"));
	sandbox_allow(&s, SANDBOX_READ, "/nonexistent");
	if (sandbox_enter(&s, why)) {
		printf("Bail out! %s\n", why);
		fflush(stdout);
		_exit(99);
	}
	sandbox_finish(&s);
}

static void fill_folders(void)
{
	static const char *const files[] = { "out/kept", "ro/config", "keys/key", "keys/renewed" };
	static const char *const gone[] = { "out/new", "in/link", "in/hard" };

	for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
		unlink(at(gone[i]));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		close(open(at(files[i]), O_WRONLY | O_CREAT, 0600));
}

/* One more byte to receive, one more connection to take. */
static void fill_sockets(void)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)!write(capture[1], "x", 1);
	getsockname(listener, (struct sockaddr *)&a, &n);
	(void)connect(fd, (struct sockaddr *)&a, n);
	close(fd);
}

/* A child's status: exit code 0 when it worked, 1 when not, or a signal. */
static int try(const struct attempt *a, int profile)
{
	int status = 0;

	fill_folders();
	fill_sockets();
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		if (profile >= 0)
			enter((enum sandbox_profile)profile);
		_exit(a->go() ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return status;
}

static unsigned count, failed;

static void tell(bool good, const char *profile, const char *what, const char *how, int status)
{
	count++;
	failed += !good;
	printf("%sok %u - %s: %s %s\n", good ? "" : "not ", count, profile, how, what);
	if (!good)
		printf("# exit code %d, signal %d\n", WEXITSTATUS(status), WTERMSIG(status));
}

static void skip(const char *profile, const char *what)
{
	printf("ok %u - %s: %s # SKIP does not work here without a sandbox\n", ++count, profile,
	       what);
}

static void try_all(int profile, const char *name)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const struct attempt *a = &refused[i];
		if (!(a->profiles & 1u << profile))
			continue;
		if (try(a, -1) != 0) {
			skip(name, a->name);
			continue;
		}
		int status = try(a, profile);
		bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
		tell(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 1), name, a->name,
		     "cannot", status);
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		const struct attempt *a = &needed[i];
		if (!(a->profiles & 1u << profile))
			continue;
		int status = try(a, profile);
		tell(status == 0, name, a->name, "can", status);
	}
	static const struct attempt bug = { ALL, "abort", abort_itself };
	int status = try(&bug, profile);
	tell(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, name, bug.name, "can", status);
}

static bool prepare(void)
{
	static const char *const folders[] = { "in", "out", "ro", "keys" };
	struct sockaddr_in a = { .sin_family = AF_INET };

	if (!mkdtemp(work))
		return false;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (mkdir(at(folders[i]), 0700))
			return false;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return !socketpair(AF_UNIX, SOCK_DGRAM, 0, manager) &&
	       !socketpair(AF_UNIX, SOCK_DGRAM, 0, capture) &&
	       !bind(listener, (struct sockaddr *)&a, sizeof(a)) && !listen(listener, 512);
}

static void clean(void)
{
	static const char *const files[] = { "out/kept", "out/new",      "ro/config", "keys/key",
					     "in/a",     "keys/renewed", "in/link",   "in/hard" };
	static const char *const folders[] = { "in/folder", "in", "out", "ro", "keys" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(at(files[i]));
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		rmdir(at(folders[i]));
	rmdir(work);
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
}

int main(void)
{
	static const char *const names[] = { "sensor, replay", "sensor, live", "shipper",
					     "collector" };

	log_init("escape", LOG_WARN);
	if (SANITIZED_BUILD) {
		puts("1..0 # SKIP a sanitizer build has no sandbox");
		return 0;
	}
	if (!prepare()) {
		printf("Bail out! %s\n", strerror(errno));
		return 99;
	}
	victim = fork();
	if (victim == 0) {
		for (;;)
			pause();
	}
	for (int i = 0; i < 4; i++)
		try_all(i, names[i]);
	clean();
	printf("1..%u\n", count);
	return failed != 0;
}
