/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/status_client.h"

#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "sensor/status_server.h"

enum { EXIT_USAGE = 2, ANSWER_MOST = 1 << 20, PATIENCE_SECONDS = 5 };

static const char usage[] =
	"usage: vigie-sensor status [-c sensor.yaml | --socket PATH] [--json] [--watch]\n"
	"Asks the sensor that runs on this machine how it is.\n"
	"  -c, --config FILE  the sensor's configuration; without one the only sensor is asked\n"
	"      --socket PATH  where it listens (status.socket)\n"
	"      --json         one line of JSON\n"
	"      --watch        again each second, until Ctrl-C\n";

struct request {
	const char *config;
	bool json, watch, help;
	char path[STATUS_PATH];
};

static bool parse(int argc, char **argv, struct request *r)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "watch", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};

	for (int o; (o = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
		switch (o) {
		case 'c':
			r->config = optarg;
			break;
		case 's':
			if (strlen(optarg) < sizeof(r->path)) {
				snprintf(r->path, sizeof(r->path), "%s", optarg);
				break;
			}
			log_error("--socket: this path is too long for a socket");
			return false;
		case 'j':
			r->json = true;
			break;
		case 'w':
			r->watch = true;
			break;
		case 'h':
			r->help = true;
			break;
		default:
			return false;
		}
	}
	if (optind < argc)
		log_error("%s: not an argument that is understood", argv[optind]);
	return optind == argc;
}

/* ---- which sensor ---- */

static bool from_config(struct request *r)
{
	struct sensor_config c;
	struct problems problems = { 0 };

	sensor_config_init(&c);
	bool good = sensor_config_read(&c, r->config, &problems) == 0;
	problems_tell(&problems);
	problems_finish(&problems);
	if (good && !c.status) {
		log_error("%s: this sensor has no status socket (status.enabled)", r->config);
		good = false;
	}
	if (good)
		status_path(&c, r->path);
	sensor_config_finish(&c);
	return good;
}

/* The only one in the usual folder. */
static bool from_folder(struct request *r)
{
	glob_t found = { 0 };
	bool good = false;

	if (glob(STATUS_FOLDER "/sensor-*.sock", 0, NULL, &found) == 0 && found.gl_pathc > 1) {
		log_error("there are several sensors; say which with -c FILE or --socket PATH:");
		for (size_t i = 0; i < found.gl_pathc; i++)
			fprintf(stderr, "  %s\n", found.gl_pathv[i]);
	} else if (found.gl_pathc == 1 && strlen(found.gl_pathv[0]) < sizeof(r->path)) {
		snprintf(r->path, sizeof(r->path), "%s", found.gl_pathv[0]);
		good = true;
	} else {
		log_error("no sensor answers: there is no status socket in " STATUS_FOLDER
			  "; is a sensor running? one that has it elsewhere (status.socket) is "
			  "found with -c FILE or --socket PATH");
	}
	globfree(&found);
	return good;
}

static bool find(struct request *r)
{
	if (r->path[0])
		return true;
	return r->config ? from_config(r) : from_folder(r);
}

/* ---- asking ---- */

static const char *remedy(int error)
{
	switch (error) {
	case ENOENT:
		return "there is no such socket; the sensor is not running, or has its status "
		       "socket elsewhere (status.socket)";
	case ECONNREFUSED:
		return "the sensor is not running; it left its socket behind";
	case EACCES:
	case EPERM:
		return "no permission; ask as root, or as the sensor's user or group";
	case EAGAIN:
		return "the sensor does not answer in time; is it stuck, or are many asking?";
	default:
		return strerror(error);
	}
}

static int reach(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* connect's */
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

/* 0, or an errno when there was no whole answer. */
static int ask(const char *path, struct buf *answer)
{
	int fd = reach(path);
	char part[16384];
	ssize_t n = 0;

	if (fd < 0)
		return -fd;
	buf_clear(answer);
	while (answer->len < ANSWER_MOST && (n = read(fd, part, sizeof(part))) > 0)
		buf_bytes(answer, part, (size_t)n);
	int error = n < 0 ? errno : 0;
	close(fd);
	return !error && !answer->len ? EAGAIN : error;
}

static int show_once(const struct request *r, struct buf *answer, struct buf *view)
{
	int error = ask(r->path, answer);

	if (error) {
		log_error("%s: %s", r->path, remedy(error));
		return EXIT_USAGE;
	}
	buf_clear(view);
	if (r->json)
		buf_bytes(view, answer->data, answer->len);
	else if (!status_view(answer->data, answer->len, view)) {
		log_error("%s: whoever answers there is no sensor", r->path);
		return EXIT_USAGE;
	}
	if (r->watch && !r->json && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	fwrite(view->data, 1, view->len, stdout);
	return fflush(stdout) ? EXIT_USAGE : 0;
}

int status_command(int argc, char **argv)
{
	struct request r = { 0 };
	struct buf answer = { 0 }, view = { 0 };

	if (!parse(argc, argv, &r)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (r.help) {
		fputs(usage, stdout);
		return 0;
	}
	if (!find(&r))
		return EXIT_USAGE;
	int status = show_once(&r, &answer, &view);
	while (!status && r.watch) {
		sleep(1);
		status = show_once(&r, &answer, &view);
	}
	buf_finish(&answer);
	buf_finish(&view);
	return status;
}
