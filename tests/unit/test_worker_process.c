/* Tests of a whole worker: the real program between a fake server and a TLS client. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "ipc/msg.h"
#include "tests/unit/worker_stage.h"

#define TICKET "webvpn=dGhlIHRpY2tldCBvZiB0aGlzIHNlc3Npb24AAAAAAAA="

static const char init_xml[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<config-auth client=\"vpn\" type=\"init\" aggregate-auth-version=\"2\">"
	"<version who=\"vpn\">v9.01</version><device-id>linux-64</device-id></config-auth>";
static const char reply_xml[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<config-auth client=\"vpn\" type=\"auth-reply\" aggregate-auth-version=\"2\">"
	"<auth><username>ann</username><password>%s</password></auth></config-auth>";
static const char connect_request[] =
	"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\n"
	"User-Agent: Open AnyConnect VPN Agent v9.01\r\nCookie: %s\r\nX-CSTP-Version: 1\r\n"
	"X-CSTP-Base-MTU: 1500\r\nX-CSTP-Address-Type: IPv6,IPv4\r\n"
	"X-CSTP-Full-IPv6-Capability: true\r\n"
	"X-DTLS-CipherSuite: PSK-NEGOTIATE:AES256-SHA\r\n\r\n";

static const char *const open_rows[] = { "isolate-workers", "false", "banner", "Hello", NULL };
static const char *const vhost_rows[] = { "isolate-workers",
					  "false",
					  "cisco-client-compat@old.example",
					  "true",
					  "banner@old.example",
					  "Old",
					  NULL };
static const char *const closed_rows[] = { "isolate-workers", "true", "banner", "Hello", NULL };

static bool isolated;

static int set_up(void **state)
{
	isolated = *state != NULL && geteuid() == 0;
	*state = stage_new(isolated ? closed_rows : open_rows, isolated);
	return 0;
}

static int tear_down(void **state)
{
	stage_free(*state);
	return 0;
}

static EndReason how_it_ended(struct actor *a, bool *keep)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const ToMain *m = actor_next(a, tmp, TO_MAIN__MSG_ENDED, NULL);
	EndReason reason;

	assert_non_null(m);
	reason = m->ended->reason;
	if (keep)
		*keep = m->ended->keep_session;
	talloc_free(tmp);
	return reason;
}

static void reply(struct actor *a, const char *password)
{
	char body[1024];

	snprintf(body, sizeof body, reply_xml, password);
	actor_post(a, "/auth", "", body);
	actor_read(a);
}

static void log_in(struct actor *a)
{
	actor_post(a, "/", "X-Transcend-Version: 1\r\nX-Aggregate-Auth: 1\r\n", init_xml);
	actor_read(a);
	assert_non_null(strstr(a->text, "<auth id=\"main\">"));
	reply(a, "right");
	assert_non_null(strstr(a->text, "<auth id=\"success\">"));
}

static void open_tunnel(struct actor *a, const char *cookie)
{
	char text[1024];

	snprintf(text, sizeof text, connect_request, cookie);
	actor_send(a, text);
	actor_read(a);
}

static void login_gives_the_ticket_and_the_certificate_hash(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	actor_post(&a, "/", "X-Transcend-Version: 1\r\nX-Aggregate-Auth: 1\r\n", init_xml);
	actor_read(&a);
	assert_non_null(strstr(a.text, "Set-Cookie: webvpncontext=dGhlIGNvbnRleHQ"));
	assert_non_null(strstr(a.text, "\r\n\r\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
	reply(&a, "wrong");
	assert_non_null(strstr(a.text, "<auth id=\"main\">"));
	assert_null(strstr(a.text, "Set-Cookie: webvpn="));
	reply(&a, "right");
	assert_non_null(strstr(a.text, "<auth id=\"success\">"));
	assert_non_null(strstr(a.text, "<banner>Hello</banner>"));
	assert_non_null(strstr(a.text, "Set-Cookie: " TICKET "; "));
	assert_non_null(strstr(a.text, "&sh:"));
	actor_free(&a);
}

static void final_refusal_is_a_401_and_the_end(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	reply(&a, "deny");
	assert_int_equal(strncmp(a.text, "HTTP/1.1 401 Authentication failed\r\n", 36), 0);
	assert_int_equal(how_it_ended(&a, NULL), END_REASON__END_REFUSED);
	actor_free(&a);
}

static void connect_opens_the_tunnel_and_packets_flow(void **state)
{
	static const uint8_t packet[28] = { 0x45, 0, 0,	 28, 0, 0, 0,  0, 64, 17,
					    0,	  0, 10, 9,  8, 7, 10, 9, 8,  1 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t frame[8 + sizeof packet] = { 'S', 'T', 'F', 1, 0, sizeof packet, 0, 0 };
	uint8_t bye[] = { 'S', 'T', 'F', 1, 0, 1, 5, 0, 0xb0 }, got[64];
	struct actor a;
	bool keep = true;
	int tun = -1;
	ToWorker describe = TO_WORKER__INIT;
	Describe d = DESCRIBE__INIT;
	const ToMain *m;

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	log_in(&a);
	open_tunnel(&a, TICKET);
	assert_int_equal(strncmp(a.text, "HTTP/1.1 200 CONNECTED\r\n", 24), 0);
	assert_non_null(strstr(a.text, "\r\nX-CSTP-Address: 10.9.8.7\r\n"));
	assert_non_null(strstr(a.text, "\r\nX-CSTP-MTU: 1434\r\n"));
	assert_non_null(strstr(a.text, "\r\nX-DTLS-CipherSuite: PSK-NEGOTIATE\r\n"));
	m = actor_next(&a, tmp, TO_MAIN__MSG_TUN_MTU, NULL);
	assert_non_null(m);
	assert_int_equal(m->tun_mtu->mtu, 1434);
	assert_non_null(actor_next(&a, tmp, TO_MAIN__MSG_TUNNEL_UP, NULL));

	memcpy(frame + 8, packet, sizeof packet);
	assert_int_equal(gnutls_record_send(a.tls, frame, sizeof frame), sizeof frame);
	assert_true(recv(a.tun, got, sizeof got, 0) >= (ssize_t)sizeof packet);

	describe.msg_case = TO_WORKER__MSG_DESCRIBE;
	describe.describe = &d;
	actor_tell(&a, &describe);
	m = actor_next(&a, tmp, TO_MAIN__MSG_DESCRIPTION, &tun);
	assert_non_null(m);
	assert_true(m->description->tunnel);
	assert_string_equal(m->description->sid, "abcdefghijklmnopqrstuvwxyz01");
	assert_true(tun >= 0);
	close(tun);

	assert_int_equal(gnutls_record_send(a.tls, bye, sizeof bye), sizeof bye);
	assert_int_equal(how_it_ended(&a, &keep), END_REASON__END_USER);
	assert_false(keep);
	talloc_free(tmp);
	actor_free(&a);
}

static void lost_connection_keeps_the_session(void **state)
{
	struct actor a;
	bool keep = false;

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, "NORMAL:-VERS-TLS1.3"), 0);
	open_tunnel(&a, TICKET);
	assert_int_equal(strncmp(a.text, "HTTP/1.1 200 ", 13), 0);
	shutdown(a.client, SHUT_RDWR);
	assert_int_equal(how_it_ended(&a, &keep), END_REASON__END_CONNECTION_LOST);
	assert_true(keep);
	actor_free(&a);
}

static void end_by_the_administrator_tells_the_client(void **state)
{
	ToWorker m = TO_WORKER__INIT;
	End end = END__INIT;
	struct actor a;
	bool keep = true;
	uint8_t frame[256];

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	open_tunnel(&a, TICKET);
	end.reason = END_REASON__END_ADMIN;
	end.tell_client = true;
	m.msg_case = TO_WORKER__MSG_END;
	m.end = &end;
	actor_tell(&a, &m);
	assert_true(gnutls_record_recv(a.tls, frame, sizeof frame) >= 8);
	assert_int_equal(frame[6], 5);
	assert_int_equal(how_it_ended(&a, &keep), END_REASON__END_ADMIN);
	assert_false(keep);
	actor_free(&a);
}

static void tickets_are_refused_as_specified(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	open_tunnel(&a, "webvpn=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	assert_non_null(strstr(a.text, "HTTP/1.1 401 Cookie is not acceptable\r\n"));
	actor_free(&a);

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	open_tunnel(&a, "webvpn=AAAA");
	assert_non_null(strstr(a.text, "HTTP/1.1 401 Cookie is not acceptable\r\n"));
	actor_free(&a);

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	open_tunnel(&a, "other=1");
	assert_non_null(strstr(a.text, "HTTP/1.1 503 "));
	actor_free(&a);

	stage_spawn(*state, &a);
	a.refuse_tunnel = true;
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	open_tunnel(&a, TICKET);
	assert_non_null(strstr(a.text, "\r\nX-Reason: No address is free\r\n"));
	actor_free(&a);
}

static void health_probe_ends_quietly(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	shutdown(a.client, SHUT_RDWR);
	assert_int_equal(how_it_ended(&a, NULL), END_REASON__END_HEALTH_PROBE);
	actor_free(&a);
}

static void pipelined_and_unknown_requests_end_the_connection(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	actor_send(&a, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n");
	assert_int_equal(actor_read(&a), 0);
	assert_int_equal(how_it_ended(&a, NULL), END_REASON__END_ERROR);
	actor_free(&a);

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	actor_send(&a, "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
	actor_read(&a);
	assert_int_equal(strncmp(a.text, "HTTP/1.1 404 Not found\r\n", 24), 0);
	actor_free(&a);
}

static void seventeenth_request_is_not_served(void **state)
{
	struct actor a;
	int served = 0;

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	for (; served < 20; served++) {
		static const char get[] = "GET /1/Linux HTTP/1.1\r\nHost: x\r\n\r\n";
		if (gnutls_record_send(a.tls, get, strlen(get)) < 0 || !actor_read(&a))
			break;
	}
	assert_int_equal(served, 16);
	actor_free(&a);
}

/* What a restarted auth does not know is asked again. */
static void auth_hello_repeats_the_question(void **state)
{
	ToWorker m = TO_WORKER__INIT;
	AuthHello hello = AUTH_HELLO__INIT;
	struct actor a;

	stage_spawn(*state, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	a.silent_auth = true;
	actor_post(&a, "/", "", init_xml);
	usleep(200000);
	a.silent_auth = false;
	m.msg_case = TO_WORKER__MSG_AUTH_HELLO;
	m.auth_hello = &hello;
	assert_int_equal(ipc_send(a.auth_fd, &m.base, NULL, 0), ERR_OK);
	actor_read(&a);
	assert_non_null(strstr(a.text, "<auth id=\"main\">"));
	actor_free(&a);
}

static void all_key_exchanges_reach_the_key(void **state)
{
	static const char *const priorities[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA384",
		"NORMAL:-VERS-ALL:+VERS-TLS1.3",
	};

	for (size_t i = 0; i < sizeof priorities / sizeof priorities[0]; i++) {
		struct actor a;
		stage_spawn(*state, &a);
		assert_int_equal(actor_connect(&a, NULL, priorities[i]), 0);
		actor_free(&a);
	}
}

static void old_tls_versions_are_refused(void **state)
{
	struct actor a;

	stage_spawn(*state, &a);
	assert_true(actor_connect(&a, NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.1") < 0);
	assert_int_equal(how_it_ended(&a, NULL), END_REASON__END_ERROR);
	actor_free(&a);
}

static void name_in_the_hello_selects_host_priorities_and_texts(void **state)
{
	struct stage *s = stage_new(vhost_rows, false);
	struct actor a;

	(void)state;
	stage_spawn(s, &a);
	assert_int_equal(actor_connect(&a, "OLD.example", NULL), 0);
	assert_int_equal(gnutls_protocol_get_version(a.tls), GNUTLS_TLS1_2);
	log_in(&a);
	assert_non_null(strstr(a.text, "<banner>Old</banner>"));
	actor_free(&a);

	stage_spawn(s, &a);
	assert_int_equal(actor_connect(&a, "unknown.example", NULL), 0);
	assert_int_equal(gnutls_protocol_get_version(a.tls), GNUTLS_TLS1_3);
	log_in(&a);
	assert_null(strstr(a.text, "<banner>"));
	actor_free(&a);
	stage_free(s);
}

static void known_protocols_are_chosen_and_unknown_ones_ignored(void **state)
{
	static unsigned char http[] = "http/1.1", h2[] = "h2";
	const gnutls_datum_t known = { http, sizeof http - 1 }, unknown = { h2, sizeof h2 - 1 };
	gnutls_datum_t chosen;
	struct actor a;

	stage_spawn(*state, &a);
	a.alpn = &known;
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	assert_int_equal(gnutls_alpn_get_selected_protocol(a.tls, &chosen), 0);
	assert_memory_equal(chosen.data, "http/1.1", 8);
	actor_free(&a);

	stage_spawn(*state, &a);
	a.alpn = &unknown;
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	assert_true(gnutls_alpn_get_selected_protocol(a.tls, &chosen) < 0);
	actor_free(&a);
}

static void zygote_survives_the_loss_of_main(void **state)
{
	struct stage *s = *state;
	ToZygote m = TO_ZYGOTE__INIT;
	Peer peer = PEER__INIT;
	ProtobufCMessage *ready = NULL;
	struct ipc_fds fds = { .n = 0 };
	struct actor a;
	int pair[2];

	close(s->main_fd);
	usleep(100000);
	assert_int_equal(ipc_pair(pair), ERR_OK);
	s->main_fd = pair[0];
	peer.role = ROLE__ROLE_MAIN;
	m.msg_case = TO_ZYGOTE__MSG_PEER;
	m.peer = &peer;
	assert_int_equal(ipc_send(s->super_fd, &m.base, &pair[1], 1), ERR_OK);
	close(pair[1]);
	for (int i = 0; i < 50 && ipc_recv(s, s->main_fd, &to_main__descriptor, &ready, &fds); i++)
		usleep(20000);
	assert_non_null(ready);
	assert_int_equal(((ToMain *)ready)->msg_case, TO_MAIN__MSG_ZYGOTE_READY);
	stage_spawn(s, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	actor_free(&a);
}

/* A terminal's interrupt goes to everyone; only the supervisor acts on it. */
static void zygote_and_workers_leave_signals_to_the_supervisor(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct stage *s = *state;
	struct ipc_fds fds = { .n = 0 };
	ProtobufCMessage *m = NULL;
	struct actor a;

	stage_spawn(s, &a);
	assert_int_equal(actor_connect(&a, NULL, NULL), 0);
	assert_int_equal(ipc_recv(tmp, s->main_fd, &to_main__descriptor, &m, &fds), ERR_OK);
	assert_int_equal(((ToMain *)m)->msg_case, TO_MAIN__MSG_WORKER_SPAWNED);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		assert_int_equal(kill(s->zygote, signals[i]), 0);
		/* SIGTERM is how an administrator ends one session (admin.md 3). */
		if (signals[i] != SIGTERM)
			assert_int_equal(
				kill((pid_t)((ToMain *)m)->worker_spawned->pid, signals[i]), 0);
	}
	log_in(&a);
	talloc_free(tmp);
	actor_free(&a);
}

/* Forks of one image: what they draw must differ. */
static void workers_do_not_share_random_numbers(void **state)
{
	gnutls_datum_t random[2];
	struct actor a[2];

	for (int i = 0; i < 2; i++) {
		gnutls_datum_t client;
		stage_spawn(*state, &a[i]);
		assert_int_equal(actor_connect(&a[i], NULL, "NORMAL:-VERS-TLS1.3"), 0);
		gnutls_session_get_random(a[i].tls, &client, &random[i]);
		assert_int_equal(random[i].size, 32);
	}
	assert_memory_not_equal(random[0].data + 4, random[1].data + 4, 28);
	for (int i = 0; i < 2; i++)
		actor_free(&a[i]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define CASE_CLOSED(f)                                                                             \
	{                                                                                          \
#f " in the sandbox", f, set_up, tear_down, (void *)1                              \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(login_gives_the_ticket_and_the_certificate_hash),
		CASE(final_refusal_is_a_401_and_the_end),
		CASE(connect_opens_the_tunnel_and_packets_flow),
		CASE(lost_connection_keeps_the_session),
		CASE(end_by_the_administrator_tells_the_client),
		CASE(tickets_are_refused_as_specified),
		CASE(health_probe_ends_quietly),
		CASE(pipelined_and_unknown_requests_end_the_connection),
		CASE(seventeenth_request_is_not_served),
		CASE(auth_hello_repeats_the_question),
		CASE(all_key_exchanges_reach_the_key),
		CASE(old_tls_versions_are_refused),
		CASE(known_protocols_are_chosen_and_unknown_ones_ignored),
		cmocka_unit_test(name_in_the_hello_selects_host_priorities_and_texts),
		CASE(workers_do_not_share_random_numbers),
		CASE(zygote_survives_the_loss_of_main),
		CASE(zygote_and_workers_leave_signals_to_the_supervisor),
		CASE_CLOSED(connect_opens_the_tunnel_and_packets_flow),
		CASE_CLOSED(lost_connection_keeps_the_session),
		CASE_CLOSED(all_key_exchanges_reach_the_key),
		CASE_CLOSED(final_refusal_is_a_401_and_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
