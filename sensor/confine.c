/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/confine.h"

#include <string.h>

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

static bool enter(struct sandbox *s, bool wanted)
{
	char why[256] = "";
	int error = 0;

	if (wanted)
		error = sandbox_enter(s, why);
	else
		sandbox_warn_without();
	sandbox_finish(s);
	if (error)
		log_error("%s", *why ? why : strerror(-error));
	return !error;
}

bool confine_replay(const struct sensor_config *c, const char *const *files, size_t count,
		    bool sandbox)
{
	struct sandbox s;

	sandbox_init(&s, SANDBOX_SENSOR_REPLAY);
	sandbox_allow(&s, SANDBOX_WRITE, c->spool_dir);
	for (size_t i = 0; i < count; i++)
		if (strcmp(files[i], "-") != 0)
			sandbox_allow(&s, SANDBOX_READ, files[i]);
	return enter(&s, sandbox);
}

bool confine_live(const struct sensor_config *c, struct live *const *inputs, size_t count,
		  int send_fd, bool sandbox)
{
	struct sandbox s;

	sandbox_init(&s, SANDBOX_SENSOR_LIVE);
	s.send_fd = send_fd;
	sandbox_allow(&s, SANDBOX_WRITE, c->spool_dir);
	/* Read again on SIGHUP; editors replace them. */
	sandbox_allow(&s, SANDBOX_READ_BESIDE, c->path);
	sandbox_allow(&s, SANDBOX_READ_BESIDE, c->site);
	for (size_t i = 0; i < c->geo_count; i++)
		sandbox_allow(&s, SANDBOX_READ_BESIDE, c->geo[i]);
	for (size_t i = 0; i < count; i++)
		sandbox_mute(&s, live_descriptor(inputs[i]));
	return enter(&s, sandbox);
}
