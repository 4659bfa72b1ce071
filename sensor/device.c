/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILE_MTU = DEVICE_COUNTS, FILE_FLAGS, FILE_STATE, FILE_UEVENT, FILES };

static const char *const files[FILES] = {
	[DEVICE_MISSED] = "statistics/rx_missed_errors",
	[DEVICE_FIFO] = "statistics/rx_fifo_errors",
	[DEVICE_OVER] = "statistics/rx_over_errors",
	[DEVICE_DROPPED] = "statistics/rx_dropped",
	[DEVICE_CRC] = "statistics/rx_crc_errors",
	[DEVICE_FRAME] = "statistics/rx_frame_errors",
	[DEVICE_LENGTH] = "statistics/rx_length_errors",
	[FILE_MTU] = "mtu",
	[FILE_FLAGS] = "flags",
	[FILE_STATE] = "operstate",
	[FILE_UEVENT] = "uevent",
};

struct device {
	char interface[IF_NAMESIZE];
	int fds[FILES]; /* -1: there is none */
};

struct device *device_open(const char *interface)
{
	struct device *d = calloc(1, sizeof(*d));
	char path[96];

	if (!d)
		return NULL;
	snprintf(d->interface, sizeof(d->interface), "%s", interface);
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/%s", d->interface, files[i]);
		d->fds[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
	return d;
}

void device_close(struct device *d)
{
	if (!d)
		return;
	for (int i = 0; i < FILES; i++)
		if (d->fds[i] >= 0)
			close(d->fds[i]);
	free(d);
}

/* Length, or -errno; text with a NUL. */
static ssize_t read_text(int fd, char *out, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, out, size - 1, 0);
	int error = fd < 0 ? ENOENT : errno;

	out[n > 0 ? n : 0] = '\0';
	return n < 0 ? -error : n;
}

static uint64_t read_number(int fd)
{
	char text[32];
	return read_text(fd, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

void device_read(const struct device *d, struct device_facts *out)
{
	char text[256];
	ssize_t n = read_text(d->fds[FILE_STATE], text, sizeof(text));

	*out = (struct device_facts){ .told = d->fds[FILE_STATE] >= 0, .gone = n == -ENODEV };
	strcpy(out->name, d->interface);
	if (n < 0)
		return;
	out->up = operstate_is_up(text);
	if (read_text(d->fds[FILE_FLAGS], text, sizeof(text)) > 0)
		out->down = !(strtoul(text, NULL, 16) & IFF_UP);
	out->mtu = (uint32_t)read_number(d->fds[FILE_MTU]);
	for (int i = 0; i < DEVICE_COUNTS; i++)
		out->counts[i] = read_number(d->fds[i]);
	if (read_text(d->fds[FILE_UEVENT], text, sizeof(text)) > 0)
		uevent_name(text, out->name);
}

struct device_losses device_losses_between(const struct device_facts *before,
					   const struct device_facts *now)
{
	uint64_t added[DEVICE_COUNTS];

	if (!before->told || !now->told || now->gone)
		return (struct device_losses){ 0 };
	for (int i = 0; i < DEVICE_COUNTS; i++)
		added[i] = now->counts[i] >= before->counts[i] ? now->counts[i] - before->counts[i]
							       : now->counts[i];
	return (struct device_losses){
		.missed = added[DEVICE_MISSED] + (added[DEVICE_FIFO] > added[DEVICE_OVER]
							  ? added[DEVICE_FIFO]
							  : added[DEVICE_OVER]),
		.unclaimed = added[DEVICE_DROPPED],
		.damaged = added[DEVICE_CRC] + added[DEVICE_FRAME] + added[DEVICE_LENGTH],
	};
}

uint32_t device_frame_most(uint32_t mtu)
{
	enum { ETHERNET = 14, TAGS = 2 * 4 };
	return mtu ? mtu + ETHERNET + TAGS : 0;
}

static bool flag_is_on(int fd, const char *interface, uint32_t command, uint32_t flag)
{
	struct ethtool_value value = { .cmd = command };
	struct ifreq request = { .ifr_data = (void *)&value };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	return ioctl(fd, SIOCETHTOOL, &request) == 0 && value.data & flag;
}

void device_offloads(const char *interface, char out[16])
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*out = '\0';
	if (fd < 0)
		return;
	if (flag_is_on(fd, interface, ETHTOOL_GGRO, ~0U))
		strcat(out, "gro");
	if (flag_is_on(fd, interface, ETHTOOL_GFLAGS, ETH_FLAG_LRO))
		strcat(out, *out ? " lro" : "lro");
	close(fd);
}

int device_softnet_open(void)
{
	return open("/proc/net/softnet_stat", O_RDONLY | O_CLOEXEC);
}

uint64_t device_softnet_drops(int fd)
{
	char text[64 * 1024]; /* 170 bytes a processor */
	return read_text(fd, text, sizeof(text)) > 0 ? softnet_parse(text) : 0;
}

uint64_t softnet_parse(const char *text)
{
	uint64_t sum = 0;

	while (*text) {
		char *end;
		strtoull(text, &end, 16);
		if (end != text && *end == ' ')
			sum += strtoull(end, NULL, 16);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return sum;
}

bool operstate_is_up(const char *text)
{
	return strncmp(text, "up", 2) == 0 || strncmp(text, "unknown", 7) == 0;
}

bool uevent_name(const char *text, char out[IF_NAMESIZE])
{
	static const char key[] = "INTERFACE=";

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		if (strncmp(text, key, sizeof(key) - 1) != 0)
			continue;
		text += sizeof(key) - 1;
		size_t n = strcspn(text, "\n");
		if (n == 0 || n >= IF_NAMESIZE)
			return false;
		memcpy(out, text, n);
		out[n] = '\0';
		return true;
	}
	return false;
}
