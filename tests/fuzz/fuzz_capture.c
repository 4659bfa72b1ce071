/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a capture file, through reader and decoder. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], why[256];
	struct counters counters = { 0 };
	struct frame frame;
	struct packet packet;
	int fd = memfd_create("capture", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct capture *c = capture_open(path, why);
	struct decoder *d = decoder_create(8, &counters);
	while (c && d && capture_next(c, &frame) == 1)
		decode(d, &frame, &packet);
	capture_close(c);
	decoder_destroy(d);
	close(fd);
	return 0;
}
