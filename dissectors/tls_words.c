/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS dissector's fields, and the numbers of IANA's registries that it has words for. */
#include "dissectors/tls_internal.h"

#include <stdio.h>

/* clang-format off */
const struct field tls_fields[] = {
	[TLS_SNI] = { "tls.sni", FIELD_TEXT, GRAMMAR_HOSTNAME, "",
		"server name that the client asks for", PHI_SITE, ABOUT_FLOW },
	[TLS_ALPN] = { "tls.alpn", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"application protocols that the client offers, by a list of known ones; else other",
		PHI_NONE, ABOUT_FLOW },
	[TLS_ALPN_CHOSEN] = { "tls.alpn_chosen", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"application protocol that the server chose (not visible from TLS 1.3 on)",
		PHI_NONE, ABOUT_FLOW },
	[TLS_VERSION] = { "tls.version", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"version agreed on, as 1.3; ssl3.0 for SSL 3.0", PHI_NONE, ABOUT_FLOW },
	[TLS_VERSION_MAX] = { "tls.client_version_max", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"highest version that the client offers", PHI_NONE, ABOUT_FLOW },
	[TLS_CIPHER] = { "tls.cipher", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"cipher suite agreed on, by its IANA number, as 0x1301", PHI_NONE, ABOUT_FLOW },
	[TLS_RESUMED] = { "tls.resumed", FIELD_FLAG, GRAMMAR_NONE, "",
		"an earlier session went on", PHI_NONE, ABOUT_FLOW },
	[TLS_ECH] = { "tls.ech", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client offers an encrypted hello, or pretends to: then the true name is hidden",
		PHI_NONE, ABOUT_FLOW },
	[TLS_ALERT] = { "tls.alert", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"alert in the clear, as handshake_failure", PHI_NONE, ABOUT_FLOW },
	[TLS_JA3] = { "tls.ja3", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"JA3 fingerprint of the client's first hello", PHI_DEVICE, ABOUT_CLIENT },
	[TLS_JA3S] = { "tls.ja3s", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"JA3S fingerprint of the server's hello; depends on the client's too", PHI_DEVICE,
		ABOUT_SERVER },
	[TLS_JA4] = { "tls.ja4", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"JA4 fingerprint of the client's first hello", PHI_DEVICE, ABOUT_CLIENT },
	[TLS_DNS_OVER] = { "tls.dns_over", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"tls: DNS over TLS, by port 853 or ALPN; https: the name of a public resolver",
		PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_NAME] = { "tls.certificate_name", FIELD_TEXT, GRAMMAR_HOSTNAME, "",
		"server certificate: subject's common name, else its first DNS name; without *.",
		PHI_SITE, ABOUT_SERVER },
	[TLS_CERTIFICATE_WILDCARD] = { "tls.certificate_wildcard", FIELD_FLAG, GRAMMAR_NONE, "",
		"server certificate: for all hosts below that name", PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_ORGANISATION] = { "tls.certificate_organisation", FIELD_TEXT,
		GRAMMAR_ISSUER, "", "server certificate: subject's organisation", PHI_SITE,
		ABOUT_SERVER },
	[TLS_CERTIFICATE_ISSUER] = { "tls.certificate_issuer", FIELD_TEXT, GRAMMAR_ISSUER, "",
		"server certificate: issuer's common name, else organisation; not when self-signed",
		PHI_SITE, ABOUT_FLOW },
	[TLS_CERTIFICATE_NOT_BEFORE] = { "tls.certificate_not_before", FIELD_TEXT, GRAMMAR_TOKEN,
		"", "server certificate: first day of validity, as 2026-01-02", PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_NOT_AFTER] = { "tls.certificate_not_after", FIELD_TEXT, GRAMMAR_TOKEN,
		"", "server certificate: last day of validity, as 2027-01-02", PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_EXPIRED] = { "tls.certificate_expired", FIELD_FLAG, GRAMMAR_NONE, "",
		"server certificate: its validity was over when it was shown", PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_NOT_YET_VALID] = { "tls.certificate_not_yet_valid", FIELD_FLAG,
		GRAMMAR_NONE, "", "server certificate: its validity had not begun when it was shown",
		PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_SELF_SIGNED] = { "tls.certificate_self_signed", FIELD_FLAG, GRAMMAR_NONE,
		"", "server certificate: issuer and subject are the same", PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_KEY] = { "tls.certificate_key", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"server certificate: kind of key, as rsa, ec, ed25519", PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_KEY_BITS] = { "tls.certificate_key_bits", FIELD_NUMBER, GRAMMAR_NONE,
		"bits", "server certificate: size of the key", PHI_NONE, ABOUT_FLOW },
	[TLS_CERTIFICATE_SIGNATURE] = { "tls.certificate_signature", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"server certificate: how it is signed, as sha256-rsa", PHI_NONE, ABOUT_FLOW },
	[TLS_CLIENT_CERTIFICATE_ASKED] = { "tls.client_certificate_asked", FIELD_FLAG,
		GRAMMAR_NONE, "", "the server asks for a certificate (not visible from TLS 1.3 on)",
		PHI_NONE, ABOUT_FLOW },
	[TLS_CLIENT_CERTIFICATE] = { "tls.client_certificate", FIELD_FLAG, GRAMMAR_NONE, "",
		"the client shows a certificate, of which nothing is read", PHI_NONE, ABOUT_FLOW },
	{ 0 },
};
/* clang-format on */

