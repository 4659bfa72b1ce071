/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct usec now(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (struct usec){ (int64_t)ts.tv_sec * USEC_PER_SECOND + ts.tv_nsec / 1000 };
}

struct usec clock_wall(void)
{
	return now(CLOCK_REALTIME);
}

struct usec clock_monotonic(void)
{
	return now(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, and
 * back; years are counted from March, so that leap days end them. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
	int64_t shifted = (5 * of_year + 2) / 153;

	*day = (unsigned)(of_year - (153 * shifted + 2) / 5 + 1);
	*month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
	*year = years + era * 400 + (*month <= 2);
}

static void digits(char *out, uint64_t v, int n)
{
	while (n--) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

char *clock_text(struct usec t, char out[CLOCK_TEXT])
{
	const int64_t first = days_of(0, 1, 1) * 86400 * USEC_PER_SECOND;
	const int64_t last = days_of(10000, 1, 1) * 86400 * USEC_PER_SECOND - 1;
	int64_t v = t.v < first ? first : t.v > last ? last : t.v;
	int64_t seconds = v / USEC_PER_SECOND - (v % USEC_PER_SECOND < 0);
	int64_t micros = v - seconds * USEC_PER_SECOND;
	int64_t days = seconds / 86400 - (seconds % 86400 < 0);
	uint64_t of_day = (uint64_t)(seconds - days * 86400);
	int64_t year;
	unsigned month, day;

	date_of(days, &year, &month, &day);
	memcpy(out, "0000-00-00T00:00:00.000000Z", 28);
	digits(out, (uint64_t)year, 4);
	digits(out + 5, month, 2);
	digits(out + 8, day, 2);
	digits(out + 11, of_day / 3600, 2);
	digits(out + 14, of_day / 60 % 60, 2);
	digits(out + 17, of_day % 60, 2);
	digits(out + 20, (uint64_t)micros, 6);
	return out;
}

static bool number(const char **p, int n, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		*out = *out * 10 + (unsigned)(**p - '0');
	}
	return true;
}

static bool literal(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool parse_zone(const char **p, int64_t *offset_seconds)
{
	*offset_seconds = 0;
	if (**p == '\0')
		return true;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return true;
	}
	char sign = **p;
	unsigned hours, minutes;
	if (sign != '+' && sign != '-')
		return false;
	(*p)++;
	if (!number(p, 2, &hours) || !literal(p, ':') || !number(p, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*offset_seconds = (int64_t)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

static bool parse_time_of_day(const char **p, int64_t *micros)
{
	unsigned hour, minute, second = 0;

	if (!number(p, 2, &hour) || !literal(p, ':') || !number(p, 2, &minute))
		return false;
	if (literal(p, ':') && !number(p, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	int64_t fraction = 0;
	if (literal(p, '.')) {
		int64_t scale = USEC_PER_SECOND / 10;
		if (!isdigit((unsigned char)**p))
			return false;
		for (; isdigit((unsigned char)**p); (*p)++, scale /= 10)
			fraction += (**p - '0') * scale;
	}
	*micros = ((int64_t)hour * 3600 + minute * 60 + second) * USEC_PER_SECOND + fraction;
	return true;
}

bool clock_parse(const char *text, struct usec *out)
{
	static const unsigned lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const char *p = text;
	unsigned year, month, day;
	int64_t of_day = 0, zone = 0;

	if (!number(&p, 4, &year) || !literal(&p, '-') || !number(&p, 2, &month) ||
	    !literal(&p, '-') || !number(&p, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month == 2 && day == 29 && !leap)
		return false;
	if (*p == 'T' || *p == 't' || *p == ' ') {
		p++;
		if (!parse_time_of_day(&p, &of_day) || !parse_zone(&p, &zone))
			return false;
	}
	if (*p)
		return false;
	out->v = (days_of(year, month, day) * 86400 - zone) * USEC_PER_SECOND + of_day;
	return true;
}

bool clock_parse_span(const char *text, struct usec *out)
{
	static const struct {
		const char *name;
		int64_t micros;
	} units[] = {
		{ "us", 1 },
		{ "ms", 1000 },
		{ "s", USEC_PER_SECOND },
		{ "m", 60LL * USEC_PER_SECOND },
		{ "h", 3600LL * USEC_PER_SECOND },
		{ "d", 86400LL * USEC_PER_SECOND },
		{ "w", 7 * 86400LL * USEC_PER_SECOND },
	};
	int64_t n = 0;
	const char *p = text;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		n = n * 10 + (*p - '0');
		if (n > 1000000000000)
			return false;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(p, units[i].name))
			continue;
		if (n > INT64_MAX / units[i].micros)
			return false;
		out->v = n * units[i].micros;
		return true;
	}
	return false;
}
