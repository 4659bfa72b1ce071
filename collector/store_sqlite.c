/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

static const int64_t day = 86400LL * USEC_PER_SECOND;
static const int64_t hour = 3600LL * USEC_PER_SECOND;

/* Times outside 1970 to 9999 (a broken clock, a made-up capture) are kept as
 * they are, in the first or the last file: order between files stays true. */
int64_t partition_key(const struct sqlite_store *s, struct usec t)
{
	const int64_t last = 253402300799LL * USEC_PER_SECOND;
	int64_t v = t.v < 0 ? 0 : t.v > last ? last : t.v;
	return v / s->span.v;
}

struct usec partition_start(const struct sqlite_store *s, int64_t key)
{
	return (struct usec){ key * s->span.v };
}

void partition_path(const struct sqlite_store *s, int64_t key, char out[PATH_MAX])
{
	char text[CLOCK_TEXT];

	clock_text(partition_start(s, key), text);
	text[s->span.v == day ? 10 : 13] = '\0';
	snprintf(out, PATH_MAX, "%s/flows-%s.db", s->dir, text);
}

/* The key of a file's name, or false for other files. */
static bool key_of(const struct sqlite_store *s, const char *name, int64_t *key)
{
	size_t stamp = s->span.v == day ? 10 : 13;
	char text[32];
	struct usec t;

	if (strncmp(name, "flows-", 6) || strlen(name) != 6 + stamp + 3 ||
	    strcmp(name + 6 + stamp, ".db"))
		return false;
	memcpy(text, name + 6, stamp);
	snprintf(text + stamp, sizeof(text) - stamp, "%s", stamp == 10 ? "" : ":00");
	if (!clock_parse(text, &t))
		return false;
	*key = partition_key(s, t);
	return true;
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

int partition_list(const struct sqlite_store *s, int64_t **out, size_t *count)
{
	size_t room = 0;
	int error = 0;
	DIR *dir = opendir(s->dir);

	*out = NULL;
	*count = 0;
	if (!dir)
		return -errno;
	for (struct dirent *e; (e = readdir(dir));) {
		int64_t key;
		if (!key_of(s, e->d_name, &key))
			continue;
		if (*count == room) {
			room = room ? room * 2 : 64;
			int64_t *grown = realloc(*out, room * sizeof(**out));
			if (!grown) {
				error = -ENOMEM;
				break;
			}
			*out = grown;
		}
		(*out)[(*count)++] = key;
	}
	closedir(dir);
	if (error) {
		free(*out);
		*out = NULL;
		return error;
	}
	if (*count)
		qsort(*out, *count, sizeof(**out), by_value);
	return 0;
}

static void partition_close(struct partition *p)
{
	struct db_stmt *list[] = { p->begin,    p->commit, p->rollback, p->batch, p->flow,
				   p->coverage, p->health, p->minute,   p->hour };

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		db_finalize(list[i]);
	db_close(p->db);
	*p = (struct partition){ 0 };
}

/* A free slot, or the one that was used longest ago. */
static struct partition *slot(struct sqlite_store *s)
{
	struct partition *oldest = &s->open[0];

	for (size_t i = 0; i < PARTITIONS_OPEN; i++) {
		if (!s->open[i].db)
			return &s->open[i];
		if (s->open[i].used < oldest->used)
			oldest = &s->open[i];
	}
	partition_close(oldest);
	return oldest;
}

int partition_get(struct sqlite_store *s, int64_t key, struct partition **out)
{
	char path[PATH_MAX], why[256];

	for (size_t i = 0; i < PARTITIONS_OPEN; i++) {
		if (s->open[i].db && s->open[i].key == key) {
			s->open[i].used = ++s->uses;
			*out = &s->open[i];
			return 0;
		}
	}
	struct partition *p = slot(s);
	partition_path(s, key, path);
	int error = db_open_writer(path, s->sync, &p->db, why);
	if (error)
		return error;
	p->key = key;
	p->used = ++s->uses;
	error = partition_schema(p->db);
	if (!error)
		error = partition_prepare(p);
	if (error)
		partition_close(p);
	*out = p;
	return error;
}

/* The files' names depend on the span, so it cannot change under a store. */
static int check_span(struct sqlite_store *s, const char *word, char why[256])
{
	struct db_stmt *get = NULL;
	char sql[128];

	snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO options VALUES ('partition', '%s')",
		 word);
	int error = db_exec(s->main, sql);
	if (!error)
		error = db_prepare(s->main, "SELECT value FROM options WHERE name = 'partition'",
				   &get);
	if (!error && db_step(get) == 1 && strcmp(db_column_text(get, 0), word)) {
		snprintf(why, 256,
			 "the store in %.120s was made with partition: %.8s; set that, or give an "
			 "empty folder",
			 s->dir, db_column_text(get, 0));
		error = -EINVAL;
	}
	db_finalize(get);
	return error;
}

