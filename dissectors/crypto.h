/* SPDX-License-Identifier: Apache-2.0
 *
 * What dissectors need of cryptography: digests for fingerprints, and the means by
 * which anybody can read a QUIC Initial packet. The one source behind it (crypto.c)
 * knows the library. Nothing allocates or fails. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MD5_BYTES = 16, SHA256_BYTES = 32, AES_BLOCK = 16, GCM_NONCE = 12, GCM_TAG = 16 };

enum digest_kind { DIGEST_MD5, DIGEST_SHA256 };

/* A digest under way; lives on the stack. */
struct digest {
	enum digest_kind kind;
	uint64_t room[16];
};

void digest_start(struct digest *d, enum digest_kind kind);
void digest_add(struct digest *d, const void *bytes, size_t n);
/* Ends it: the first `digits` hexadecimal digits, lower-case, with a NUL behind them. */
void digest_hex(struct digest *d, size_t digits, char *out);

/* RFC 5869 with SHA-256. */
void hkdf_sha256_extract(const void *salt, size_t salt_n, const void *secret, size_t n,
			 uint8_t out[SHA256_BYTES]);
/* RFC 8446 section 7.1, HKDF-Expand-Label with an empty context, for labels of one
 * secret; their texts without "tls13 ", at most 32 characters. */
struct hkdf_label {
	const char *text;
	uint8_t *out;
	size_t n;
};
void hkdf_sha256_labels(const uint8_t secret[SHA256_BYTES], const struct hkdf_label *labels,
			size_t count);

/* One block of AES-128. */
void aes128_block(const uint8_t key[AES_BLOCK], const uint8_t in[AES_BLOCK],
		  uint8_t out[AES_BLOCK]);

/* AES-128-GCM: decrypts `n` bytes and the tag behind them. False, and `out` is of no
 * use, when the tag is wrong. */
bool aes128_gcm_open(const uint8_t key[AES_BLOCK], const uint8_t nonce[GCM_NONCE], const void *head,
		     size_t head_n, const uint8_t *in, size_t n, uint8_t *out);
