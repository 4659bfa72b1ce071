/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/coverage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE (60LL * USEC_PER_SECOND)
#define LATE (4 * MINUTE) /* a minute ends, is sent, and stored */
#define FAR (INT64_MAX / 4)

const char *cover_state_name(enum cover_state state)
{
#define COVER_WORD(constant, word) word,
	static const char *const names[] = { COVER_STATES(COVER_WORD) };
#undef COVER_WORD
	return names[state];
}

enum cover_state cover_state_of(const char *word)
{
	for (int i = 0; i < COVER_STATE_COUNT; i++)
		if (!strcmp(word, cover_state_name((enum cover_state)i)))
			return (enum cover_state)i;
	return COVER_PARTIAL;
}

void cover_finish(struct cover *c)
{
	for (size_t i = 0; i < c->sensor_count; i++)
		free(c->sensors[i]->gaps);
	free(c->sensors);
	free(c->segments);
	arena_finish(&c->memory);
	*c = (struct cover){ 0 };
}

/* Hostile stamps must not overflow what is reckoned from them. */
static int64_t tame(int64_t minute)
{
	return minute > FAR ? FAR : minute < -FAR ? -FAR : minute;
}

static bool make_room(void **list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return true;
	size_t more = *room ? *room * 2 : 16;
	void *grown = reallocarray(*list, more, size);
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

/* Mostly the one that was asked for last. */
static struct cover_sensor *find_sensor(const struct cover *c, const char *name)
{
	for (size_t i = c->sensor_count; i-- > 0;)
		if (!strcmp(c->sensors[i]->name, name))
			return c->sensors[i];
	return NULL;
}

static struct cover_sensor *add_sensor(struct cover *c, const char *name, int64_t minute)
{
	if (!make_room((void **)&c->sensors, c->sensor_count, &c->sensor_room, sizeof(*c->sensors)))
		return NULL;
	struct cover_sensor *s = arena_alloc(&c->memory, sizeof(*s));
	if (!s)
		return NULL;
	*s = (struct cover_sensor){ .name = arena_text(&c->memory, name, strlen(name)),
				    .last = minute };
	if (!s->name)
		return NULL;
	c->sensors[c->sensor_count++] = s;
	return s;
}

int cover_heard(struct cover *c, const char *sensor, int64_t minute)
{
	struct cover_sensor *s = find_sensor(c, sensor);

	minute = tame(minute);
	if (!s)
		return add_sensor(c, sensor, minute) ? 0 : -ENOMEM;
	if (minute > s->last + MINUTE) {
		if (!make_room((void **)&s->gaps, s->gap_count, &s->gap_room, sizeof(*s->gaps)))
			return -ENOMEM;
		s->gaps[s->gap_count++] = (struct cover_gap){ s->last + MINUTE, minute };
	}
	if (minute > s->last)
		s->last = minute;
	return 0;
}

static struct cover_segment *find_segment(struct cover *c, const struct cover_sensor *sensor,
					  const char *name)
{
	for (size_t i = c->segment_count; i-- > 0;)
		if (c->segments[i]->sensor == sensor && !strcmp(c->segments[i]->name, name))
			return c->segments[i];
	return NULL;
}

static struct cover_segment *add_segment(struct cover *c, const struct cover_sensor *sensor,
					 const char *name)
{
	if (!make_room((void **)&c->segments, c->segment_count, &c->segment_room,
		       sizeof(*c->segments)))
		return NULL;
	struct cover_segment *s = arena_alloc(&c->memory, sizeof(*s));
	if (!s)
		return NULL;
	*s = (struct cover_segment){ .sensor = sensor,
				     .name = arena_text(&c->memory, name, strlen(name)) };
	if (!s->name)
		return NULL;
	c->segments[c->segment_count++] = s;
	return s;
}

/* Minutes without a report between two of the segment's. */
static uint64_t gap_between(const struct cover_sensor *s, int64_t from, int64_t to)
{
	uint64_t sum = 0;

	for (size_t i = s->gap_count; i-- > 0 && s->gaps[i].to > from;) {
		int64_t a = s->gaps[i].from > from ? s->gaps[i].from : from;
		int64_t b = s->gaps[i].to < to ? s->gaps[i].to : to;
		sum += b > a ? (uint64_t)((b - a) / MINUTE) : 0;
	}
	return sum;
}

static void enter(struct cover_segment *s, enum cover_state state, int64_t since, bool anew)
{
	if (anew || state != s->state)
		s->since = since;
	s->state = state;
	if (state > s->worst) {
		s->worst = state;
		s->worst_since = since;
	}
}

static void add_sums(struct cover_minute *to, const struct cover_minute *m)
{
	to->packets += m->packets;
	to->bytes += m->bytes;
	to->one_sided_flows += m->one_sided_flows;
	to->missed_bytes += m->missed_bytes;
	to->truncated += m->truncated;
	to->mirror_copies += m->mirror_copies;
	to->oversized += m->oversized;
	to->frames += m->frames;
	to->drops += m->drops;
	to->clock_jumps += m->clock_jumps;
	to->shed_max = m->shed_max > to->shed_max ? m->shed_max : to->shed_max;
}

int cover_add(struct cover *c, const char *sensor, const char *segment,
	      const struct cover_minute *m)
{
	const struct cover_sensor *from = find_sensor(c, sensor);
	int64_t minute = tame(m->minute);

	if (!from)
		from = add_sensor(c, sensor, minute);
	struct cover_segment *s = from ? find_segment(c, from, segment) : NULL;
	bool first = !s;
	if (first)
		s = from ? add_segment(c, from, segment) : NULL;
	if (!s)
		return -ENOMEM;
	uint64_t gap = first ? 0 : gap_between(from, s->last + MINUTE, minute);
	if (gap) {
		s->no_report_minutes += gap;
		enter(s, COVER_BLIND, s->last + MINUTE, true);
	}
	if (first)
		s->worst_since = minute;
	enter(s, m->state, minute, first || gap);
	s->last = minute;
	s->minutes[m->state]++;
	s->said |= m->packets != 0;
	snprintf(s->reasons, sizeof(s->reasons), "%s", m->reasons);
	add_sums(&s->sum, m);
	return 0;
}

static bool is_seen_by_another(const struct cover *c, const struct cover_segment *s)
{
	for (size_t i = 0; i < c->segment_count; i++)
		if (c->segments[i]->said && !strcmp(c->segments[i]->name, s->name))
			return true;
	return false;
}

static int worst_first(const void *a, const void *b)
{
	const struct cover_segment *x = *(struct cover_segment *const *)a,
				   *y = *(struct cover_segment *const *)b;
	int order;

	if (x->state != y->state)
		return x->state > y->state ? -1 : 1;
	order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->sensor->name, y->sensor->name);
}

