/* SPDX-License-Identifier: Apache-2.0
 *
 * A real HTTPS server on loopback that answers as a test says, and keeps what it
 * was sent. Certificates are made by the openssl command in the test's folder. */
#pragma once

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/file.h"

enum { STORED_MOST = 4096 };

struct answer {
	unsigned status;
	const char *retry_after, *body;
};

struct https_server {
	struct MHD_Daemon *daemon;
	struct buf key, certificate, ca;
	uint16_t port;
	pthread_mutex_t lock;
	/* What to say to the n-th request, from 0; under the lock. NULL: 200. */
	struct answer (*script)(unsigned n, const char *url);
	unsigned requests, unlike; /* unlike: headers or method were wrong */
	struct stored {
		char url[160];
		struct buf body;
	} stored[STORED_MOST]; /* what was answered 200, once per url */
	size_t stored_count, repeats;
};

static struct https_server server;

static inline void make_certificates(const char *folder)
{
	static const char commands[] =
		"cd '%s' && exec >/dev/null 2>&1 && "
		"new() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; } && "
		"new ca && openssl req -x509 -new -key ca.key -subj /CN=Test -days 2 -out ca.crt "
		"&& "
		"new other && openssl req -x509 -new -key other.key -subj /CN=Other -days 2 "
		"  -out other.crt && "
		"printf 'subjectAltName=IP:127.0.0.1' >san && "
		"for n in server span-1; do new $n && "
		"  openssl req -new -key $n.key -subj /CN=$n -out $n.csr && "
		"  openssl x509 -req -in $n.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
		"    -extfile san -out $n.crt || exit 1; done";
	char command[1024];

	snprintf(command, sizeof(command), commands, folder);
	cr_assert_eq(system(command), 0);
}

static inline bool client_is_known(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned status = 1;

	return info && !gnutls_certificate_verify_peers2(info->tls_session, &status) && status == 0;
}

static inline bool header_is(struct MHD_Connection *c, const char *name, const char *value)
{
	const char *v = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
	return v && !strcmp(v, value);
}

static inline void store(const char *url, const struct buf *body)
{
	for (size_t i = 0; i < server.stored_count; i++) {
		struct stored *s = &server.stored[i];
		if (strcmp(s->url, url))
			continue;
		server.repeats++;
		server.unlike +=
			s->body.len != body->len || memcmp(s->body.data, body->data, body->len);
		return;
	}
	if (server.stored_count == STORED_MOST)
		return;
	struct stored *s = &server.stored[server.stored_count++];
	snprintf(s->url, sizeof(s->url), "%s", url);
	buf_bytes(&s->body, body->data, body->len);
}

static inline enum MHD_Result reply(struct MHD_Connection *c, const struct answer *a)
{
	const char *body = a->body ? a->body : "";
	struct MHD_Response *r = MHD_create_response_from_buffer(
		strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);

	if (a->retry_after)
		MHD_add_response_header(r, "Retry-After", a->retry_after);
	enum MHD_Result result = MHD_queue_response(c, a->status, r);
	MHD_destroy_response(r);
	return result;
}

static inline enum MHD_Result handle(void *context, struct MHD_Connection *c, const char *url,
				     const char *method, const char *version, const char *upload,
				     size_t *size, void **request)
{
	struct buf *body = *request;

	(void)context;
	if (!body) {
		*request = calloc(1, sizeof(*body));
		return *request ? MHD_YES : MHD_NO;
	}
	if (*size) {
		buf_bytes(body, upload, *size);
		*size = 0;
		return MHD_YES;
	}
	struct answer a = { .status = 200 };
	pthread_mutex_lock(&server.lock);
	server.unlike += strcmp(method, "PUT") || strcmp(version, "HTTP/1.1") ||
			 !header_is(c, "Content-Type", "application/x-protobuf") ||
			 !header_is(c, "Content-Encoding", "zstd");
	unsigned n = server.requests++;
	if (!client_is_known(c))
		a = (struct answer){ 403, NULL, "{\"error\":\"no certificate of ours\"}" };
	else if (server.script)
		a = server.script(n, url);
	if (a.status == 200)
		store(url, body);
	pthread_mutex_unlock(&server.lock);
	return reply(c, &a);
}

static inline void end_request(void *context, struct MHD_Connection *c, void **request,
			       enum MHD_RequestTerminationCode why)
{
	(void)context;
	(void)c;
	(void)why;
	if (*request)
		buf_finish(*request);
	free(*request);
}

/* Starts on a port, 0 for any; `priorities` as GnuTLS writes them. */
static inline void server_start(const char *folder, uint16_t port, const char *priorities)
{
	char path[256];
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pthread_mutex_init(&server.lock, NULL);
	snprintf(path, sizeof(path), "%s/server.key", folder);
	cr_assert_eq(file_read(path, 65536, &server.key), 0);
	snprintf(path, sizeof(path), "%s/server.crt", folder);
	cr_assert_eq(file_read(path, 65536, &server.certificate), 0);
	snprintf(path, sizeof(path), "%s/ca.crt", folder);
	cr_assert_eq(file_read(path, 65536, &server.ca), 0);
	server.daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, handle, NULL,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_HTTPS_MEM_KEY, server.key.data,
		MHD_OPTION_HTTPS_MEM_CERT, server.certificate.data, MHD_OPTION_HTTPS_MEM_TRUST,
		server.ca.data, MHD_OPTION_HTTPS_PRIORITIES, priorities,
		MHD_OPTION_NOTIFY_COMPLETED, end_request, NULL, MHD_OPTION_LISTENING_ADDRESS_REUSE,
		1u, MHD_OPTION_END);
	cr_assert_not_null(server.daemon);
	server.port = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static const char tls13[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

static inline void server_stop(void)
{
	if (server.daemon)
		MHD_stop_daemon(server.daemon);
	server.daemon = NULL;
	for (size_t i = 0; i < server.stored_count; i++)
		buf_finish(&server.stored[i].body);
	server.stored_count = 0;
	buf_finish(&server.key);
	buf_finish(&server.certificate);
	buf_finish(&server.ca);
}

/* A port on loopback where nobody listens. */
static inline uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	close(fd);
	return ntohs(address.sin_port);
}