/* Suites that authenticate and leave the content readable: IANA's *_WITH_NULL_*
 * and the integrity-only ones of RFC 9150. Health care uses them for node
 * authentication, so they are met. */
bool tls_cipher_encrypts(unsigned cipher)
{
	static const uint16_t clear[] = {
		0x0000, 0x0001, 0x0002, 0x002c, 0x002d, 0x002e, 0x003b, 0x00b0,
		0x00b1, 0x00b4, 0x00b5, 0x00b8, 0x00b9, 0xc001, 0xc006, 0xc00b,
		0xc010, 0xc015, 0xc039, 0xc03a, 0xc03b, 0xc0b4, 0xc0b5,
	};
	for (size_t i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
		if (clear[i] == cipher)
			return false;
	return true;
}

/* RFC 8446 section 6 and its predecessors. */
void tls_record_alert(unsigned description, struct attributes *out)
{
	static const char *const names[] = {
		[0] = "close_notify",
		[10] = "unexpected_message",
		[20] = "bad_record_mac",
		[22] = "record_overflow",
		[40] = "handshake_failure",
		[41] = "no_certificate",
		[42] = "bad_certificate",
		[43] = "unsupported_certificate",
		[44] = "certificate_revoked",
		[45] = "certificate_expired",
		[46] = "certificate_unknown",
		[47] = "illegal_parameter",
		[48] = "unknown_ca",
		[49] = "access_denied",
		[50] = "decode_error",
		[51] = "decrypt_error",
		[70] = "protocol_version",
		[71] = "insufficient_security",
		[80] = "internal_error",
		[86] = "inappropriate_fallback",
		[90] = "user_canceled",
		[100] = "no_renegotiation",
		[109] = "missing_extension",
		[110] = "unsupported_extension",
		[112] = "unrecognized_name",
		[113] = "bad_certificate_status_response",
		[115] = "unknown_psk_identity",
		[116] = "certificate_required",
		[120] = "no_application_protocol",
	};
	char text[16];

	if (description < sizeof(names) / sizeof(names[0]) && names[description]) {
		attributes_text(out, &tls_fields[TLS_ALERT], names[description],
				strlen(names[description]));
		return;
	}
	int n = snprintf(text, sizeof(text), "alert%u", description);
	attributes_text(out, &tls_fields[TLS_ALERT], text, (size_t)n);
}
