/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/log.h"

enum { IDLE_SECONDS = 60, STACK = 512 << 10, CONNECTION_MEMORY = 128 << 10, DRAIN = 8 };

struct http {
	struct MHD_Daemon *daemon;
	int fd; /* listening; the daemon's once there is one */
	struct http_options options;
	uint16_t port;
};

/* One request on its way. */
struct exchange {
	struct caller caller;
	struct request request;
	struct reply reply;
	struct buf body;
	size_t drained; /* bytes of a body that is refused, read and forgotten */
	char peer[IP_TEXT];
	char path[1024];
};

static void exchange_free(struct exchange *x)
{
	reply_finish(&x->reply);
	buf_finish(&x->body);
	free(x);
}

static void peer_of(struct MHD_Connection *c, char out[IP_TEXT])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info ? info->client_addr : NULL;

	out[0] = '\0';
	if (a && a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, out,
			  IP_TEXT);
	else if (a && a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, out,
			  IP_TEXT);
}

static enum MHD_Result take_param(void *context, enum MHD_ValueKind kind, const char *name,
				  size_t name_n, const char *value, size_t value_n)
{
	struct exchange *x = context;
	struct request *q = &x->request;

	(void)kind;
	if (q->param_count == REQUEST_PARAMS) {
		reply_error(&x->reply, 400, "more than %d parameters", REQUEST_PARAMS);
		return MHD_NO;
	}
	if (strlen(name) != name_n || (value && strlen(value) != value_n)) {
		reply_error(&x->reply, 400, "a parameter holds a NUL byte");
		return MHD_NO;
	}
	q->params[q->param_count].name = name;
	q->params[q->param_count++].value = value ? value : "";
	return MHD_YES;
}

/* A header's first word, without parameters such as charset, if it is one of
 * the list; else empty. */
static const char *known_value(struct MHD_Connection *c, const char *header,
			       const char *const *list)
{
	const char *given = MHD_lookup_connection_value(c, MHD_HEADER_KIND, header);
	size_t n = given ? strcspn(given, "; ") : 0;

	for (; *list; list++)
		if (strlen(*list) == n && !strncasecmp(given, *list, n))
			return *list;
	return "";
}

static bool is_too_long(const struct http *h, struct MHD_Connection *c)
{
	const char *given =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return given && strtoull(given, NULL, 10) > h->options.body;
}

static void too_large(const struct http *h, struct exchange *x)
{
	reply_error(&x->reply, 413, "the body is larger than %zu bytes; send less at once",
		    h->options.body);
}

static struct exchange *begin(const struct http *h, struct MHD_Connection *c, const char *url,
			      const char *method)
{
	static const char *const types[] = { "application/x-protobuf", "application/zstd", NULL };
	static const char *const encodings[] = { "zstd", NULL };
	struct exchange *x = calloc(1, sizeof(*x));
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	if (!x || !info || !auth_caller(info->tls_session, &x->caller)) {
		free(x);
		return NULL;
	}
	peer_of(c, x->peer);
	snprintf(x->path, sizeof(x->path), "%s", url);
	x->request = (struct request){
		.method = method,
		.path = x->path,
		.content_type = known_value(c, MHD_HTTP_HEADER_CONTENT_TYPE, types),
		.content_encoding = known_value(c, MHD_HTTP_HEADER_CONTENT_ENCODING, encodings),
		.caller = &x->caller,
		.peer = x->peer,
	};
	MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, take_param, x);
	if (!x->reply.status && strlen(url) >= sizeof(x->path))
		reply_error(&x->reply, 414, "the path is too long");
	if (!x->reply.status && api_may(&x->request, &x->reply) && is_too_long(h, c))
		too_large(h, x);
	return x;
}

/* A refused body is still read, so that the refusal arrives and is not lost in
 * a reset connection; but not without end. */
static enum MHD_Result take_body(const struct http *h, struct exchange *x, const char *bytes,
				 size_t n)
{
	if (!x->reply.status && x->body.len + n > h->options.body) {
		too_large(h, x);
		buf_finish(&x->body);
	}
	if (x->reply.status) {
		x->drained += n;
		return x->drained > DRAIN * h->options.body ? MHD_NO : MHD_YES;
	}
	buf_bytes(&x->body, bytes, n);
	if (x->body.failed) {
		buf_finish(&x->body);
		reply_error(&x->reply, 503, "out of memory; try again");
		x->reply.retry_after = 30;
	}
	return MHD_YES;
}

/* ---- answers that are made while they are sent ---- */

struct trickle {
	struct reply_rest rest;
	struct buf page;
	size_t sent;
	bool ended;
};

static ssize_t read_stream(void *context, uint64_t position, char *to, size_t most)
{
	struct trickle *s = context;

	(void)position;
	while (s->sent == s->page.len) {
		if (s->ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		buf_clear(&s->page);
		s->sent = 0;
		int got = s->rest.more(s->rest.context, &s->page);
		if (got < 0 || s->page.failed)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		s->ended = got == 0;
	}
	size_t n = s->page.len - s->sent < most ? s->page.len - s->sent : most;
	memcpy(to, s->page.data + s->sent, n);
	s->sent += n;
	return (ssize_t)n;
}

static void free_stream(void *context)
{
	struct trickle *s = context;

	s->rest.close(s->rest.context);
	buf_finish(&s->page);
	free(s);
}

static struct MHD_Response *stream_response(struct reply *r)
{
	struct trickle *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->rest = r->rest;
	s->page = r->body;
	r->rest = (struct reply_rest){ 0 };
	r->body = (struct buf){ 0 };
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, 65536, read_stream, s, free_stream);
	if (!response)
		free_stream(s);
	return response;
}

