/* SPDX-License-Identifier: Apache-2.0
 *
 * The table that the list in meson.build makes. */
#include "exporters/exporter.h"

#include <string.h>

#define EXPORTER(name) extern const struct exporter exporter_##name;
#include "exporters/list.h"
#undef EXPORTER

const struct exporter *const exporters[] = {
#define EXPORTER(name) &exporter_##name,
#include "exporters/list.h"
#undef EXPORTER
	NULL,
};

const struct exporter *exporter_find(const char *name)
{
	for (size_t i = 0; exporters[i]; i++)
		if (!strcmp(exporters[i]->name, name))
			return exporters[i];
	return NULL;
}
