/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of address blocks. */
#include <stdlib.h>
#include <string.h>

#include "assets/oui.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);

	memcpy(exact, bytes, n);
	struct oui *o = oui_parse(exact, n);
	for (size_t i = 0; o && i + 6 <= n && i < 64; i++) {
		const char *vendor = oui_vendor(o, exact + i);
		if (vendor && (!*vendor || strlen(vendor) > 63))
			abort();
	}
	oui_free(o);
	free(exact);
	return 0;
}
