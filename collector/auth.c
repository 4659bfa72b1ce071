/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/auth.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"

const char auth_priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3";

static bool is_printable(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return n > 0;
}

static void add_name(struct caller *c, const char *text, size_t n)
{
	if (n >= CALLER_NAME || !is_printable(text, n) || c->name_count == CALLER_NAMES)
		return;
	char *to = c->names[c->name_count++];
	memcpy(to, text, n);
	to[n] = '\0';
}

static void add_role(struct caller *c, const char *text, size_t n)
{
	static const struct {
		const char *word;
		enum role role;
	} roles[] = { { "viewer", ROLE_VIEWER },
		      { "analyst", ROLE_ANALYST },
		      { "admin", ROLE_ADMIN } };

	c->is_sensor |= n == 6 && !memcmp(text, "sensor", 6);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strlen(roles[i].word) == n && !memcmp(roles[i].word, text, n) &&
		    roles[i].role > c->role)
			c->role = roles[i].role;
}

static void each_part(gnutls_x509_crt_t crt, const char *oid, struct caller *c,
		      void (*add)(struct caller *, const char *, size_t))
{
	char text[256];

	for (unsigned i = 0; i < CALLER_NAMES; i++) {
		size_t n = sizeof(text);
		int code = gnutls_x509_crt_get_dn_by_oid(crt, oid, i, 0, text, &n);
		if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (code == 0)
			add(c, text, n);
	}
}

static void each_dns_name(gnutls_x509_crt_t crt, struct caller *c)
{
	char text[256];

	for (unsigned i = 0; i < CALLER_NAMES; i++) {
		size_t n = sizeof(text);
		int type = gnutls_x509_crt_get_subject_alt_name(crt, i, text, &n, NULL);
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (type == GNUTLS_SAN_DNSNAME)
			add_name(c, text, n);
	}
}

bool caller_read(const void *der, size_t n, struct caller *out)
{
	gnutls_datum_t data = { .data = (unsigned char *)(uintptr_t)der, .size = (unsigned)n };
	gnutls_x509_crt_t crt;

	*out = (struct caller){ 0 };
	if (gnutls_x509_crt_init(&crt))
		return false;
	bool read = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) == 0;
	if (read) {
		each_part(crt, GNUTLS_OID_X520_COMMON_NAME, out, add_name);
		if (out->name_count)
			memcpy(out->name, out->names[0], sizeof(out->name));
		each_part(crt, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, out, add_role);
		each_dns_name(crt, out);
	}
	gnutls_x509_crt_deinit(crt);
	return read;
}

bool caller_has_name(const struct caller *c, const char *name)
{
	for (size_t i = 0; i < c->name_count; i++)
		if (!strcmp(c->names[i], name))
			return true;
	return false;
}

/* Anybody can knock: one line a minute is enough to see that somebody does. */
static void log_refusal(const char *reason)
{
	static struct log_limit limit = { .interval = { 60LL * USEC_PER_SECOND } };

	log_limited(&limit, LOG_WARN, "refused a client's certificate: %s", reason);
}

static int verify(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	gnutls_datum_t text;
	unsigned status = 0;

	if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0) {
		log_refusal("none was given, or it cannot be read");
		return GNUTLS_E_CERTIFICATE_REQUIRED;
	}
	if (!status)
		return 0;
	if (!gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0)) {
		log_refusal((const char *)text.data);
		gnutls_free(text.data);
	}
	return GNUTLS_E_CERTIFICATE_ERROR;
}

void auth_demand(void *session)
{
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_function(session, verify);
}

bool auth_caller(void *session, struct caller *out)
{
	unsigned count = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);

	*out = (struct caller){ 0 };
	return list && count && caller_read(list[0].data, list[0].size, out);
}

static int read_file(const char *what, const char *path, struct buf *out, char why[512])
{
	int error = file_read(path, 1 << 20, out);

	if (error == -EACCES)
		snprintf(why, 512,
			 "cannot read the %s %s: permission denied; let this user's group "
			 "read it",
			 what, path);
	else if (error)
		snprintf(why, 512, "cannot read the %s %s: %s; check tls in the configuration",
			 what, path, strerror(-error));
	return error;
}

static gnutls_datum_t datum(const struct buf *b)
{
	return (gnutls_datum_t){ .data = (unsigned char *)b->data, .size = (unsigned)b->len };
}

static int check_dates(const struct auth_files *files, const gnutls_datum_t *pem, char why[512])
{
	gnutls_x509_crt_t crt;
	time_t now = time(NULL);

	if (gnutls_x509_crt_init(&crt))
		return -ENOMEM;
	int error = gnutls_x509_crt_import(crt, pem, GNUTLS_X509_FMT_PEM) ? -EINVAL : 0;
	if (!error && gnutls_x509_crt_get_expiration_time(crt) < now) {
		snprintf(why, 512, "the certificate %s has expired; make a new one",
			 files->certificate);
		error = -EKEYEXPIRED;
	} else if (!error && gnutls_x509_crt_get_activation_time(crt) > now) {
		snprintf(why, 512,
			 "the certificate %s is not valid yet; check this machine's clock",
			 files->certificate);
		error = -EKEYEXPIRED;
	}
	gnutls_x509_crt_deinit(crt);
	return error;
}

static int try_on(const struct auth_files *files, const struct auth_texts *t, char why[512])
{
	gnutls_datum_t certificate = datum(&t->certificate), key = datum(&t->key),
		       ca = datum(&t->ca);
	gnutls_certificate_credentials_t credentials;

	if (gnutls_certificate_allocate_credentials(&credentials))
		return -ENOMEM;
	int error = -EINVAL;
	int code = gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
	if (code <= 0) {
		snprintf(why, 512, "the ca %s holds no certificate in PEM form", files->ca);
		goto out;
	}
	code = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key,
						   GNUTLS_X509_FMT_PEM);
	if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
		snprintf(why, 512,
			 "the key %s does not belong to the certificate %s; give the pair "
			 "that was made together",
			 files->key, files->certificate);
		goto out;
	}
	if (code < 0) {
		snprintf(why, 512,
			 "the certificate %s and the key %s cannot be used: %s; both must "
			 "be PEM, the key without a password",
			 files->certificate, files->key, gnutls_strerror(code));
		goto out;
	}
	error = check_dates(files, &certificate, why);
out:
	gnutls_certificate_free_credentials(credentials);
	return error;
}

int auth_load(const struct auth_files *files, struct auth_texts *out, char why[512])
{
	int error = read_file("certificate", files->certificate, &out->certificate, why);

	if (!error)
		error = read_file("key", files->key, &out->key, why);
	if (!error)
		error = read_file("ca", files->ca, &out->ca, why);
	if (!error)
		error = try_on(files, out, why);
	return error;
}

void auth_finish(struct auth_texts *t)
{
	if (t->key.data)
		explicit_bzero(t->key.data, t->key.len);
	buf_finish(&t->certificate);
	buf_finish(&t->key);
	buf_finish(&t->ca);
}

const char *auth_library(void)
{
	return gnutls_check_version(NULL);
}
