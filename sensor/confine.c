/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/confine.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/privilege.h"
#include "daemon/sandbox.h"

bool confine_privileges(const struct sensor_config *c)
{
	char why[256] = "";

	if (privilege_drop(c->user, why) == 0)
		return true;
	log_error("%s", why);
	return false;
}

bool confine_replay(const struct sensor_config *c, const char *const *files, size_t count,
		    bool sandbox)
{
	struct sandbox s;
	char why[256] = "";

	if (!sandbox) {
		sandbox_warn_without();
		return true;
	}
	sandbox_init(&s, SANDBOX_SENSOR_REPLAY);
	sandbox_allow(&s, SANDBOX_WRITE, c->spool_dir);
	for (size_t i = 0; i < count; i++)
		if (strcmp(files[i], "-") != 0)
			sandbox_allow(&s, SANDBOX_READ, files[i]);
	int error = sandbox_enter(&s, why);
	sandbox_finish(&s);
	if (error)
		log_error("%s", *why ? why : strerror(-error));
	return !error;
}
