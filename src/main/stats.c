/* stats.c - counting sessions and logins. */
#include "main/stats.h"

#include <stdio.h>

#include "base/log.h"

enum { LINE = 96 };

void stats_init(struct stats *s, int64_t now)
{
	*s = (struct stats){ .last_reset = now };
}

void stats_login(struct stats *s, uint64_t seconds)
{
	s->now.auth_count++;
	s->now.auth_time_sum += seconds;
	if (seconds > s->now.auth_time_max)
		s->now.auth_time_max = seconds;
}

void stats_login_failed(struct stats *s)
{
	s->total_auth_failures++;
	s->now.auth_failures++;
}

void stats_mtu(struct stats *s, uint32_t mtu)
{
	if (!mtu)
		return;
	if (!s->min_mtu || mtu < s->min_mtu)
		s->min_mtu = mtu;
	if (mtu > s->max_mtu)
		s->max_mtu = mtu;
}

/* Those that admin.md 4.4 calls "unspecified error". */
static bool is_error(EndReason reason)
{
	return reason == END_REASON__END_ERROR || reason == END_REASON__END_CONNECTION_LOST;
}

bool stats_session_end(struct stats *s, const struct stats_end *end, int64_t now,
		       uint32_t reset_time)
{
	struct stats_period *p = &s->now;
	uint64_t minutes = end->seconds / 60;

	s->total_closed++;
	p->closed++;
	p->timed_out += end->reason == END_REASON__END_SESSION_TIMEOUT;
	p->idle += end->reason == END_REASON__END_IDLE;
	p->errors += is_error(end->reason);
	p->rx += end->rx;
	p->tx += end->tx;
	p->session_time_sum += minutes;
	if (minutes > p->session_time_max)
		p->session_time_max = minutes;
	return reset_time && now - s->last_reset >= (int64_t)reset_time;
}

uint64_t stats_auth_time_avg(const struct stats *s)
{
	return s->now.auth_count ? s->now.auth_time_sum / s->now.auth_count : 0;
}

uint64_t stats_session_time_avg(const struct stats *s)
{
	return s->now.closed ? s->now.session_time_sum / s->now.closed : 0;
}

void stats_reset(struct stats *s, int64_t now)
{
	s->now = (struct stats_period){ 0 };
	s->last_reset = now;
}

static void log_line(const char *what, uint64_t n, const char *unit)
{
	char text[LINE];

	snprintf(text, sizeof text, "%s: %llu%s", what, (unsigned long long)n, unit);
	log_info(NULL, "statistics", kv_text(text));
}

void stats_log(const struct stats *s)
{
	const struct stats_period *p = &s->now;

	log_info(NULL, "statistics", kv_text("Start statistics block"));
	log_line("Total sessions handled", s->total_closed, "");
	log_line("Sessions handled", p->closed, "");
	log_line("Maximum session time", p->session_time_max, " min");
	log_line("Average session time", stats_session_time_avg(s), " min");
	log_line("Closed due to timeout sessions", p->timed_out, "");
	log_line("Closed due to timeout (idle) sessions", p->idle, "");
	log_line("Closed due to error sessions", p->errors, "");
	log_line("Total authentication failures", s->total_auth_failures, "");
	log_line("Authentication failures", p->auth_failures, "");
	log_line("Maximum authentication time", p->auth_time_max, " sec");
	log_line("Average authentication time", stats_auth_time_avg(s), " sec");
	log_line("Data in", p->rx, " bytes");
	log_line("Data out", p->tx, " bytes");
	log_line("Minimum MTU", s->min_mtu, "");
	log_line("Maximum MTU", s->max_mtu, "");
	log_info(NULL, "statistics", kv_text("End of statistics block; resetting non-total stats"));
}

const char *end_reason_text(EndReason reason)
{
	switch (reason) {
	case END_REASON__END_UNSPECIFIED:
	case END_REASON__END_ADMIN:
	case END_REASON__END_AUTH_TIMEOUT:
	case END_REASON__END_REFUSED:
		return "unspecified";
	case END_REASON__END_USER:
		return "user disconnected";
	case END_REASON__END_CLIENT_PAUSE:
		return "anyconnect client disconnected";
	case END_REASON__END_SERVER:
	case END_REASON__END_TAKEOVER:
		return "server disconnected";
	case END_REASON__END_IDLE:
		return "idle timeout";
	case END_REASON__END_DPD:
		return "DPD timeout";
	case END_REASON__END_SESSION_TIMEOUT:
		return "session timeout";
	case END_REASON__END_ERROR:
	case END_REASON__END_CONNECTION_LOST:
		return "unspecified error";
	case END_REASON__END_HEALTH_PROBE:
		return "TCP health probe";
	case _END_REASON_IS_INT_SIZE:
	default:
		return "unknown";
	}
}

bool end_reason_keeps(EndReason reason)
{
	switch (reason) {
	case END_REASON__END_USER:
	case END_REASON__END_SESSION_TIMEOUT:
	case END_REASON__END_ADMIN:
		return false;
	default:
		return true;
	}
}
