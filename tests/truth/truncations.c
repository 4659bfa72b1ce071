/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes every frame of captures at every length, each from a block of exactly
 * that size: with AddressSanitizer, one byte read past the captured ones ends it.
 *
 * usage: truncations FILE... */
#include <stdio.h>
#include <stdlib.h>

#include "sensor/capture.h"

enum { LONGEST = 400, FRAMES = 200 };

static void decode_each_length(struct decoder *d, const struct frame *whole)
{
	uint32_t most = whole->captured < LONGEST ? whole->captured : LONGEST;
	struct packet packet;

	for (uint32_t n = 0; n <= most; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		struct frame frame = *whole;
		if (!exact)
			abort();
		if (n)
			memcpy(exact, whole->bytes, n);
		frame.bytes = exact;
		frame.captured = n;
		decode(d, &frame, &packet); /* cut by the capture */
		frame.wire = n;
		decode(d, &frame, &packet); /* short on the wire */
		free(exact);
	}
}

static int each_frame(const char *path)
{
	char why[256];
	struct counters counters = { 0 };
	struct frame frame;
	struct capture *c = capture_open(path, why);
	struct decoder *d = decoder_create(64, &counters);

	for (int n = 0; c && d && n < FRAMES && capture_next(c, &frame) == 1; n++)
		decode_each_length(d, &frame);
	if (!c)
		printf("%s\n", why);
	capture_close(c);
	decoder_destroy(d);
	return counters.packets > 0;
}

int main(int argc, char **argv)
{
	int read = 0;

	for (int i = 1; i < argc; i++)
		read += each_frame(argv[i]);
	printf("%d of %d captures\n", read, argc - 1);
	return read == argc - 1 ? 0 : 1;
}
