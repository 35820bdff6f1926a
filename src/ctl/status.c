/* status.c - the server's state as text and JSON. */
#include "ctl/status.h"

#include <inttypes.h>

#include "ctl/fmt.h"
#include "ctl/json.h"

enum { MINUTE = 60, KB = 1000 };

/* The reference counts kilobytes; whoever watches its numbers sees multiples of 1000. */
static uint64_t whole_kb(uint64_t bytes)
{
	return bytes / KB * KB;
}

static void print_moment(FILE *out, const char *key, int64_t when, int64_t now)
{
	char date[FMT_TEXT], age[FMT_TEXT];

	fprintf(out, "\t%s: %s (%s)\n", key, fmt_date(when, date), fmt_interval(now - when, age));
}

static void print_number(FILE *out, const char *key, uint64_t n)
{
	fprintf(out, "\t%s: %" PRIu64 "\n", key, n);
}

static void print_interval(FILE *out, const char *key, uint32_t seconds)
{
	char text[FMT_TEXT];

	fprintf(out, "\t%s: %s\n", key, fmt_interval(seconds, text));
}

static void print_amount(FILE *out, const char *key, uint64_t bytes)
{
	char text[FMT_TEXT];

	fprintf(out, "\t%s: %s\n", key, fmt_amount(whole_kb(bytes), text));
}

/* What clients pin (openconnect --servercert). */
static void print_keys(FILE *out, const ServerKeys *keys)
{
	for (size_t i = 0; keys && i < keys->n_key; i++)
		fprintf(out, "\tKey of %s: %s\n", keys->key[i]->vhost, keys->key[i]->pin);
}

static void print_general(FILE *out, const CtlStatus *s, int64_t now, int64_t entries)
{
	fputs("General info:\n\tStatus: online\n", out);
	print_number(out, "Server PID", s->main_pid);
	print_number(out, "Sec-mod PID", s->auth_pid);
	print_number(out, "Sec-mod instance count", s->auth_instances);
	print_moment(out, "Up since", s->up_since, now);
	print_number(out, "Active sessions", s->active_sessions);
	print_number(out, "Total sessions", s->total_sessions);
	print_number(out, "Total authentication failures", s->total_auth_failures);
	print_number(out, "IPs in ban list", s->banned);
	if (entries >= 0) {
		print_number(out, "Sec-mod client entries", (uint64_t)entries);
		print_number(out, "TLS DB entries", s->tls_db_entries);
	}
	print_keys(out, s->keys);
}

static void print_period(FILE *out, const CtlStatus *s, int64_t now)
{
	fputs("\nCurrent stats period:\n", out);
	print_moment(out, "Last stats reset", s->stats_since, now);
	print_number(out, "Sessions handled", s->handled);
	print_number(out, "Timed out sessions", s->session_timeouts);
	print_number(out, "Timed out (idle) sessions", s->idle_timeouts);
	print_number(out, "Closed due to error sessions", s->errors);
	print_number(out, "Authentication failures", s->auth_failures);
	print_interval(out, "Average auth time", s->avg_auth_time);
	print_interval(out, "Max auth time", s->max_auth_time);
	print_interval(out, "Average session time", s->avg_session_time * MINUTE);
	print_interval(out, "Max session time", s->max_session_time * MINUTE);
	if (s->min_mtu)
		print_number(out, "Min MTU", s->min_mtu);
	if (s->max_mtu)
		print_number(out, "Max MTU", s->max_mtu);
	print_amount(out, "RX", s->rx_bytes);
	print_amount(out, "TX", s->tx_bytes);
}

void status_print(const struct view *v, const CtlStatus *s, int64_t entries)
{
	fputs("Note: session times and RX/TX of this period count sessions that have ended;\n"
	      "the live numbers of connected users are in 'show users' and 'show user'.\n\n",
	      v->out);
	print_general(v->out, s, v->now, entries);
	print_period(v->out, s, v->now);
}

