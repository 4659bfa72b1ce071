/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is at the other end: certificates, and the roles that they carry. The
 * only source of the collector with GnuTLS's headers is auth.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Each role but sensor includes those before it. */
enum role { ROLE_NONE, ROLE_SENSOR, ROLE_VIEWER, ROLE_ANALYST, ROLE_ADMIN };

enum { CALLER_NAME = 64, CALLER_NAMES = 16 };

struct caller {
	char name[CALLER_NAME];                /* common name; for logs */
	char names[CALLER_NAMES][CALLER_NAME]; /* common name and DNS names */
	size_t name_count;
	bool is_sensor;
	enum role role; /* of a person: viewer or more; else none */
};

/* Reads a certificate that was verified before. False when it is not one. Names
 * that are too long, or hold anything but printable ASCII, are left out. */
bool caller_read(const void *der, size_t n, struct caller *out);
bool caller_has_name(const struct caller *c, const char *name);

/* TLS sessions, as the HTTP library hands them out (gnutls_session_t). */
extern const char auth_priorities[]; /* TLS 1.3 only */
/* Before the handshake: a peer without a certificate of our authority, in date,
 * and meant for clients, gets no further than the handshake. */
void auth_demand(void *session);
bool auth_caller(void *session, struct caller *out);

struct auth_files {
	const char *certificate, *key, *ca; /* paths, PEM */
};

struct auth_texts {
	struct buf certificate, key, ca;
};

/* Reads the files and tries them on: 0, or -errno and what is wrong with which
 * of them, and what to do. */
int auth_load(const struct auth_files *files, struct auth_texts *out, char why[512]);
void auth_finish(struct auth_texts *t); /* wipes the key */
const char *auth_library(void);         /* name and version */
