/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "sensor/pcapng_file.h"

/* Of a file that is fingerprinted: all of a small one, samples of a large one. */
enum { CHUNK = 256 * 1024, CHUNKS = 256, SAMPLE = 16 * 1024 };

struct capture {
	struct source source;
	enum { FORMAT_PCAP, FORMAT_PCAPNG } format;
	struct pcap_file pcap;
	struct pcapng_file pcapng;
	bool over;
	char problem[SOURCE_WHY];
};

struct capture *capture_open(const char *path, char why[256])
{
	struct capture *c = calloc(1, sizeof(*c));
	char cause[SOURCE_WHY];

	if (!c) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	if (source_open(&c->source, path, cause) < 0) {
		snprintf(why, 256, "%.160s: %.40s; check the path and its permissions", path,
			 cause);
		goto fail;
	}
	if (pcapng_file_begin(&c->pcapng, &c->source))
		c->format = FORMAT_PCAPNG;
	else if (pcap_file_begin(&c->pcap, &c->source))
		c->format = FORMAT_PCAP;
	else {
		snprintf(why, 256,
			 "%.180s: not a capture; give a pcap or pcapng file (or gzip of one)",
			 path);
		goto fail;
	}
	return c;
fail:
	capture_close(c);
	return NULL;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	pcapng_file_finish(&c->pcapng);
	source_close(&c->source);
	free(c);
}

int capture_next(struct capture *c, struct frame *out)
{
	int rc;

	if (c->over)
		return c->problem[0] ? -EIO : 0;
	if (c->format == FORMAT_PCAP)
		rc = pcap_file_next(&c->pcap, &c->source, out, c->problem);
	else
		rc = pcapng_file_next(&c->pcapng, &c->source, out, c->problem);
	c->over = rc <= 0;
	return rc;
}

void capture_before_reuse(struct capture *c, void (*call)(void *context), void *context)
{
	c->source.before_reuse = call;
	c->source.context = context;
}

const char *capture_problem(const struct capture *c)
{
	return c->problem;
}

void capture_progress(const struct capture *c, uint64_t *done, uint64_t *all)
{
	source_progress(&c->source, done, all);
}

/* Hashes a file's length and chunks of it: all of a small one, and of a large
 * one some that are spread over its whole length. */
static uint64_t hash_chunks(int fd, off_t length, uint8_t *chunk, XXH3_state_t *state)
{
	bool large = length > (off_t)CHUNKS * CHUNK;
	off_t step = large ? length / CHUNKS : CHUNK;

	XXH3_64bits_reset(state);
	XXH3_64bits_update(state, &length, sizeof(length));
	for (off_t at = 0; at < length; at += step) {
		ssize_t got = pread(fd, chunk, large ? SAMPLE : CHUNK, at);
		if (got < 0)
			return 0;
		XXH3_64bits_update(state, chunk, (size_t)got);
	}
	uint64_t value = XXH3_64bits_digest(state);
	return value ? value : 1; /* 0 says that there is none */
}

uint64_t capture_fingerprint(const char *path)
{
	uint64_t value = 0;
	uint8_t *chunk = malloc(CHUNK);
	XXH3_state_t *state = XXH3_createState();
	int fd = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (chunk && state && fd >= 0 && fstat(fd, &st) == 0)
		value = hash_chunks(fd, st.st_size, chunk, state);
	if (fd >= 0)
		close(fd);
	XXH3_freeState(state);
	free(chunk);
	return value;
}