static void json_moment(json_t *o, const char *key, const char *age_key, int64_t when, int64_t now)
{
	char text[FMT_TEXT];

	js_text(o, key, fmt_date(when, text));
	js_text(o, age_key, fmt_interval(now - when, text));
}

static void json_interval(json_t *o, const char *key, uint32_t seconds)
{
	char text[FMT_TEXT];

	js_text(o, key, fmt_interval(seconds, text));
}

static void json_general(json_t *o, const CtlStatus *s, int64_t now, int64_t entries)
{
	js_text(o, "Status", "online");
	js_int(o, "Server PID", s->main_pid);
	js_int(o, "Sec-mod PID", s->auth_pid);
	js_int(o, "Sec-mod instance count", s->auth_instances);
	json_moment(o, "Up since", "_Up since", s->up_since, now);
	js_int(o, "raw_up_since", s->up_since);
	js_int(o, "uptime", now - s->up_since);
	js_int(o, "Active sessions", s->active_sessions);
	js_int(o, "Total sessions", (int64_t)s->total_sessions);
	js_int(o, "Total authentication failures", (int64_t)s->total_auth_failures);
	js_int(o, "IPs in ban list", s->banned);
	if (entries >= 0) {
		js_int(o, "Sec-mod client entries", entries);
		js_int(o, "TLS DB entries", s->tls_db_entries);
	}
}

static void json_times(json_t *o, const CtlStatus *s)
{
	json_interval(o, "Average auth time", s->avg_auth_time);
	json_interval(o, "Max auth time", s->max_auth_time);
	js_int(o, "raw_avg_auth_time", s->avg_auth_time);
	js_int(o, "raw_max_auth_time", s->max_auth_time);
	json_interval(o, "Average session time", s->avg_session_time * MINUTE);
	json_interval(o, "Max session time", s->max_session_time * MINUTE);
	js_int(o, "raw_avg_session_time", s->avg_session_time * MINUTE);
	js_int(o, "raw_max_session_time", s->max_session_time * MINUTE);
}

static void json_keys(json_t *o, const ServerKeys *keys)
{
	json_t *list = json_array();

	for (size_t i = 0; keys && i < keys->n_key; i++) {
		json_t *key = json_object();

		js_text(key, "vhost", keys->key[i]->vhost);
		js_text(key, "algorithm", keys->key[i]->algorithm);
		js_text(key, "pin", keys->key[i]->pin);
		js_int(key, "not_after", keys->key[i]->not_after);
		json_array_append_new(list, key);
	}
	json_object_set_new(o, "Server keys", list);
}

json_t *status_json(const struct view *v, const CtlStatus *s, int64_t entries)
{
	json_t *o = json_object();
	char text[FMT_TEXT];

	json_general(o, s, v->now, entries);
	json_keys(o, s->keys);
	json_moment(o, "Last stats reset", "_Last stats reset", s->stats_since, v->now);
	js_int(o, "raw_last_stats_reset", s->stats_since);
	js_int(o, "Sessions handled", (int64_t)s->handled);
	js_int(o, "Timed out sessions", (int64_t)s->session_timeouts);
	js_int(o, "Timed out (idle) sessions", (int64_t)s->idle_timeouts);
	js_int(o, "Closed due to error sessions", (int64_t)s->errors);
	js_int(o, "Authentication failures", (int64_t)s->auth_failures);
	json_times(o, s);
	if (s->min_mtu)
		js_int(o, "Min MTU", s->min_mtu);
	if (s->max_mtu)
		js_int(o, "Max MTU", s->max_mtu);
	js_text(o, "RX", fmt_amount(whole_kb(s->rx_bytes), text));
	js_text(o, "TX", fmt_amount(whole_kb(s->tx_bytes), text));
	js_int(o, "raw_rx", (int64_t)whole_kb(s->rx_bytes));
	js_int(o, "raw_tx", (int64_t)whole_kb(s->tx_bytes));
	return o;
}