void cover_conclude(struct cover *c, int64_t end)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->segment_count; i++) {
		struct cover_segment *s = c->segments[i];
		bool never = !s->said && strstr(s->reasons, "never-seen");
		int64_t quiet_since = s->sensor->last + MINUTE;
		if (end && tame(end) - s->sensor->last >= LATE) {
			s->no_report = true;
			s->no_report_minutes += (uint64_t)((tame(end) - quiet_since) / MINUTE);
			s->reasons[0] = '\0';
			enter(s, COVER_BLIND, quiet_since, true);
		}
		/* Swapped, not overwritten, so that all can be looked at until the end. */
		if (!never || !is_seen_by_another(c, s)) {
			c->segments[i] = c->segments[kept];
			c->segments[kept++] = s;
		}
	}
	c->segment_count = kept;
	if (kept)
		qsort(c->segments, kept, sizeof(*c->segments), worst_first);
}

static double share(uint64_t missing, uint64_t there)
{
	double all = (double)missing + (double)there;
	return all > 0 ? (double)missing / all : 0;
}

double cover_lost_share(const struct cover_segment *s)
{
	return share(s->sum.drops, s->sum.frames);
}

double cover_missed_share(const struct cover_segment *s)
{
	return share(s->sum.missed_bytes, s->sum.bytes);
}

static const struct {
	const char *word, *meaning;
} meanings[] = {
	{ "no-frames", "the sensor gets no frame at all: is the mirror session still there?" },
	{ "interface-dead", "an interface that had shown it gets nothing any more" },
	{ "drops", "frames were lost before the sensor read them" },
	{ "missed-bytes", "bytes were acknowledged that the mirror never showed" },
	{ "one-sided", "most conversations show one direction only" },
	{ "truncated", "frames were cut short" },
	{ "shed", "the sensor was overloaded, and left out detail" },
	{ "oversized", "offloads join packets: bytes are right, packet counts too low" },
	{ "clock", "the sensor's clock was set" },
	{ "never-seen", "never seen since the sensor started" },
	{ "started", "the sensor had just started" },
};

static void put(struct buf *out, const char *text)
{
	buf_text(out, out->len ? "; " : "");
	buf_text(out, text);
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, word, n) && (p[n] == '\n' || !p[n]))
			return true;
	return false;
}

void cover_words(const struct cover_segment *s, struct buf *out)
{
	if (s->no_report) {
		put(out, "the sensor does not report any more");
		return;
	}
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (has_word(s->reasons, meanings[i].word))
			put(out, meanings[i].meaning);
	if (s->state == COVER_QUIET && !out->len)
		put(out, "the mirror lives, the segment says nothing");
}
