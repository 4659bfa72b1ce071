/* SPDX-License-Identifier: Apache-2.0
 *
 * What reading and decoding cost: nanoseconds of processor time per frame in the loop, each
 * figure the least of several rounds, so that other load disturbs less.
 *
 * usage: bench_decode FILE [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sensor/capture.h"

struct sum {
	uint64_t frames, bytes, ip;
};

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int run(const char *path, bool decoding, struct sum *sum, double *ns)
{
	char why[256];
	static struct counters counters;
	static struct packet packet;
	struct frame frame;
	struct capture *c = capture_open(path, why);
	struct decoder *d = decoder_create(1024, &counters);
	double start = cpu_ns();

	*sum = (struct sum){ 0 };
	if (!c)
		fprintf(stderr, "bench_decode: %s\n", why);
	while (c && d && capture_next(c, &frame) == 1) {
		sum->frames++;
		sum->bytes += frame.wire;
		if (decoding)
			sum->ip += decode(d, &frame, &packet) == DECODE_OK;
	}
	*ns = cpu_ns() - start;
	capture_close(c);
	decoder_destroy(d);
	return sum->frames ? 0 : -1;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	double least[2] = { 0 };
	struct sum sum = { 0 };

	if (argc < 2) {
		fprintf(stderr, "usage: bench_decode FILE [ROUNDS]\n");
		return 2;
	}
	for (int i = 0; i < rounds; i++)
		for (int decoding = 0; decoding < 2; decoding++) {
			double ns;
			if (run(argv[1], decoding, &sum, &ns) < 0)
				return 2;
			if (i == 0 || ns < least[decoding])
				least[decoding] = ns;
		}
	double n = (double)sum.frames;
	printf("%.0f frames, %.0f bytes on average, %.1f %% IP\n", n, (double)sum.bytes / n,
	       100 * (double)sum.ip / n);
	printf("read %.1f ns, read and decode %.1f ns, decode %.1f ns a frame\n", least[0] / n,
	       least[1] / n, (least[1] - least[0]) / n);
	return 0;
}
