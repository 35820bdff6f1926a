/* fmt.c - times and amounts as text. */
#include "ctl/fmt.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

char *fmt_interval(int64_t seconds, char text[FMT_TEXT])
{
	unsigned long t = (unsigned long)seconds;

	if (seconds < 0)
		snprintf(text, FMT_TEXT, "   ?   ");
	else if (t >= 2 * DAY)
		snprintf(text, FMT_TEXT, "%2ludays", t / DAY);
	else if (t >= HOUR)
		snprintf(text, FMT_TEXT, "%2luh:%02lum", t / HOUR, t % HOUR / MINUTE);
	else if (t > MINUTE)
		snprintf(text, FMT_TEXT, "%2lum:%02lus", t / MINUTE, t % MINUTE);
	else
		snprintf(text, FMT_TEXT, "%5lus", t);
	return text;
}

char *fmt_amount(uint64_t bytes, char text[FMT_TEXT])
{
	static const char *const unit[] = { "kB", "MB", "GB" };
	double n = (double)bytes / 1000;
	unsigned i = 0;

	if (bytes < 1000) {
		snprintf(text, FMT_TEXT, "%u bytes", (unsigned)bytes);
		return text;
	}
	for (; n >= 1000 && i < 2; i++)
		n /= 1000;
	snprintf(text, FMT_TEXT, "%.1f %s", n, unit[i]);
	return text;
}

char *fmt_rate(uint64_t bytes, char text[FMT_TEXT])
{
	char amount[FMT_TEXT];

	snprintf(text, FMT_TEXT, "%.40s/s", fmt_amount(bytes, amount));
	return text;
}

char *fmt_date(int64_t unix_time, char text[FMT_TEXT])
{
	time_t when = (time_t)unix_time;
	struct tm tm;

	text[0] = 0;
	if (localtime_r(&when, &tm))
		strftime(text, FMT_TEXT, "%Y-%m-%d %H:%M", &tm);
	return text;
}

const char *fmt_cipher(const char *suite)
{
	const char *last = strrchr(suite, '(');

	return last ? last : suite;
}
