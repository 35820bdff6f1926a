/* test_worker_proxy.c - PROXY headers in front of TLS, and main's word between the two: the real
 * program between a fake server and a client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "ipc/convert.h"
#include "ipc/msg.h"
#include "tests/unit/worker_stage.h"

#define V1    "PROXY TCP4 203.0.113.7 192.0.2.1 51000 443\r\n"
#define LOCAL "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"

static int set_up(void **state)
{
	static const char *const rows[] = { "isolate-workers", "false", NULL };
	struct stage *s = stage_new(rows, false);

	s->proxy = true;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	stage_free(*state);
	return 0;
}

static void send_bytes(const struct actor *a, const char *data, size_t len)
{
	assert_int_equal(send(a->client, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void admit(struct actor *a)
{
	ToWorker m = TO_WORKER__INIT;
	Admitted admitted = ADMITTED__INIT;

	m.msg_case = TO_WORKER__MSG_ADMITTED;
	m.admitted = &admitted;
	actor_tell(a, &m);
}

/* The next thing main hears of the client must be its address. */
static void assert_told(struct actor *a, const char *remote)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const ToMain *m = actor_next(a, tmp, TO_MAIN__MSG_PROXIED, NULL);
	char text[ENDPOINT_TEXT];
	struct endpoint ep;

	assert_non_null(m);
	ep = ipc_endpoint_read(m->proxied->remote);
	assert_string_equal(endpoint_print(&ep, text), remote);
	talloc_free(tmp);
}

static void assert_ended(struct actor *a, EndReason reason, bool abuse)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const ToMain *m = actor_next(a, tmp, TO_MAIN__MSG_ENDED, NULL);

	assert_non_null(m);
	assert_int_equal(m->ended->reason, reason);
	assert_int_equal(m->ended->abuse, abuse);
	talloc_free(tmp);
	actor_free(a);
}

static void header_is_told_and_tls_follows_mains_word(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	send_bytes(&a, V1, sizeof V1 - 1);
	assert_told(&a, "203.0.113.7:51000");
	admit(&a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	actor_free(&a);
}

static void bytes_behind_the_header_are_left_to_tls(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	admit(&a);
	for (size_t i = 0; i < sizeof V1 - 1; i++)
		send_bytes(&a, &V1[i], 1);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	assert_told(&a, "203.0.113.7:51000");
	actor_free(&a);
}

/* A main that is started again has not read what we said. */
static void describe_repeats_what_the_header_said(void **state)
{
	ToWorker m = TO_WORKER__INIT;
	Describe describe = DESCRIBE__INIT;
	struct actor a;

	stage_spawn(*state, &a);
	send_bytes(&a, V1, sizeof V1 - 1);
	assert_told(&a, "203.0.113.7:51000");
	m.msg_case = TO_WORKER__MSG_DESCRIBE;
	m.describe = &describe;
	actor_tell(&a, &m);
	assert_told(&a, "203.0.113.7:51000");
	admit(&a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	actor_free(&a);
}

static void refused_client_gets_no_byte(void **state)
{
	ToWorker m = TO_WORKER__INIT;
	End end = END__INIT;
	struct actor a;
	char c;

	stage_spawn(*state, &a);
	send_bytes(&a, V1 "\x16\x03\x01", sizeof V1 + 2);
	assert_told(&a, "203.0.113.7:51000");
	end.reason = END_REASON__END_REFUSED;
	m.msg_case = TO_WORKER__MSG_END;
	m.end = &end;
	actor_tell(&a, &m);
	assert_true(recv(a.client, &c, 1, 0) <= 0);
	assert_ended(&a, END_REASON__END_REFUSED, false);
}

static void checks_of_the_proxy_are_probes(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	shutdown(a.client, SHUT_RDWR);
	assert_ended(&a, END_REASON__END_HEALTH_PROBE, false);
	stage_spawn(*state, &a);
	admit(&a);
	send_bytes(&a, LOCAL, sizeof LOCAL - 1);
	shutdown(a.client, SHUT_RDWR);
	assert_ended(&a, END_REASON__END_HEALTH_PROBE, false);
}

static void no_header_ends_the_connection_and_charges_nobody(void **state)
{
	static const char hello[] = "\x16\x03\x01";
	struct actor a;

	stage_spawn(*state, &a);
	send_bytes(&a, hello, sizeof hello - 1);
	assert_ended(&a, END_REASON__END_ERROR, false);
	stage_spawn(*state, &a);
	send_bytes(&a, V1, 20);
	shutdown(a.client, SHUT_WR);
	assert_ended(&a, END_REASON__END_UNSPECIFIED, false);
}

static void what_is_no_tls_is_abuse(void **state)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct actor a;

	((struct stage *)*state)->proxy = false;
	stage_spawn(*state, &a);
	send_bytes(&a, request, sizeof request - 1);
	assert_ended(&a, END_REASON__END_ERROR, true);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(header_is_told_and_tls_follows_mains_word),
		CASE(bytes_behind_the_header_are_left_to_tls),
		CASE(describe_repeats_what_the_header_said),
		CASE(refused_client_gets_no_byte),
		CASE(checks_of_the_proxy_are_probes),
		CASE(no_header_ends_the_connection_and_charges_nobody),
		CASE(what_is_no_tls_is_abuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