static struct MHD_Response *whole_response(struct reply *r)
{
	struct MHD_Response *response =
		r->body.data ? MHD_create_response_from_buffer(r->body.len, r->body.data,
							       MHD_RESPMEM_MUST_FREE)
			     : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

	if (response)
		r->body = (struct buf){ 0 };
	return response;
}

static enum MHD_Result send_reply(struct MHD_Connection *c, struct reply *r)
{
	struct MHD_Response *response = r->rest.more ? stream_response(r) : whole_response(r);
	char seconds[16];

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", r->type ? r->type : "application/json");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (r->retry_after) {
		snprintf(seconds, sizeof(seconds), "%u", r->retry_after);
		MHD_add_response_header(response, "Retry-After", seconds);
	}
	if (r->next[0])
		MHD_add_response_header(response, "Vigie-Next", r->next);
	if (r->cut)
		MHD_add_response_header(response, "Vigie-Truncated", "true");
	enum MHD_Result result = MHD_queue_response(c, r->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *bytes, size_t *n,
			      void **slot)
{
	struct http *h = context;
	struct exchange *x = *slot;

	(void)version;
	if (!x) {
		*slot = x = begin(h, c, url, method);
		return x ? MHD_YES : MHD_NO;
	}
	if (*n) {
		size_t given = *n;
		*n = 0;
		return take_body(h, x, bytes, given);
	}
	x->request.body = x->body.data;
	x->request.length = x->body.len;
	api_answer(h->options.api, &x->request, &x->reply);
	return send_reply(c, &x->reply);
}

static void completed(void *context, struct MHD_Connection *c, void **slot,
		      enum MHD_RequestTerminationCode code)
{
	(void)context;
	(void)c;
	(void)code;
	if (*slot)
		exchange_free(*slot);
	*slot = NULL;
}

static void connected(void *context, struct MHD_Connection *c, void **slot,
		      enum MHD_ConnectionNotificationCode code)
{
	(void)context;
	(void)slot;
	if (code != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info)
		auth_demand(info->tls_session);
}

/* The library reports every connection that breaks; that is for debugging. */
static void library_log(void *context, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void library_log(void *context, const char *format, va_list args)
{
	char line[256];

	(void)context;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\r\n")] = '\0';
	log_debug("%s", line);
}

static int listen_on(const struct http_options *o, uint16_t *port, char why[256])
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(o->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	bool is_four = inet_pton(AF_INET, o->address, &four.sin_addr) == 1;
	struct sockaddr *a = is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six;
	socklen_t length = is_four ? sizeof(four) : sizeof(six);
	int on = 1;

	if (!is_four && inet_pton(AF_INET6, o->address, &six.sin6_addr) != 1) {
		snprintf(why, 256, "listen.address: %.60s is no IP address", o->address);
		return -EINVAL;
	}
	int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, a, length) || listen(fd, 256) || getsockname(fd, a, &length)) {
		int error = -errno;
		const char *remedy =
			error == -EADDRINUSE      ? "stop what listens there, or set listen.port"
			: error == -EACCES        ? "take a port above 1023"
			: error == -EADDRNOTAVAIL ? "give an address of this machine"
						  : "check listen in the configuration";
		snprintf(why, 256, "cannot listen on %.60s port %u: %s; %s", o->address, o->port,
			 strerror(-error), remedy);
		if (fd >= 0)
			close(fd);
		return error;
	}
	*port = ntohs(is_four ? four.sin_port : six.sin6_port);
	return fd;
}

static struct MHD_Daemon *start_daemon(struct http *h)
{
	const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			       MHD_USE_TLS | MHD_USE_POLL | MHD_USE_ERROR_LOG;
	const struct http_options *o = &h->options;

	return MHD_start_daemon(
		flags, 0, NULL, NULL, handle, h, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, h->fd, MHD_OPTION_HTTPS_PRIORITIES, auth_priorities,
		MHD_OPTION_HTTPS_MEM_CERT, o->tls->certificate.data, MHD_OPTION_HTTPS_MEM_KEY,
		o->tls->key.data, MHD_OPTION_HTTPS_MEM_TRUST, o->tls->ca.data,
		MHD_OPTION_CONNECTION_LIMIT, o->connections, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
		MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
		connected, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

int http_open(const struct http_options *options, struct http **out, char why[256])
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->options = *options;
	h->fd = listen_on(options, &h->port, why);
	if (h->fd < 0) {
		int error = h->fd;
		free(h);
		return error;
	}
	*out = h;
	return 0;
}

int http_start(struct http *h, char why[256])
{
	h->daemon = start_daemon(h);
	if (h->daemon)
		return 0;
	snprintf(why, 256, "libmicrohttpd refused to start; is it built with TLS?");
	return -ENOTSUP;
}

uint16_t http_port(const struct http *h)
{
	return h->port;
}

void http_stop(struct http *h)
{
	if (!h)
		return;
	if (h->daemon)
		MHD_stop_daemon(h->daemon); /* closes the listening socket, too */
	else
		close(h->fd);
	free(h);
}

const char *http_library(void)
{
	return MHD_get_version();
}
