/* SPDX-License-Identifier: Apache-2.0
 *
 * Files as a service needs them. All return 0 or -errno. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

/* Writes all n bytes, however many calls that takes. */
int file_write_all(int fd, const void *bytes, size_t n);

/* Replaces `path` by content that is complete on disk before it gets the name
 * (temporary file beside it, fdatasync, rename, fsync of the folder). */
int file_replace(const char *path, const void *bytes, size_t n, mode_t mode);

/* Reads a whole file of at most `limit` bytes; -EFBIG beyond. Appends to out. */
int file_read(const char *path, size_t limit, struct buf *out);

/* Creates a folder and its parents, like mkdir -p. */
int file_make_dirs(const char *path, mode_t mode);

/* Opens (and creates, 0640) a file and locks it for this process alone; the lock
 * goes with the descriptor. The descriptor, -EBUSY when another has it, or -errno. */
int file_lock(const char *path);
