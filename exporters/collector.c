/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches to Vigie's collector: idempotent PUTs over mutual TLS, several at a
 * time on connections that are kept. The answer decides (docs/spool.md): 200 is
 * stored; 400, 409, 413, 415 and 422 judge the batch, which never will be; all
 * else judges the moment, the way there or who asks, and is tried again. */
#include "exporters/exporter.h"

#include <curl/curl.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { URLS_MOST = 8, PARALLEL_MOST = 64, REPLY_MOST = 2048, URL_MOST = 512, BACK_OFF_MOST = 60 };

struct slot {
	CURL *easy;
	bool busy;
	uint64_t ticket;
	size_t url; /* which of the urls it was sent to */
	struct usec started;
	struct buf payload; /* lent to libcurl while busy */
	struct buf reply;
	char error[CURL_ERROR_SIZE];
};

struct collector {
	const char *sensor;
	const char *urls[URLS_MOST];
	size_t url_count, url; /* the one in use */
	const char *ca, *certificate, *key;
	uint64_t parallel;
	struct usec timeout;
	CURLM *multi;
	struct curl_slist *headers;
	struct slot slots[PARALLEL_MOST];
	unsigned failures;           /* in a row, over all urls */
	struct usec failed_at, wait; /* the last of them, and how long it makes us wait */
	uint64_t random;             /* for jitter */
};

static const struct exporter_option options[] = {
	{ "url", "url", NULL,
	  "https://HOST:PORT of the collector, or a list: the next is used "
	  "when one does not answer" },
	{ "ca", "path", NULL, "certificate of the authority that the collector's is signed by" },
	{ "certificate", "path", NULL, "the sensor's certificate; it must name the sensor" },
	{ "key", "path", NULL, "the certificate's private key" },
	{ "parallel", "number", "4", "batches on their way at a time, 1 to 64" },
	{ "timeout", "span", "60s", "for one batch to be sent and answered" },
	{ NULL },
};

/* ---- configuration ---- */

static bool is_url(const char *text)
{
	if (strncmp(text, "https://", 8) || strlen(text) > URL_MOST - 256)
		return false;
	CURLU *u = curl_url();
	char *host = NULL, *path = NULL, *query = NULL, *user = NULL;
	bool good = u && !curl_url_set(u, CURLUPART_URL, text, 0) &&
		    !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
		    !curl_url_get(u, CURLUPART_PATH, &path, 0) && !strcmp(path, "/") &&
		    curl_url_get(u, CURLUPART_QUERY, &query, 0) &&
		    curl_url_get(u, CURLUPART_USER, &user, 0);
	curl_free(host);
	curl_free(path);
	curl_free(query);
	curl_free(user);
	curl_url_cleanup(u);
	return good;
}

static void add_url(struct collector *c, const struct yaml_node *at)
{
	const char *text = yaml_text(at);

	if (!text || !is_url(text))
		yaml_problem(at, "is no collector's address; https://HOST:PORT would be right");
	else if (c->url_count == URLS_MOST)
		yaml_problem(at, "there are more than %d addresses", URLS_MOST);
	else
		c->urls[c->url_count++] = text;
}

static void read_file(const struct yaml_node *map, const char *key, const char **out)
{
	if (!yaml_read_text(map, key, out) || !*out)
		return;
	if (access(*out, R_OK))
		yaml_problem(yaml_get(map, key),
			     "%s %.150s cannot be read: %s; it must be a PEM file "
			     "that the shipper's user may read",
			     key, *out, strerror(errno));
}

static void configure(void *state, const struct yaml_node *destination, const char *sensor)
{
	struct collector *c = state;
	const struct yaml_node *url = yaml_get(destination, "url");

	c->sensor = sensor;
	c->parallel = 4;
	c->timeout.v = 60 * USEC_PER_SECOND;
	if (yaml_kind(url) == YAML_LIST)
		for (size_t i = 0; i < yaml_count(url); i++)
			add_url(c, yaml_element(url, i));
	else if (url)
		add_url(c, url);
	if (url && yaml_kind(url) == YAML_LIST && yaml_count(url) == 0)
		yaml_problem(url, "is an empty list; write the collector's address");
	read_file(destination, "ca", &c->ca);
	read_file(destination, "certificate", &c->certificate);
	read_file(destination, "key", &c->key);
	yaml_read_u64(destination, "parallel", 1, PARALLEL_MOST, &c->parallel);
	yaml_read_span(destination, "timeout", &c->timeout);
	if (c->timeout.v < USEC_PER_SECOND)
		yaml_problem(yaml_get(destination, "timeout"), "is too short; use 1s or more");
}

