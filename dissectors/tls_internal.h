/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the sources of the TLS dissector. */
#pragma once

#include "dissectors/tls_hello.h"

enum tls_field {
	TLS_SNI,
	TLS_ALPN,
	TLS_ALPN_CHOSEN,
	TLS_VERSION,
	TLS_VERSION_MAX,
	TLS_CIPHER,
	TLS_RESUMED,
	TLS_ECH,
	TLS_ALERT,
	TLS_JA3,
	TLS_JA3S,
	TLS_JA4,
	TLS_DNS_OVER,
	TLS_CERTIFICATE_NAME,
	TLS_CERTIFICATE_WILDCARD,
	TLS_CERTIFICATE_ORGANISATION,
	TLS_CERTIFICATE_ISSUER,
	TLS_CERTIFICATE_NOT_BEFORE,
	TLS_CERTIFICATE_NOT_AFTER,
	TLS_CERTIFICATE_EXPIRED,
	TLS_CERTIFICATE_NOT_YET_VALID,
	TLS_CERTIFICATE_SELF_SIGNED,
	TLS_CERTIFICATE_KEY,
	TLS_CERTIFICATE_KEY_BITS,
	TLS_CERTIFICATE_SIGNATURE,
	TLS_CLIENT_CERTIFICATE_ASKED,
	TLS_CLIENT_CERTIFICATE,
};

extern const struct field tls_fields[];

/* What a server's certificate says (RFC 5280), as far as its bytes are here; `now` is
 * when it was shown. Nothing is checked with a key: a name here is a claim. */
void tls_record_certificate(struct cursor certificate, struct usec now, struct attributes *out);

/* RFC 8446 section 6 and its predecessors: the word for an alert. */
void tls_record_alert(unsigned description, struct attributes *out);

/* Whether a suite encrypts, by its IANA number. */
bool tls_cipher_encrypts(unsigned cipher);
