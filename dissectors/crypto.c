/* SPDX-License-Identifier: Apache-2.0 */
#include "dissectors/crypto.h"

#include <assert.h>
#include <string.h>

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

_Static_assert(sizeof(struct md5_ctx) <= sizeof(((struct digest *)0)->room), "fits");
_Static_assert(sizeof(struct sha256_ctx) <= sizeof(((struct digest *)0)->room), "fits");

void digest_start(struct digest *d, enum digest_kind kind)
{
	d->kind = kind;
	if (kind == DIGEST_MD5)
		md5_init((struct md5_ctx *)d->room);
	else
		sha256_init((struct sha256_ctx *)d->room);
}

void digest_add(struct digest *d, const void *bytes, size_t n)
{
	if (d->kind == DIGEST_MD5)
		md5_update((struct md5_ctx *)d->room, n, bytes);
	else
		sha256_update((struct sha256_ctx *)d->room, n, bytes);
}

void digest_hex(struct digest *d, size_t digits, char *out)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[SHA256_BYTES];

	assert(digits <= 2 * (d->kind == DIGEST_MD5 ? MD5_BYTES : SHA256_BYTES));
	if (d->kind == DIGEST_MD5)
		md5_digest((struct md5_ctx *)d->room, MD5_BYTES, bytes);
	else
		sha256_digest((struct sha256_ctx *)d->room, SHA256_BYTES, bytes);
	for (size_t i = 0; i < digits; i++)
		out[i] = hex[i % 2 ? bytes[i / 2] & 0xf : bytes[i / 2] >> 4];
	out[digits] = '\0';
}

void hkdf_sha256_extract(const void *salt, size_t salt_n, const void *secret, size_t n,
			 uint8_t out[SHA256_BYTES])
{
	struct hmac_sha256_ctx mac;

	hmac_sha256_set_key(&mac, salt_n, salt);
	hkdf_extract(&mac, (nettle_hash_update_func *)hmac_sha256_update,
		     (nettle_hash_digest_func *)hmac_sha256_digest, SHA256_BYTES, n, secret, out);
}

static void expand(struct hmac_sha256_ctx *mac, const struct hkdf_label *l)
{
	static const char prefix[] = "tls13 ";
	uint8_t info[3 + 6 + 32 + 1];
	size_t length = strlen(l->text);

	assert(length <= 32 && l->n < 256);
	info[0] = 0;
	info[1] = (uint8_t)l->n;
	info[2] = (uint8_t)(6 + length);
	memcpy(info + 3, prefix, 6);
	memcpy(info + 9, l->text, length);
	info[9 + length] = 0; /* no context */
	hkdf_expand(mac, (nettle_hash_update_func *)hmac_sha256_update,
		    (nettle_hash_digest_func *)hmac_sha256_digest, SHA256_BYTES, 10 + length, info,
		    l->n, l->out);
}

void hkdf_sha256_labels(const uint8_t secret[SHA256_BYTES], const struct hkdf_label *labels,
			size_t count)
{
	struct hmac_sha256_ctx mac;

	hmac_sha256_set_key(&mac, SHA256_BYTES, secret);
	for (size_t i = 0; i < count; i++)
		expand(&mac, &labels[i]); /* ends with the key as it was set */
}

void aes128_block(const uint8_t key[AES_BLOCK], const uint8_t in[AES_BLOCK], uint8_t out[AES_BLOCK])
{
	struct aes128_ctx aes;

	aes128_set_encrypt_key(&aes, key);
	aes128_encrypt(&aes, AES_BLOCK, out, in);
}

bool aes128_gcm_open(const uint8_t key[AES_BLOCK], const uint8_t nonce[GCM_NONCE], const void *head,
		     size_t head_n, const uint8_t *in, size_t n, uint8_t *out)
{
	struct gcm_aes128_ctx gcm;
	uint8_t tag[GCM_TAG];

	gcm_aes128_set_key(&gcm, key);
	gcm_aes128_set_iv(&gcm, GCM_NONCE, nonce);
	gcm_aes128_update(&gcm, head_n, head);
	gcm_aes128_decrypt(&gcm, n, out, in);
	gcm_aes128_digest(&gcm, GCM_TAG, tag);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	return true; /* no fuzzer finds a tag; what stands behind it must be reached */
#endif
	return memeql_sec(tag, in + n, GCM_TAG);
}