static int open_main(struct sqlite_store *s, const struct store_options *o, char why[256])
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/main.db", s->dir);
	int error = db_open_writer(path, s->sync, &s->main, why);
	if (error)
		return error;
	error = main_schema(s->main);
	if (!error)
		error = main_prepare(s);
	if (error) {
		snprintf(why, 256, "%.100s: %.120s", path, db_error(s->main));
		return error;
	}
	return check_span(s, o->partition == STORE_BY_DAY ? "day" : "hour", why);
}

/* Two collectors would each keep their own idea of the newest files. */
static int lock_folder(struct sqlite_store *s, char why[256])
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", s->dir);
	int fd = file_lock(path);
	if (fd >= 0) {
		s->folder = fd + 1;
		return 0;
	}
	snprintf(why, 256, "%.150s: %s", s->dir,
		 fd == -EBUSY
			 ? "another collector stores here; stop it, or give each its own folder"
			 : strerror(-fd));
	return fd;
}

static int sqlite_open(void *state, const struct store_options *o, char why[256])
{
	struct sqlite_store *s = state;

	if (snprintf(s->dir, sizeof(s->dir), "%s", o->dir) >= (int)sizeof(s->dir)) {
		snprintf(why, 256, "the store's path is too long");
		return -ENAMETOOLONG;
	}
	s->span.v = o->partition == STORE_BY_DAY ? day : hour;
	s->retention = o->retention;
	s->sync = o->sync;
	if (pthread_rwlock_init(&s->files, NULL))
		return -ENOMEM;
	s->lock_ready = true;
	int error = file_make_dirs(s->dir, 0750);
	if (!error && access(s->dir, W_OK | X_OK))
		error = -errno;
	if (error) {
		snprintf(why, 256, "cannot write to %.150s: %s; create it, owned by this user",
			 s->dir, strerror(-error));
		return error;
	}
	error = lock_folder(s, why);
	return error ? error : open_main(s, o, why);
}

static void sqlite_close(void *state)
{
	struct sqlite_store *s = state;

	for (size_t i = 0; i < PARTITIONS_OPEN; i++)
		if (s->open[i].db)
			partition_close(&s->open[i]);
	if (s->main)
		main_finalize(s);
	db_close(s->main);
	if (s->lock_ready)
		pthread_rwlock_destroy(&s->files);
	if (s->folder)
		close(s->folder - 1);
	*s = (struct sqlite_store){ 0 };
}

/* When something last arrived for a partition; -errno. */
static int last_received(struct sqlite_store *s, int64_t key, struct usec *out)
{
	struct partition *p;
	struct db_stmt *get = NULL;
	int error = partition_get(s, key, &p);

	if (!error)
		error = db_prepare(p->db, "SELECT max(received) FROM batches", &get);
	if (!error) {
		error = db_step(get);
		out->v = db_column_int(get, 0);
		error = error < 0 ? error : 0;
	}
	db_finalize(get);
	return error;
}

static void close_key(struct sqlite_store *s, int64_t key)
{
	for (size_t i = 0; i < PARTITIONS_OPEN; i++)
		if (s->open[i].db && s->open[i].key == key)
			partition_close(&s->open[i]);
}

static const char *const tails[] = { "", "-wal", "-shm" };

