/* SPDX-License-Identifier: Apache-2.0
 *
 * Chosen by meson when nDPI is switched off: nothing is ever inspected. */
#include "sensor/dpi.h"

#include <stdio.h>
#include <stdlib.h>

struct dpi {
	size_t slots;
};

struct dpi *dpi_create(size_t slots, bool thorough, char why[256])
{
	struct dpi *d = calloc(1, sizeof(*d));

	(void)thorough;
	if (!d)
		snprintf(why, 256, "not enough memory");
	else
		d->slots = slots;
	return d;
}

void dpi_destroy(struct dpi *d)
{
	free(d);
}

int dpi_flow_begin(struct dpi *d, bool binary)
{
	(void)d, (void)binary;
	return -1;
}

bool dpi_inspect(struct dpi *d, int slot, const uint8_t *ip, size_t ip_len, uint64_t ms,
		 struct dpi_answer *out)
{
	(void)d, (void)slot, (void)ip, (void)ip_len, (void)ms;
	*out = (struct dpi_answer){ 0 };
	return true;
}

void dpi_flow_end(struct dpi *d, int slot)
{
	(void)d, (void)slot;
}

uint64_t dpi_memory(void)
{
	return 0;
}

const char *dpi_version(void)
{
	return "none";
}
