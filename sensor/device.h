/* SPDX-License-Identifier: Apache-2.0
 *
 * What a capture interface says of itself beside the capture: what it dropped,
 * its MTU, whether it is up, its offloads. Linux sysfs, ethtool and
 * /proc/net/softnet_stat (Documentation/ABI/testing/sysfs-class-net-statistics,
 * Documentation/networking/statistics.rst of the kernel).
 *
 * Files are opened once, before the sandbox, and then read again: they outlive
 * that the interface is renamed, and fail once it has gone. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum device_count {
	DEVICE_MISSED,  /* no buffer of the host was free */
	DEVICE_FIFO,    /* the device's own queue ran over; some drivers count the same in OVER */
	DEVICE_OVER,    /* longer than the buffers, mostly */
	DEVICE_DROPPED, /* for lack of resources, or of anybody above who wants them: the
			 * kernel does not say which, and a capture has seen the latter */
	DEVICE_CRC,
	DEVICE_FRAME,
	DEVICE_LENGTH,
	DEVICE_COUNTS,
};

struct device_facts {
	bool told;                      /* sysfs knows it; else nothing below is known */
	bool gone;                      /* it was there, and is no more */
	bool down;                      /* set down by somebody */
	bool up;                        /* and with a carrier, as far as the driver tells */
	uint32_t mtu;                   /* 0: not known */
	char name[IF_NAMESIZE];         /* as it is called now */
	uint64_t counts[DEVICE_COUNTS]; /* since the device came up */
};

struct device;

/* NULL: no memory. An interface that sysfs does not know is told as such. */
struct device *device_open(const char *interface);
void device_close(struct device *d); /* accepts NULL */
void device_read(const struct device *d, struct device_facts *out);

/* What came between two looks. A count that fell began anew. */
struct device_losses {
	uint64_t missed;    /* never reached the kernel: no buffer, or queues ran over */
	uint64_t unclaimed; /* DEVICE_DROPPED: mostly seen */
	uint64_t damaged;   /* checksum, alignment or length wrong */
};
struct device_losses device_losses_between(const struct device_facts *before,
					   const struct device_facts *now);

/* Longest frame that fits an Ethernet of this MTU, two tags and all; 0 for 0. */
uint32_t device_frame_most(uint32_t mtu);

/* Offloads that join packets before they are captured, as ethtool -K calls them
 * ("gro lro"); empty when there are none, or when it cannot be known. Needs a
 * socket for a moment: before the sandbox. */
void device_offloads(const char *interface, char out[16]);

/* What the kernel's queues between driver and capture dropped, of all interfaces
 * of this machine, since it started. The descriptor is of device_softnet_open(),
 * or -1, which gives 0. */
int device_softnet_open(void);
uint64_t device_softnet_drops(int fd);

/* ---- pure ---- */

/* Sum of the second column, hexadecimal, of /proc/net/softnet_stat: frames that
 * found their processor's queue full. */
uint64_t softnet_parse(const char *text);
/* "up\n"; drivers that do not tell say "unknown", and are believed to be up. */
bool operstate_is_up(const char *text);
/* The new name in "INTERFACE=eth1\nIFINDEX=2\n"; false when there is none. */
bool uevent_name(const char *text, char out[IF_NAMESIZE]);