/* Certificates are renewed while we run, mostly under the same name. */
static void reach(const void *state, struct sandbox *sandbox)
{
	const struct collector *c = state;

	sandbox_allow(sandbox, SANDBOX_READ_BESIDE, c->ca);
	sandbox_allow(sandbox, SANDBOX_READ_BESIDE, c->certificate);
	sandbox_allow(sandbox, SANDBOX_READ_BESIDE, c->key);
}

/* ---- one request ---- */

static size_t take_reply(char *bytes, size_t size, size_t n, void *context)
{
	struct buf *reply = context;
	size_t room = REPLY_MOST - reply->len, all = size * n;

	buf_bytes(reply, bytes, all < room ? all : room);
	return all;
}

static void set_options(struct collector *c, struct slot *s)
{
	CURL *e = s->easy;

	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(e, CURLOPT_CAINFO, c->ca);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSLCERT, c->certificate);
	curl_easy_setopt(e, CURLOPT_SSLKEY, c->key);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(c->timeout.v / 1000));
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "PUT");
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "vigie-shipper/" VIGIE_VERSION);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_reply);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, &s->reply);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->error);
	curl_easy_setopt(e, CURLOPT_PRIVATE, s);
}

static int open_connection(void *state, char why[256])
{
	static const char *const headers[] = {
		"Content-Type: application/x-protobuf", "Content-Encoding: zstd",
		"Expect:", /* no waiting for 100 Continue */
	};
	struct collector *c = state;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct curl_slist *longer = curl_slist_append(c->headers, headers[i]);
		if (!longer)
			return -ENOMEM;
		c->headers = longer;
	}
	c->multi = curl_multi_init();
	for (uint64_t i = 0; c->multi && i < c->parallel; i++) {
		c->slots[i].easy = curl_easy_init();
		if (!c->slots[i].easy)
			break;
		set_options(c, &c->slots[i]);
	}
	if (getrandom(&c->random, sizeof(c->random), 0) < 0)
		c->random = 1;
	if (c->multi && c->slots[c->parallel - 1].easy)
		return 0;
	snprintf(why, 256, "libcurl cannot start: out of memory");
	return -ENOMEM;
}

static int submit(void *state, uint64_t ticket, const struct spool_frame *frame)
{
	struct collector *c = state;
	char url[URL_MOST];
	struct slot *s = NULL;

	for (uint64_t i = 0; !s && i < c->parallel; i++)
		if (!c->slots[i].busy)
			s = &c->slots[i];
	if (!s)
		return -EAGAIN;
	const char *base = c->urls[c->url];
	int length = (int)strlen(base) - (base[strlen(base) - 1] == '/');
	snprintf(url, sizeof(url), "%.*s/v1/sensors/%s/%s/%" PRIu64 "/%" PRIu64, length, base,
		 c->sensor, stream_name(frame->stream), frame->epoch, frame->sequence);
	buf_clear(&s->payload);
	buf_clear(&s->reply);
	buf_bytes(&s->payload, frame->payload, frame->length);
	if (s->payload.failed)
		return -EAGAIN;
	s->error[0] = '\0';
	s->ticket = ticket;
	s->url = c->url;
	s->started = clock_monotonic();
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->payload.data);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->payload.len);
	if (curl_multi_add_handle(c->multi, s->easy))
		return -EAGAIN;
	s->busy = true;
	return 0;
}

/* ---- answers ---- */

/* The message in {"error":"..."}, or the body as it is, of printable characters. */
static void reason_of(const struct buf *reply, char *out, size_t room)
{
	static const char head[] = "{\"error\":\"";
	const char *p = reply->data ? reply->data : "";
	const char *end = p + reply->len;
	size_t n = 0;

	bool json = reply->len > sizeof(head) && !strncmp(p, head, sizeof(head) - 1);
	if (json)
		p += sizeof(head) - 1;
	for (; p < end && n + 1 < room && !(json && *p == '"'); p++) {
		if (json && *p == '\\' && p + 1 < end)
			p++;
		out[n++] = isprint((unsigned char)*p) ? *p : ' ';
	}
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

/* What is wrong, and what would be right, when no answer came. */
static const char *remedy(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "its name is not known; check the url and the name service";
	case CURLE_COULDNT_CONNECT:
		return "nobody answers there; is the collector running, and the port right and "
		       "open?";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "its certificate is not to be trusted; check `ca`, and that the certificate "
		       "names the host in `url`";
	case CURLE_SSL_CACERT_BADFILE:
		return "`ca` is no certificate in PEM";
	case CURLE_SSL_CERTPROBLEM:
		return "`certificate` or `key` cannot be used; both must be PEM and belong "
		       "together";
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
		return "the connection was ended; is `certificate` past its date, or of another "
		       "authority than the collector's, or is this no collector?";
	case CURLE_OPERATION_TIMEDOUT:
		return "no answer in time";
	default:
		return "no answer";
	}
}

