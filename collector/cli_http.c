/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_http.h"

#include <curl/curl.h>
#include <jansson.h>
#include <string.h>

#include "collector/cli_text.h"

enum { CONNECT_SECONDS = 10, SILENT_SECONDS = 120, REFUSAL_MOST = 64 * 1024 };

struct exchange {
	CURL *curl;
	http_sink *sink;
	void *context;
	bool stopped;
	struct buf refusal; /* body of an answer that is not good */
};

static size_t take(char *bytes, size_t size, size_t n, void *context)
{
	struct exchange *x = context;
	long status = 0;

	n *= size;
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 != 2) {
		if (x->refusal.len < REFUSAL_MOST)
			buf_bytes(&x->refusal, bytes, n);
		return n;
	}
	if (x->sink(x->context, bytes, n))
		return n;
	x->stopped = true;
	return 0;
}

static void prepare(struct exchange *x, const struct connection *c, const char *url,
		    const char *body, struct curl_slist *headers, char *error)
{
	CURL *curl = x->curl;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca);
	curl_easy_setopt(curl, CURLOPT_SSLCERT, c->certificate);
	curl_easy_setopt(curl, CURLOPT_SSLKEY, c->key);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "vigie/" VIGIE_VERSION);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
}

/* Of an answer {"error": "..."}: its sentence. */
static void put_refusal(const struct exchange *x, long status, struct buf *problem)
{
	json_t *answer =
		json_loadb(x->refusal.data ? x->refusal.data : "", x->refusal.len, 0, NULL);
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (error)
		text_clean(error, problem);
	else
		buf_format(problem, "the collector answered with status %ld and no reason", status);
	json_decref(answer);
}

static enum http_outcome judge(const struct exchange *x, const struct connection *c, CURLcode code,
			       const char *detail, struct buf *problem)
{
	long status = 0;

	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	switch (code) {
	case CURLE_OK:
		if (status / 100 == 2)
			return HTTP_DONE;
		put_refusal(x, status, problem);
		return status / 100 == 4 && status != 429 ? HTTP_REFUSED : HTTP_FAILED;
	case CURLE_PEER_FAILED_VERIFICATION:
		buf_format(problem,
			   "%s is not the collector that %s vouches for (%s); check the address "
			   "and the authority's certificate",
			   c->url, c->ca, detail);
		return HTTP_UNTRUSTED;
	case CURLE_SSL_CACERT_BADFILE:
		buf_format(problem,
			   "%s holds no usable certificate; it must be the authority's, in PEM",
			   c->ca);
		return HTTP_UNTRUSTED;
	case CURLE_SSL_CERTPROBLEM:
		buf_format(problem, "%s and %s do not make a usable certificate and key (%s)",
			   c->certificate, c->key, detail);
		return HTTP_UNTRUSTED;
	case CURLE_COULDNT_RESOLVE_HOST:
		buf_format(problem,
			   "the name in %s is not known (%s); check the collector's address",
			   c->url, detail);
		return HTTP_FAILED;
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
		buf_format(problem,
			   "no collector answers at %s (%s); check that it runs and that "
			   "nothing on the way blocks it",
			   c->url, detail);
		return HTTP_FAILED;
	case CURLE_SSL_CONNECT_ERROR:
		buf_format(problem,
			   "%s does not agree to TLS 1.3 with the certificate %s (%s); check the "
			   "address, and who signed the certificate",
			   c->url, c->certificate, detail);
		return HTTP_UNTRUSTED;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		/* In TLS 1.3 the client is done before the server has judged it. */
		if (status)
			break;
		buf_format(problem,
			   "%s would not talk to the certificate %s; check who signed it and until "
			   "when it is valid",
			   c->url, c->certificate);
		return HTTP_UNTRUSTED;
	default:
		break;
	}
	buf_format(problem, "the collector's answer broke off (%s); ask again", detail);
	return HTTP_FAILED;
}

enum http_outcome http_fetch(const struct connection *c, const char *target, const char *body,
			     http_sink *sink, void *context, struct buf *problem)
{
	struct exchange x = { .curl = curl_easy_init(), .sink = sink, .context = context };
	struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
	char error[CURL_ERROR_SIZE] = { 0 };
	enum http_outcome outcome = HTTP_FAILED;
	struct buf url = { 0 };

	buf_format(&url, "%s%s", c->url, target);
	if (!x.curl || !headers || url.failed) {
		buf_text(problem, "not enough memory");
		goto out;
	}
	prepare(&x, c, url.data, body, body ? headers : NULL, error);
	CURLcode code = curl_easy_perform(x.curl);
	if (x.stopped)
		outcome = HTTP_STOPPED;
	else
		outcome = judge(&x, c, code, *error ? error : curl_easy_strerror(code), problem);
out:
	buf_finish(&url);
	buf_finish(&x.refusal);
	curl_slist_free_all(headers);
	curl_easy_cleanup(x.curl);
	return outcome;
}
