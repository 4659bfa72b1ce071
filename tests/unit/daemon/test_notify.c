/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service manager gets to hear, at a socket of our own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/notify.h"

static int manager;

/* '@' stands for the zero byte of the abstract space. */
static void listen_at(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(name);

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(a.sun_path, name, n);
	if (*name == '@')
		a.sun_path[0] = '\0';
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	cr_assert_eq(bind(manager, (struct sockaddr *)&a, length), 0, "%s", strerror(errno));
	setenv("NOTIFY_SOCKET", name, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static const char *heard(void)
{
	static char text[256];
	ssize_t n = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static const char *abstract_name(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "@vigie-test-%d", (int)getpid());
	return name;
}

Test(notify, does_nothing_without_a_manager)
{
	struct notify n;

	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000", 1);
	cr_assert_eq(notify_open(&n), 0);
	cr_assert_eq(n.fd, -1);
	cr_assert_eq(n.pause.v, 0);
	notify_ready(&n);
	notify_status(&n, "%d", 1);
	notify_alive(&n, (struct usec){ 1 });
	notify_close(&n);
}

Test(notify, tells_an_abstract_socket_each_state)
{
	struct notify n;

	listen_at(abstract_name());
	cr_assert_eq(notify_open(&n), 0);
	notify_ready(&n);
	cr_assert_str_eq(heard(), "READY=1");
	notify_reloading(&n);
	cr_assert_eq(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	notify_stopping(&n);
	cr_assert_str_eq(heard(), "STOPPING=1");
	notify_close(&n);
	close(manager);
}

Test(notify, tells_a_socket_with_a_path)
{
	char dir[] = "/tmp/vigie-notify-XXXXXX", path[64];
	struct notify n;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	listen_at(path);
	cr_assert_eq(notify_open(&n), 0);
	notify_ready(&n);
	cr_assert_str_eq(heard(), "READY=1");
	notify_close(&n);
	close(manager);
	unlink(path);
	rmdir(dir);
}

Test(notify, tells_a_status_only_when_it_changes)
{
	struct notify n;

	listen_at(abstract_name());
	cr_assert_eq(notify_open(&n), 0);
	notify_status(&n, "%d batches", 1);
	cr_assert_str_eq(heard(), "STATUS=1 batches");
	notify_status(&n, "%d batches", 1);
	cr_assert_str_eq(heard(), "");
	notify_status(&n, "%d batches", 2);
	cr_assert_str_eq(heard(), "STATUS=2 batches");
	notify_close(&n);
	close(manager);
}

Test(notify, gives_signs_of_life_twice_per_interval)
{
	struct notify n;

	listen_at(abstract_name());
	setenv("WATCHDOG_USEC", "1000", 1);
	cr_assert_eq(notify_open(&n), 0);
	notify_alive(&n, (struct usec){ 10000 });
	cr_assert_str_eq(heard(), "WATCHDOG=1");
	notify_alive(&n, (struct usec){ 10499 });
	cr_assert_str_eq(heard(), "");
	notify_alive(&n, (struct usec){ 10500 });
	cr_assert_str_eq(heard(), "WATCHDOG=1");
	notify_close(&n);
	close(manager);
}

Test(notify, leaves_the_watchdog_of_another_process_alone)
{
	struct notify n;

	listen_at(abstract_name());
	setenv("WATCHDOG_USEC", "1000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(notify_open(&n), 0);
	notify_alive(&n, (struct usec){ 10000 });
	cr_assert_str_eq(heard(), "");
	notify_close(&n);
	close(manager);
}

Test(notify, tells_why_a_socket_cannot_be_reached)
{
	struct notify n;
	char name[256];

	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	cr_assert_eq(notify_open(&n), -ENOENT);
	cr_assert_eq(n.fd, -1);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	cr_assert_eq(notify_open(&n), -EAFNOSUPPORT);
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	cr_assert_eq(notify_open(&n), -ENAMETOOLONG);
}
