/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "config/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses a text buffer on some broken inputs; not ours to mend. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

/* Every node is reached, once; a file that is refused has a reason. */
static size_t walk(const struct yaml_node *n)
{
	size_t nodes = 1;

	for (size_t i = 0; i < yaml_count(n); i++) {
		if (yaml_kind(n) == YAML_LIST) {
			nodes += walk(yaml_element(n, i));
			continue;
		}
		assert(yaml_text(yaml_key_at(n, i)));
		nodes += 1 + walk(yaml_value_at(n, i));
	}
	return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems = { 0 };
	struct yaml *y = yaml_parse("fuzz", data, size, &problems);

	assert(!y == (problems.count > 0));
	if (y)
		assert(walk(yaml_root(y)) <= YAML_NODES_MOST);
	yaml_close(y);
	problems_finish(&problems);
	return 0;
}
