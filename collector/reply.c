/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"

void reply_error(struct reply *r, unsigned status, const char *format, ...)
{
	struct json j = { .out = &r->body };
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->status = status;
	r->type = NULL;
	buf_clear(&r->body);
	json_open(&j, NULL, '{');
	json_text(&j, "error", text);
	json_close(&j, '}');
	buf_char(&r->body, '\n');
}

void reply_finish(struct reply *r)
{
	if (r->rest.close)
		r->rest.close(r->rest.context);
	buf_finish(&r->body);
	*r = (struct reply){ 0 };
}