/* Doubles from one second on, up to a minute; a random part keeps sensors that
 * lost the collector together from coming back together. */
static struct usec back_off(struct collector *c)
{
	int64_t seconds = c->failures < 6 ? INT64_C(1) << c->failures : BACK_OFF_MOST;

	c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	int64_t span = seconds * USEC_PER_SECOND;
	return (struct usec){ span / 2 + (int64_t)((c->random >> 33) % (uint64_t)(span / 2 + 1)) };
}

/* Turns to the next url when the one in use failed; waits once all have. */
static struct usec after_failure(struct collector *c, const struct slot *s)
{
	/* Sent before the last failure was known: the same failure, once more. */
	if (s->started.v < c->failed_at.v)
		return c->wait;
	c->failed_at = clock_monotonic();
	c->wait.v = 0;
	c->url = (c->url + 1) % c->url_count;
	if (c->url == 0) {
		c->wait = back_off(c);
		c->failures++;
	}
	return c->wait;
}

static bool judges_the_batch(long status)
{
	return status == 400 || status == 409 || status == 413 || status == 415 || status == 422;
}

static const char *explain(long status)
{
	switch (status) {
	case 401:
	case 403:
		return "it does not let this sensor in; its certificate must name the sensor";
	case 404:
	case 405:
		return "there is no Vigie collector at this address";
	case 429:
	case 503:
		return "it is busy";
	default:
		return "it answered in an unexpected way";
	}
}

static void answered(struct collector *c, struct slot *s, struct delivery_report *report,
		     char reason[512])
{
	char said[256];
	long status = 0;
	curl_off_t seconds = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &seconds);
	if (status == 200) {
		c->failures = 0;
		report->outcome = DELIVERED;
		return;
	}
	reason_of(&s->reply, said, sizeof(said));
	report->reason = reason;
	report->outcome = judges_the_batch(status) ? REFUSED : DELAYED;
	if (report->outcome == REFUSED) {
		c->failures = 0;
		snprintf(reason, 512, "%ld %s", status, said);
		return;
	}
	snprintf(reason, 512, "%.150s: %s (%ld%s%s)", c->urls[s->url], explain(status), status,
		 *said ? ": " : "", said);
	bool says_when = seconds > 0 && (status == 429 || status == 503);
	report->retry_after = after_failure(c, s);
	if (says_when && c->url == s->url)
		report->retry_after.v =
			(seconds < BACK_OFF_MOST ? seconds : BACK_OFF_MOST) * USEC_PER_SECOND;
}

static void finished(struct collector *c, struct slot *s, CURLcode code, delivery_done *done,
		     void *context)
{
	struct delivery_report report = { .ticket = s->ticket };
	char reason[512];

	if (code == CURLE_OK) {
		answered(c, s, &report, reason);
	} else {
		snprintf(reason, sizeof(reason), "%.150s: %s (%.200s)", c->urls[s->url],
			 remedy(code), *s->error ? s->error : curl_easy_strerror(code));
		report.outcome = DELAYED;
		report.reason = reason;
		report.retry_after = after_failure(c, s);
	}
	curl_multi_remove_handle(c->multi, s->easy);
	s->busy = false;
	done(context, &report);
}

static int poll_connection(void *state, struct usec wait, delivery_done *done, void *context)
{
	struct collector *c = state;
	int running, left;

	if (curl_multi_perform(c->multi, &running) ||
	    curl_multi_poll(c->multi, NULL, 0, (int)(wait.v / 1000), NULL) ||
	    curl_multi_perform(c->multi, &running))
		return -EIO;
	for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
		char *slot = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &slot);
		finished(c, (struct slot *)(void *)slot, code, done, context);
	}
	return 0;
}

static void close_connection(void *state)
{
	struct collector *c = state;

	for (size_t i = 0; i < PARALLEL_MOST; i++) {
		struct slot *s = &c->slots[i];
		if (s->busy)
			curl_multi_remove_handle(c->multi, s->easy);
		curl_easy_cleanup(s->easy);
		buf_finish(&s->payload);
		buf_finish(&s->reply);
	}
	curl_multi_cleanup(c->multi);
	curl_slist_free_all(c->headers);
}

const struct exporter exporter_collector = {
	.name = "collector",
	.summary = "Vigie's collector, over HTTPS with certificates on both sides",
	.options = options,
	.state_size = sizeof(struct collector),
	.configure = configure,
	.reach = reach,
	.open = open_connection,
	.submit = submit,
	.poll = poll_connection,
	.close = close_connection,
};
