/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A full queue at the manager must not hold the program up: what does not go now
 * is left out, and the next sign of life will do. */
static void tell(const struct notify *n, const char *text)
{
	if (n->fd >= 0)
		(void)send(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A path, or a name in the abstract space behind '@'. */
static int address_of(const char *name, struct sockaddr_un *out, socklen_t *length)
{
	size_t n = strlen(name);

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((*name != '/' && *name != '@') || n < 2)
		return -EAFNOSUPPORT;
	if (n >= sizeof(out->sun_path))
		return -ENAMETOOLONG;
	memcpy(out->sun_path, name, n);
	if (*name == '@')
		out->sun_path[0] = '\0';
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*name == '/'));
	return 0;
}

static int reach(const char *name)
{
	struct sockaddr_un address;
	socklen_t length = 0;

	int error = address_of(name, &address, &length);
	if (error)
		return error;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, length) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/* Half of what the manager waits at most; 0 when it watches nobody, or another. */
static struct usec read_pause(void)
{
	const char *span = getenv("WATCHDOG_USEC"), *who = getenv("WATCHDOG_PID");
	char *end;

	if (!span || (who && strtoll(who, NULL, 10) != getpid()))
		return (struct usec){ 0 };
	errno = 0;
	int64_t usec = strtoll(span, &end, 10);
	return (struct usec){ errno || *end || usec < 2 ? 0 : usec / 2 };
}

int notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");

	*n = (struct notify){ .fd = -1 };
	if (!name || !*name)
		return 0;
	int fd = reach(name);
	if (fd < 0)
		return fd;
	n->fd = fd;
	n->pause = read_pause();
	return 0;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void notify_ready(struct notify *n)
{
	tell(n, "READY=1");
}

void notify_reloading(struct notify *n)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic().v);
	tell(n, text);
}

void notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1");
}

void notify_status(struct notify *n, const char *format, ...)
{
	char status[sizeof(n->status)], text[sizeof(status) + 8];
	va_list args;

	va_start(args, format);
	vsnprintf(status, sizeof(status), format, args);
	va_end(args);
	if (n->fd < 0 || !strcmp(status, n->status))
		return;
	memcpy(n->status, status, sizeof(status));
	snprintf(text, sizeof(text), "STATUS=%s", status);
	tell(n, text);
}

void notify_alive(struct notify *n, struct usec now)
{
	if (!n->pause.v || now.v < n->due.v)
		return;
	n->due.v = now.v + n->pause.v;
	tell(n, "WATCHDOG=1");
}
