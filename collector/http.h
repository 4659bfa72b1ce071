/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTPS with mutual TLS 1.3 in front of the API. The only source with
 * libmicrohttpd's header is http.c. */
#pragma once

#include <stdint.h>

#include "collector/api.h"
#include "collector/auth.h"

struct http;

struct http_options {
	const char *address; /* IP address to listen on */
	uint16_t port;       /* 0: any free one */
	size_t body;         /* bytes of a request's body at most */
	unsigned connections;
	const struct auth_texts *tls; /* lent until http_stop() */
	struct api *api;              /* lent until http_stop() */
};

/* Listens: clients can connect, and wait. 0, or -errno with `why`. */
int http_open(const struct http_options *options, struct http **out, char why[256]);
/* Serves, one thread per connection. 0, or -errno with `why`. */
int http_start(struct http *h, char why[256]);
uint16_t http_port(const struct http *h);
/* Takes no more connections, lets requests that are being answered end. Also
 * after http_open() alone; accepts NULL. */
void http_stop(struct http *h);
const char *http_library(void); /* version */
