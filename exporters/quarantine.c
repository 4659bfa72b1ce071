/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/shipper.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "exporters/spool_files.h"

/* EPOCH-SEQUENCE.STREAM.zst holds the batch as it was sent, .txt why it was
 * refused: the reason first, so that no batch is without one. */
int quarantine_store(const char *spool_dir, const char *destination,
		     const struct spool_frame *frame, const char *reason)
{
	char folder[PATH_MAX], path[PATH_MAX];
	struct buf text = { 0 };
	int error = spool_join(folder, "%s/quarantine/%s", spool_dir, destination);

	if (!error)
		error = file_make_dirs(folder, 0750);
	if (!error)
		error = spool_join(path, "%s/%016" PRIx64 "-%" PRIu64 ".%s.txt", folder,
				   frame->epoch, frame->sequence, stream_name(frame->stream));
	if (error)
		return error;
	buf_format(&text, "%s\n", reason);
	error = text.failed ? -ENOMEM : file_replace(path, text.data, text.len, 0640);
	buf_finish(&text);
	if (error)
		return error;
	memcpy(path + strlen(path) - 3, "zst", 3);
	return file_replace(path, frame->payload, frame->length, 0640);
}