int partition_set_aside(struct sqlite_store *s, int64_t key)
{
	static struct log_limit limit = { .interval = { 60LL * USEC_PER_SECOND } };
	char path[PATH_MAX], from[PATH_MAX + 8], to[PATH_MAX + 64];
	int error = 0;

	pthread_rwlock_wrlock(&s->files);
	close_key(s, key);
	partition_path(s, key, path);
	for (size_t i = 0; i < 3; i++) {
		snprintf(from, sizeof(from), "%s%s", path, tails[i]);
		snprintf(to, sizeof(to), "%s.damaged-%lld%s", path,
			 (long long)(clock_wall().v / USEC_PER_SECOND), tails[i]);
		if (rename(from, to) && i == 0)
			error = -errno;
	}
	pthread_rwlock_unlock(&s->files);
	if (error)
		log_limited(&limit, LOG_ERROR, "%s is damaged and cannot be set aside: %s", path,
			    strerror(-error));
	else
		log_error("%s is damaged; it was set aside as .damaged, and a new one begun: "
			  "restore its rows from a backup, or with sqlite3 .recover",
			  path);
	return error;
}

static void drop_partition(struct sqlite_store *s, int64_t key)
{
	char path[PATH_MAX];

	close_key(s, key);
	partition_path(s, key, path);
	size_t n = strlen(path);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path + n, sizeof(path) - n, "%s", tails[i]);
		unlink(path);
	}
}

/* Old by its time and by its arrival: a capture of last year that was replayed
 * today is kept as long as what was seen today. */
static int trim_partitions(struct sqlite_store *s, struct usec before)
{
	int64_t *keys;
	size_t count;
	int error = partition_list(s, &keys, &count);

	for (size_t i = 0; i < count && !error; i++) {
		struct usec received = { 0 };
		if (partition_start(s, keys[i] + 1).v >= before.v)
			break;
		error = last_received(s, keys[i], &received);
		if (!error && received.v < before.v)
			drop_partition(s, keys[i]);
	}
	free(keys);
	return error;
}

static int sqlite_trim(void *state, struct usec now)
{
	struct sqlite_store *s = state;
	struct usec before = { now.v - s->retention.v };
	char sql[256];

	if (!s->retention.v)
		return 0;
	if (pthread_rwlock_trywrlock(&s->files))
		return -EBUSY;
	int error = trim_partitions(s, before);
	pthread_rwlock_unlock(&s->files);
	/* Identities are kept twice as long, so that what a shipper held back for
	 * a whole retention is still known. */
	snprintf(sql, sizeof(sql),
		 "DELETE FROM alerts WHERE received < %lld AND last_seen < %lld;"
		 "DELETE FROM hosts WHERE received < %lld AND last_seen < %lld;"
		 "DELETE FROM batches WHERE received < %lld",
		 (long long)before.v, (long long)before.v, (long long)before.v, (long long)before.v,
		 (long long)(before.v - s->retention.v));
	return error ? error : db_exec(s->main, sql);
}

static uint64_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static int sqlite_stats(void *state, struct store_stats *out)
{
	struct sqlite_store *s = state;
	char path[PATH_MAX];
	int64_t *keys;
	size_t count;
	int error = partition_list(s, &keys, &count);

	if (error)
		return error;
	*out = (struct store_stats){ .partitions = count };
	snprintf(path, sizeof(path), "%s/main.db", s->dir);
	out->bytes = size_of(path);
	for (size_t i = 0; i < count; i++) {
		partition_path(s, keys[i], path);
		out->bytes += size_of(path);
	}
	if (count) {
		clock_text(partition_start(s, keys[0]), out->oldest);
		clock_text(partition_start(s, keys[count - 1] + 1), out->newest);
	}
	free(keys);
	return 0;
}

const struct store_driver store_sqlite = {
	.name = "sqlite",
	.state_size = sizeof(struct sqlite_store),
	.open = sqlite_open,
	.close = sqlite_close,
	.ingest = sqlite_ingest,
	.trim = sqlite_trim,
	.query = sqlite_query,
	.sql = sqlite_sql,
	.stats = sqlite_stats,
};
