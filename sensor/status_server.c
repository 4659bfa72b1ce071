/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/status_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sensor/dpi.h"

enum { BACKLOG = 8, AT_ONCE = 8, PAUSE_MS = 100 };

void status_path(const struct sensor_config *c, char out[STATUS_PATH])
{
	if (c->status_socket)
		snprintf(out, STATUS_PATH, "%s", c->status_socket);
	else
		snprintf(out, STATUS_PATH, STATUS_FOLDER "/sensor-%s.sock", c->sensor);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

/* A socket file that nobody listens to is what a sensor left behind. */
static int clear_away(const char *path, const struct sockaddr_un *a)
{
	struct stat st;
	int error = 0;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 || errno == EAGAIN)
		error = -EADDRINUSE;
	else if (errno != ECONNREFUSED)
		error = -errno;
	close(fd);
	if (!error && unlink(path))
		error = -errno;
	return error;
}

static int listen_at(const char *path, int *out)
{
	struct sockaddr_un a = address_of(path);
	int error = clear_away(path, &a);

	if (error)
		return error;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || chmod(path, 0660) ||
	    listen(fd, BACKLOG)) {
		error = -errno;
		close(fd);
		return error;
	}
	*out = fd;
	return 0;
}

static const char *remedy(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "another sensor answers there; give each its own `sensor` name or "
		       "status.socket";
	case -EEXIST:
		return "this is a file, and no socket; name another in status.socket";
	case -ENOENT:
		return "its folder does not exist; make it, or name another in status.socket";
	case -EACCES:
	case -EROFS:
	case -EPERM:
		return "this user may not write there; name another in status.socket";
	default:
		return strerror(-error);
	}
}

int status_open(struct status_server *s, const struct sensor_config *c, char why[256])
{
	char path[STATUS_PATH];

	*s = (struct status_server){ .fd = -1, .statm = -1, .began = clock_monotonic() };
	if (!c->status || (!c->status_socket && access(STATUS_FOLDER, W_OK)))
		return 0;
	status_path(c, path);
	int error = listen_at(path, &s->fd);
	if (error) {
		snprintf(why, 256, "%.107s: %.140s", path, remedy(error));
		return error;
	}
	s->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	s->gauge = c->spool_dir ? spool_gauge_create(c->spool_dir) : NULL;
	return 0;
}

void status_close(struct status_server *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->statm >= 0)
		close(s->statm);
	spool_gauge_destroy(s->gauge);
	buf_finish(&s->document);
	*s = (struct status_server){ .fd = -1, .statm = -1 };
}

int status_descriptor(const struct status_server *s)
{
	return s->left ? s->fd : -1;
}

/* Resident pages are the second number; 0: not known. */
static uint64_t resident(const struct status_server *s)
{
	char text[128];
	unsigned long long pages;
	ssize_t n = s->statm < 0 ? -1 : pread(s->statm, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return sscanf(text, "%*u %llu", &pages) == 1 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void take_snapshot(struct status_server *s, struct usec now, status_fill *fill,
			  void *context)
{
	struct status *st = &s->snapshot;

	*st = (struct status){
		.now = clock_wall(),
		.uptime = { now.v - s->began.v },
		.rss = resident(s),
		.dpi_memory = dpi_memory(),
		.answered = s->answered,
		.dropped = s->dropped,
	};
	fill(context, st);
}

static void write_document(struct status_server *s)
{
	struct status *st = &s->snapshot;

	st->spool = s->gauge;
	if (st->spool)
		st->destination_count = spool_gauge_read(
			s->gauge, st->destinations, STATUS_DESTINATIONS_MOST, &st->spool_bytes);
	buf_clear(&s->document);
	status_json(st, &s->rates, &s->document);
}

/* One write or none: what does not fit into the socket at once is not worth waiting for. */
static void answer(struct status_server *s, int client)
{
	const struct buf *d = &s->document;

	if (!d->failed && write(client, d->data, d->len) == (ssize_t)d->len)
		s->answered++;
	else
		s->dropped++;
	close(client);
}

static void each_second(struct status_server *s, struct usec now)
{
	struct counters sums;

	s->second = now;
	status_sum(&s->snapshot, &sums);
	status_rates_note(&s->rates, now, &sums);
}

void status_serve(struct status_server *s, struct usec now, status_fill *fill, void *context)
{
	bool taken = false, written = false;

	if (s->fd < 0)
		return;
	if (now.v >= s->budget.v) {
		s->budget.v = now.v + PAUSE_MS * 1000;
		s->left = AT_ONCE;
	}
	if (!s->second.v || now.v - s->second.v >= USEC_PER_SECOND) {
		take_snapshot(s, now, fill, context);
		each_second(s, now);
		taken = true;
	}
	for (; s->left; s->left--) {
		int client = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client < 0)
			return;
		if (!taken)
			take_snapshot(s, now, fill, context);
		if (!written)
			write_document(s);
		taken = written = true;
		answer(s, client);
	}
}
