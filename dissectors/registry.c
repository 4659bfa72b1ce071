/* SPDX-License-Identifier: Apache-2.0
 *
 * The table that the list in meson.build makes. */
#include "dissectors/dissector.h"

#define DISSECTOR(name) extern const struct dissector dissector_##name;
#include "dissectors/list.h"
#undef DISSECTOR

const struct dissector *const dissectors[] = {
#define DISSECTOR(name) &dissector_##name,
#include "dissectors/list.h"
#undef DISSECTOR
	NULL,
};
