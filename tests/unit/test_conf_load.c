/* test_conf_load.c - from text to structs: values, old names, hosts, cross checks, reload. */
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "tests/unit/conf_help.h"

static void the_smallest_file_is_accepted(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load(&f, CONF_MINIMAL), ERR_OK);
	assert_int_equal(f.conf->tcp_port, 443);
	assert_string_equal(f.conf->device, "vpns");
	assert_int_equal(f.conf->n_hosts, 1);
	assert_string_equal(f.conf->host[0]->name, "default");
	assert_int_equal(f.conf->host[0]->ipv4_network.prefix, 24);
	assert_int_equal(f.report->warnings, 0);
	assert_true(fixture_said(
		&f, "note: vhost:default: setting 'plain' as primary authentication method"));
	assert_true(fixture_said(&f, "note: setting 'file' as supplemental config option"));
	talloc_free(f.ctx);
}

static void defaults_are_those_of_the_specification(void **state)
{
	struct fixture f = fixture_new();
	const struct host_conf *h;

	(void)state;
	assert_int_equal(fixture_load(&f, CONF_MINIMAL), ERR_OK);
	h = f.conf->host[0];
	assert_int_equal(f.conf->log_level, 2);
	assert_int_equal(f.conf->syslog_facility, LOG_DAEMON);
	assert_int_equal(f.conf->max_ban_score, 80);
	assert_int_equal(f.conf->auth_timeout, 240);
	assert_true(f.conf->dtls_psk);
	assert_true(f.conf->limit_worker_memory);
	assert_false(f.conf->use_occtl);
	assert_int_equal(h->cookie_timeout, 300);
	assert_int_equal(h->mobile_dpd, 1800);
	assert_int_equal(h->rekey_method, CONF_REKEY_NEW_TUNNEL);
	assert_true(h->dtls_legacy);
	assert_true(h->predictable_ips);
	assert_int_equal(h->ipv6_subnet_prefix, 128);
	assert_string_equal(h->tls_priorities, "NORMAL:%SERVER_PRECEDENCE:%COMPAT");
	talloc_free(f.ctx);
}

/* compat-checklist 208, config.md 9. */
static void fatal_settings_are_refused_with_the_specified_words(void **state)
{
	static const char *const rows[][2] = {
		{ "rekey-method = never\n", "unknown rekey method 'never'" },
		{ "syslog-facility = foo\n", "unknown syslog facility: foo" },
		{ "dns = local\n", "the 'local' DNS keyword is no longer supported." },
		{ "listen-clear-file = /x\n",
		  "the 'listen-clear-file' option was removed in ocserv 1.1.2" },
		{ "restrict-user-to-ports = tcp(1),\n", "cannot parse restrict-user-to-ports" },
		{ "route = 10.0.0.0\n", "route '10.0.0.0' is missing a /prefix" },
		{ "no-route = 10.0.0.0/255.0.255.0\n", "has an invalid IPv4 netmask" },
		{ "match-tls-dtls-ciphers = true\n",
		  "'match-tls-dtls-ciphers' cannot be applied when 'dtls-legacy' or "
		  "'cisco-client-compat' is on" },
		{ "cisco-svc-client-compat = true\nudp-port = 4443\n",
		  " cisco-svc-client-compat option requires udp-port = 443" },
		{ "ipv6-network = fd00::/64\nipv6-subnet-prefix = 64\n",
		  "the subnet prefix (64) cannot be smaller or equal to network's (64)" },
		{ "ipv6-network = fd00::1\n", "no prefix found for IPv6 network." },
		{ "ipv4-network = 10.0.0.0/33\n", "no mask found for IPv4 network." },
		{ "ipv6-prefix = 10\n", "invalid IPv6 prefix: 10" },
		{ "ipv6-subnet-prefix = 129\n", "invalid IPv6 subnet prefix: 129" },
		{ "server-key = /second\n",
		  "the specified number of keys doesn't match the certificates" },
		{ "user-profile = /nonexistent/profile\n",
		  "cannot open file '/nonexistent/profile'" },
		{ "chroot-dir = /nonexistent\n",
		  "cannot use '/nonexistent' as chroot-dir: No such file or directory" },
		{ "chroot-dir = /dev/null\n",
		  "cannot use '/dev/null' as chroot-dir: Not a directory" },
		{ "camouflage = true\n", "camouflage needs camouflage_secret" },
		{ "camouflage = true\ncamouflage_secret = a#b\n",
		  "no client can send this camouflage_secret" },
		{ "camouflage = true\ncamouflage_secret = two words\n",
		  "no client can send this camouflage_secret" },
		{ "kkdcp = /path REALM http@x:1\n", "Cannot parse kkdcp string: /path" },
		{ "acct = foo\n", ": unknown or unsupported accounting method: foo" },
		{ "tcp-port = 0\n", "the tcp-port option is mandatory!" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuses(rows[i][0], rows[i][1]);
}

static void a_banner_has_at_most_256_bytes(void **state)
{
	char text[300] = "banner = ";

	(void)state;
	memset(text + 9, '%', 257);
	text[9 + 256] = '\0';
	accepts(text, NULL);
	text[9 + 256] = '%';
	text[9 + 257] = '\0';
	refuses(text, "banner size is too long");
}

/* Leaves out the line of the minimal file that begins with KEY. */
static char *minimal_without(TALLOC_CTX *ctx, const char *key)
{
	char *out = talloc_strdup(ctx, ""), *save = NULL;
	char *copy = talloc_strdup(ctx, CONF_MINIMAL);

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (strncmp(l, key, strlen(key)) != 0)
			out = talloc_asprintf_append(out, "%s\n", l);
	return out;
}

static void what_is_mandatory_is_missed_by_name(void **state)
{
	static const char *const rows[][2] = {
		{ "auth", "error: the 'auth' configuration option was not specified!" },
		{ "tcp-port", "error: the tcp-port option is mandatory!" },
		{ "socket-file",
		  "error: the 'socket-file' configuration option must be specified!" },
		{ "server-cert", "the 'server-cert' and 'server-key' configuration options must be "
				 "specified!" },
		{ "server-key", "the 'server-cert' and 'server-key' configuration options must be "
				"specified!" },
		{ "device", "error: the 'device' configuration option must be specified!" },
		{ "ipv4-network", "error: no ipv4-network or ipv6-network options set." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();

		assert_int_equal(fixture_load(&f, minimal_without(f.ctx, rows[i][0])), ERR_CONF);
		assert_int_equal(f.report->errors, 1);
		assert_true(fixture_said(&f, rows[i][1]));
		talloc_free(f.ctx);
	}
}

/* The errors of TEXT, in order, must contain the words of WANT. */
static void errors_in_order(const char *text, const char *const *want, size_t n)
{
	struct fixture f = fixture_new();
	size_t at = 0;

	assert_int_equal(fixture_load(&f, text), ERR_CONF);
	for (size_t i = 0; i < f.report->n; i++) {
		if (f.report->item[i].severity != CONF_ERROR)
			continue;
		if (at == n || !strstr(f.report->item[i].text, want[at]))
			fixture_explain(&f, at < n ? want[at] : "one more");
		assert_true(at < n);
		assert_non_null(strstr(f.report->item[i].text, want[at]));
		at++;
	}
	assert_int_equal(at, n);
	talloc_free(f.ctx);
}

/* config.md 9: what ocserv would end with comes first. */
static void checks_come_in_the_specified_order(void **state)
{
	static const char *const empty[] = { "'auth'",	      "'socket-file'",	 "tcp-port",
					     "'server-cert'", "no ipv4-network", "'device'" };
	static const char *const all[] = { "missing a /prefix",	       "no mask found",
					   "number of keys",	       "'cert-user-oid'",
					   "cannot open file",	       "udp-port = 443",
					   "the subnet prefix (64)",   "'device'",
					   "'match-tls-dtls-ciphers'", "is 'radius'" };
	static const char *const hosts[] = { "'device'", "number of keys", "no mask found",
					     "'cert-user-oid'" };

	(void)state;
	errors_in_order("", empty, sizeof(empty) / sizeof(empty[0]));
	errors_in_order("config-per-user = /\nmatch-tls-dtls-ciphers = yes\nroute = 10.0.0.0\n"
			"ipv6-network = fd00::/64\nipv6-subnet-prefix = 64\nudp-port = 4443\n"
			"cisco-svc-client-compat = yes\nuser-profile = /nonexistent\n"
			"auth = radius[config=/x,groupconfig=true]\nenable-auth = certificate\n"
			"server-key = /a\nserver-key = /b\nserver-cert = /c\n"
			"ipv4-network = 10.0.0.0\ntcp-port = 443\nsocket-file = /s\n",
			all, sizeof(all) / sizeof(all[0]));
	/* The default host before the named ones, those in file order. */
	errors_in_order("auth = plain[/p]\ntcp-port = 443\nsocket-file = /s\nserver-cert = /c\n"
			"server-key = /k\nipv4-network = 10.0.0.0/24\n"
			"[vhost:b]\nserver-cert = /c\nserver-cert = /d\n"
			"[vhost:a]\nauth = certificate\nipv4-network = 10.1.0.0/99\n",
			hosts, sizeof(hosts) / sizeof(hosts[0]));
}

static void all_errors_are_told_in_one_run(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load_more(&f, "rekey-method = x\nno separator\nroute = y\n"),
			 ERR_CONF);
	assert_int_equal(f.report->errors, 3);
	assert_true(fixture_said(&f, "t.conf:8: rekey-method: "));
	assert_true(fixture_said(&f, "t.conf:9: "));
	assert_true(fixture_said(&f, "t.conf:10: route: "));
	talloc_free(f.ctx);
}

/* config.md 2.1: what deployed files rely on. */
static void odd_numbers_and_words_keep_working(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load_more(&f, "dpd = 90x\nkeepalive = abc\nmax-clients = -1\n"
					       "no-udp = 1\ntunnel-all-dns = YES\n"
					       "deny-roaming = True\nlog-level = 77\n"),
			 ERR_OK);
	assert_int_equal(f.conf->host[0]->dpd, 90);
	assert_int_equal(f.conf->host[0]->keepalive, 0);
	assert_int_equal(f.conf->max_clients, UINT32_MAX);
	assert_false(f.conf->host[0]->no_udp);
	assert_true(f.conf->host[0]->tunnel_all_dns);
	assert_true(f.conf->host[0]->deny_roaming);
	assert_int_equal(f.conf->log_level, 9);
	assert_int_equal(f.report->warnings, 5);
	talloc_free(f.ctx);
}

static void unknown_names_warn_and_are_ignored(void **state)
{
	(void)state;
	accepts("foo = bar\n", "t.conf:8: skipping unknown option 'foo'");
	accepts("Tcp-Port = 1\n", "skipping unknown option 'Tcp-Port'");
	accepts("cgroup = x\n", "skipping unknown option 'cgroup'");
	accepts("hostname = x\n", "skipping unknown option 'hostname'");
	accepts("[weird]\nroute = nonsense\n",
		"warning: t.conf:8: skipping unknown section 'weird'");
}

/* compat-checklist 209. */
static void old_names_work_with_a_note(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load_more(&f, "min-reauth-time = 7\nuse-dbus = true\n"
					       "use-seccomp = true\nalways-require-cert = false\n"
					       "session-control = true\nipv6-dns = 2001:db8::53\n"
					       "ipv4-nbns = 192.0.2.5\n"),
			 ERR_OK);
	assert_int_equal(f.conf->ban_time, 7);
	assert_true(f.conf->use_occtl);
	assert_true(f.conf->isolate_workers);
	assert_true(f.conf->host[0]->cisco_client_compat);
	assert_string_equal(f.conf->host[0]->dns.item[0], "2001:db8::53");
	assert_string_equal(f.conf->host[0]->nbns.item[0], "192.0.2.5");
	assert_true(fixture_said(&f, "'min-reauth-time' was replaced by 'ban-time'"));
	assert_true(fixture_said(&f, "'use-dbus' was replaced by 'use-occtl'"));
	assert_true(fixture_said(&f, "'use-seccomp' was replaced by 'isolate-workers'"));
	assert_true(
		fixture_said(&f, "'always-require-cert' was replaced by 'cisco-client-compat'"));
	assert_true(fixture_said(&f, "the option 'session-control' is deprecated"));
	talloc_free(f.ctx);
}

static void old_switches_set_the_other_way_do_nothing(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load_more(&f, "use-dbus = no\nuse-seccomp = false\n"
					       "always-require-cert = true\n"),
			 ERR_OK);
	assert_false(f.conf->use_occtl);
	assert_true(f.conf->isolate_workers);
	assert_false(f.conf->host[0]->cisco_client_compat);
	assert_false(fixture_said(&f, "was replaced"));
	talloc_free(f.ctx);
}

/* compat-checklist 116; config.md 3.2. */
static void a_host_inherits_what_it_does_not_set(void **state)
{
	struct fixture f = fixture_new();
	const struct host_conf *h;

	(void)state;
	assert_int_equal(fixture_load_more(&f, "dpd = 17\nroute = 10.0.0.0/8\nkey-pin = 99\n"
					       "[vhost:A.example]\nkeepalive = 5\n"
					       "route = 10.1.0.0/16\n"),
			 ERR_OK);
	assert_true(fixture_said(&f, "note: adding virtual host: A.example"));
	h = conf_host(f.conf, "a.EXAMPLE");
	assert_string_equal(h->name, "A.example");
	assert_int_equal(h->keepalive, 5);
	assert_int_equal(h->dpd, 17);
	assert_int_equal(h->route.n, 2);
	assert_string_equal(h->route.item[1].text, "10.1.0.0/255.255.0.0");
	assert_int_equal(f.conf->host[0]->route.n, 1);
	assert_string_equal(h->server_cert.item[0], "/etc/ocserv/server-cert.pem");
	assert_string_equal(secret_text(h->key_pin), "99");
	assert_string_equal(conf_auth_get(&h->auth.item[0], "passwd"), "/etc/ocserv/ocpasswd");
	assert_int_equal(h->ipv4_network.prefix, 24);
	assert_ptr_equal(conf_host(f.conf, "other"), f.conf->host[0]);
	assert_ptr_equal(conf_host(f.conf, NULL), f.conf->host[0]);
	talloc_free(f.ctx);
}

static void start_only_lists_are_replaced_not_appended(void **state)
{
	struct fixture f = fixture_new();
	const struct host_conf *h;

	(void)state;
	assert_int_equal(fixture_load_more(&f, "[vhost:a]\nserver-cert = /c\nserver-key = /k\n"
					       "auth = plain[/p]\n"),
			 ERR_OK);
	h = conf_host(f.conf, "a");
	assert_int_equal(h->server_cert.n, 1);
	assert_string_equal(h->server_cert.item[0], "/c");
	assert_int_equal(h->auth.n, 1);
	assert_string_equal(conf_auth_get(&h->auth.item[0], "passwd"), "/p");
	talloc_free(f.ctx);
}

static void a_host_is_a_copy_of_what_stands_above_it(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	/* config.md 3.2: the copy is made at the host's first key. */
	assert_int_equal(fixture_load_more(&f, "[vhost:a]\ndpd = 1\n[vhost:b]\nmtu = 1200\n"
					       "[vhost:a]\nkeepalive = 2\n[vhost:empty]\n"),
			 ERR_OK);
	assert_int_equal(f.conf->n_hosts, 3);
	assert_int_equal(conf_host(f.conf, "a")->dpd, 1);
	assert_int_equal(conf_host(f.conf, "a")->keepalive, 2);
	assert_int_equal(conf_host(f.conf, "b")->dpd, 90);
	talloc_free(f.ctx);
}

/* compat-checklist 118. */
static void global_options_are_refused_in_a_host(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];
		char text[200], want[200];

		snprintf(text, sizeof(text), "[vhost:a]\n%s = x\n", o->name);
		snprintf(want, sizeof(want), "'%s' cannot be set inside a virtual host section",
			 o->name);
		if (o->scope == CONF_SCOPE_GLOBAL)
			refuses(text, want);
	}
	accepts("[vhost:a]\nlog-level = 3\npid-file = /x\n", NULL);
}

static void a_host_needs_its_own_pool_to_be_good(void **state)
{
	(void)state;
	refuses("[vhost:a]\nipv6-network = fd00::\n", "vhost:a: no prefix found for IPv6 network.");
	accepts("[vhost:a]\nipv6-network = fd00::\nipv6-prefix = 48\n", NULL);
}

static void masks_come_from_the_network_or_its_own_line(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load_more(&f, "[vhost:a]\nipv4-network = 10.1.2.3\n"
					       "ipv4-netmask = 255.255.0.0\n"
					       "[vhost:b]\nipv4-netmask = 255.0.0.0\n"
					       "ipv4-network = 10.2.0.0/16\n"
					       "[vhost:c]\nipv4-network = 10.3.0.0/16junk\n"),
			 ERR_OK);
	assert_int_equal(conf_host(f.conf, "a")->ipv4_network.prefix, 16);
	assert_int_equal(conf_host(f.conf, "a")->ipv4_network.addr.bytes[3], 0);
	assert_int_equal(conf_host(f.conf, "b")->ipv4_network.prefix, 16);
	assert_int_equal(conf_host(f.conf, "c")->ipv4_network.prefix, 16);
	talloc_free(f.ctx);
}

static void cisco_compat_implies_what_such_clients_need(void **state)
{
	struct fixture f = fixture_new();
	const struct host_conf *h;

	(void)state;
	assert_int_equal(fixture_load_more(&f, "[vhost:a]\ncisco-client-compat = true\n"
					       "dtls-legacy = false\n"
					       "[vhost:b]\ncisco-client-compat = true\n"
					       "tls-priorities = NORMAL\n"),
			 ERR_OK);
	assert_string_equal(conf_host(f.conf, "b")->tls_priorities, "NORMAL");
	h = conf_host(f.conf, "a");
	assert_true(h->dtls_legacy && h->select_group_by_url);
	assert_string_equal(h->tls_priorities, "NORMAL:%SERVER_PRECEDENCE:%COMPAT:-VERS-TLS1.3");
	assert_true(fixture_said(&f, "note: vhost:a: the cisco-client-compat option implies "
				     "select-group-by-url = true; enabling"));
	assert_true(fixture_said(&f, "note: vhost:a: the cisco-client-compat option implies "
				     "dtls-legacy = true; enabling"));
	talloc_free(f.ctx);
}

static void derived_values_follow_their_source(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load_more(&f, "dpd = 33\nmobile-dpd = 0\nidle-timeout = 44\n"
					       "no-compress-limit = 3\nlisten-host = 127.0.0.1\n"
					       "[vhost:a]\nmobile-idle-timeout = 0\n"),
			 ERR_OK);
	assert_int_equal(f.conf->host[0]->mobile_dpd, 33);
	assert_int_equal(f.conf->host[0]->mobile_idle_timeout, 44);
	assert_int_equal(f.conf->host[0]->no_compress_limit, 64);
	assert_string_equal(f.conf->udp_listen_host, "127.0.0.1");
	assert_int_equal(conf_host(f.conf, "a")->mobile_idle_timeout, 0);
	talloc_free(f.ctx);
}

/* compat-checklist 206, 207, 210. */
static void values_keep_what_belongs_to_them(void **state)
{
	struct fixture f = fixture_new();
	const struct host_conf *h;

	(void)state;
	assert_int_equal(fixture_load_more(&f,
					   "banner = \"a; b\"   # c\n"
					   "included-http-headers = C: \"x\",\"y\"\n"
					   "select-group = g1[G\xc3\xa4ste]\nselect-group = g2"),
			 ERR_OK);
	h = f.conf->host[0];
	assert_string_equal(h->banner, "a; b");
	assert_string_equal(h->included_http_headers.item[0], "C: \"x\",\"y\"");
	assert_string_equal(h->select_group.item[0].name, "g1");
	assert_string_equal(h->select_group.item[0].label, "G\xc3\xa4ste");
	assert_string_equal(h->select_group.item[1].label, "g2");
	talloc_free(f.ctx);
}

static void groups_beyond_96_are_left_out(void **state)
{
	struct fixture f = fixture_new();
	char *text = talloc_strdup(f.ctx, "");

	(void)state;
	for (int i = 0; i < 100; i++)
		text = talloc_asprintf_append(text, "select-group = g%d\n", i);
	assert_int_equal(fixture_load_more(&f, text), ERR_OK);
	assert_int_equal(f.conf->host[0]->select_group.n, 96);
	talloc_free(f.ctx);
	accepts("select-group = 0123456789012345678901234567890123456789012345678901234567890123\n",
		"is 64 bytes or longer and exceeds the maximum supported group name length (63)");
}

static char *write_temp(struct fixture *f, const char *text)
{
	char *path = talloc_strdup(f->ctx, "/tmp/conf-test-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

/* config.md 5; compat-checklist 114, 116. */
static void a_reload_keeps_start_only_options_and_adds_hosts(void **state)
{
	struct fixture f = fixture_new();
	struct conf *new;
	char *path;

	(void)state;
	assert_int_equal(fixture_load_more(&f, "dpd = 1\n[vhost:a]\nserver-cert = /a\n"
					       "server-key = /ak\n"
					       "[vhost:gone]\nkeepalive = 8\n"),
			 ERR_OK);
	path = write_temp(&f, CONF_MINIMAL "tcp-port = 999\ndpd = 2\n[vhost:a]\nserver-cert = /b\n"
					   "keepalive = 6\n[vhost:n]\nauth = plain[/n]\n");
	assert_int_equal(conf_reload_file(f.ctx, path, f.conf, f.report, &new), ERR_OK);
	assert_int_equal(new->tcp_port, 443);
	assert_int_equal(new->host[0]->dpd, 2);
	assert_int_equal(conf_host(new, "a")->dpd, 2);
	assert_int_equal(conf_host(new, "a")->keepalive, 6);
	assert_string_equal(conf_host(new, "a")->server_cert.item[0], "/a");
	assert_string_equal(conf_auth_get(&conf_host(new, "n")->auth.item[0], "passwd"), "/n");
	assert_string_equal(conf_host(new, "n")->server_cert.item[0],
			    "/etc/ocserv/server-cert.pem");
	/* A host that left the file remains until a restart (config.md 3.2). */
	assert_int_equal(conf_host(new, "gone")->keepalive, 8);
	assert_int_equal(conf_host(new, "gone")->dpd, 2);
	unlink(path);
	talloc_free(f.ctx);
}

/* config.md 5, 8: silently is not good enough. */
static void a_reload_names_what_needs_a_restart(void **state)
{
	static const char *const said[] = {
		":10: tcp-port: the change needs a restart of the server; until then '443' stays in force",
		":13: server-cert: vhost:a: the change needs a restart of the server; until then '/a'",
		"auth: the change needs a restart of the server; until then 'plain[passwd=/etc/ocserv",
		"key-pin: the change needs a restart of the server",
	};
	struct fixture f = fixture_new();
	struct conf *new;
	char *path;

	(void)state;
	assert_int_equal(fixture_load_more(&f, "udp-port = 443\nkey-pin = one\n[vhost:a]\n"
					       "server-cert = /a\nserver-key = /ak\n"),
			 ERR_OK);
	path = write_temp(&f, CONF_MINIMAL
			  "udp-port = 443 # the same\nkey-pin = two\n"
			  "tcp-port = 999\nauth = \"plain[passwd=/other]\"\n[vhost:a]\n"
			  "server-cert = /b\nserver-key = /ak\n");
	TALLOC_FREE(f.report);
	f.report = conf_report_new(f.ctx);
	assert_int_equal(conf_reload_file(f.ctx, path, f.conf, f.report, &new), ERR_OK);
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
		if (!fixture_said(&f, said[i]))
			fail_msg("not said: %s", said[i]);
	assert_int_equal(f.report->warnings, 4);
	assert_false(fixture_said(&f, "one"));
	unlink(path);
	talloc_free(f.ctx);
}

static void a_bad_reload_says_why_and_gives_nothing(void **state)
{
	struct fixture f = fixture_new();
	struct conf *new = NULL;
	char *path;

	(void)state;
	assert_int_equal(fixture_load(&f, CONF_MINIMAL), ERR_OK);
	path = write_temp(&f, CONF_MINIMAL "route = bad\n");
	assert_int_equal(conf_reload_file(f.ctx, path, f.conf, f.report, &new), ERR_CONF);
	assert_null(new);
	assert_true(fixture_said(&f, ":8: route: route 'bad' is missing a /prefix"));
	unlink(path);
	assert_int_equal(conf_load_file(f.ctx, path, f.report, &new), ERR_NOT_FOUND);
	assert_int_equal(conf_load_file(f.ctx, "/tmp", f.report, &new), ERR_UNSUPPORTED);
	talloc_free(f.ctx);
}

/* Checklist 214: one unknown placeholder invalidates a template. */
static void what_will_hardly_work_is_a_warning(void **state)
{
	static const char *const rows[][2] = {
		{ "connect-script = /no/script",
		  "connect-script: cannot run '/no/script': No such" },
		{ "disconnect-script = /", NULL },
		{ "host-update-script = /no", "host-update-script: cannot run '/no': No such" },
		{ "proxy-url = http://p/%{U}/%{G}/%{U}", NULL },
		{ "proxy-url = http://p/%U", "proxy-url: 'http://p/%U': '%U' is no placeholder" },
		{ "custom-header = X: 100%", "custom-header: 'X: 100%': '%' is no placeholder" },
		{ "custom-header = X: %{UG}", "'%{UG' is no placeholder; the header is not sent" },
		{ "custom-header = X: %{U", "'%{U' is no placeholder" },
		{ "route-add-cmd = ip r add %{RI} dev %{D}; log %R %D%{R}", NULL },
		{ "route-add-cmd = date +%s", "route-add-cmd: 'date +%s': '%s' is no placeholder" },
		{ "route-del-cmd = x %RI", NULL },
		{ "route-del-cmd = x %{I}", "route-del-cmd: 'x %{I}': '%{I}' is no placeholder" },
		{ "dns = ns.example", "dns: 'ns.example' is no address" },
		{ "dns = 2001:db8::53", NULL },
		{ "nbns = 10.0.0.300", "nbns: '10.0.0.300' is no address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();

		/* A host that inherits it does not repeat it. */
		assert_int_equal(fixture_load_more(
					 &f, talloc_asprintf(f.ctx, "%s\n[vhost:a]\n", rows[i][0])),
				 ERR_OK);
		if (f.report->warnings != (rows[i][1] != NULL) ||
		    (rows[i][1] && !fixture_said(&f, rows[i][1])))
			fixture_explain(&f, rows[i][0]);
		assert_int_equal(f.report->warnings, rows[i][1] != NULL);
		assert_true(!rows[i][1] || fixture_said(&f, rows[i][1]));
		talloc_free(f.ctx);
	}
}

static void findings_of_the_start_are_not_repeated_on_reload(void **state)
{
	struct fixture f = fixture_new();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(fixture_load_more(&f, "foo = 1\ndpd = x\n"), ERR_OK);
	conf_report_print(f.report, out, CONF_WARNING, true);
	fclose(out);
	assert_null(strstr(text, "foo"));
	assert_non_null(strstr(text, "warning: t.conf:9: dpd: 'x' is not a plain number"));
	free(text);
	talloc_free(f.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_file_is_accepted),
		cmocka_unit_test(defaults_are_those_of_the_specification),
		cmocka_unit_test(fatal_settings_are_refused_with_the_specified_words),
		cmocka_unit_test(a_banner_has_at_most_256_bytes),
		cmocka_unit_test(what_is_mandatory_is_missed_by_name),
		cmocka_unit_test(checks_come_in_the_specified_order),
		cmocka_unit_test(all_errors_are_told_in_one_run),
		cmocka_unit_test(odd_numbers_and_words_keep_working),
		cmocka_unit_test(unknown_names_warn_and_are_ignored),
		cmocka_unit_test(old_names_work_with_a_note),
		cmocka_unit_test(old_switches_set_the_other_way_do_nothing),
		cmocka_unit_test(a_host_inherits_what_it_does_not_set),
		cmocka_unit_test(start_only_lists_are_replaced_not_appended),
		cmocka_unit_test(a_host_is_a_copy_of_what_stands_above_it),
		cmocka_unit_test(global_options_are_refused_in_a_host),
		cmocka_unit_test(a_host_needs_its_own_pool_to_be_good),
		cmocka_unit_test(masks_come_from_the_network_or_its_own_line),
		cmocka_unit_test(cisco_compat_implies_what_such_clients_need),
		cmocka_unit_test(derived_values_follow_their_source),
		cmocka_unit_test(values_keep_what_belongs_to_them),
		cmocka_unit_test(groups_beyond_96_are_left_out),
		cmocka_unit_test(a_reload_keeps_start_only_options_and_adds_hosts),
		cmocka_unit_test(a_reload_names_what_needs_a_restart),
		cmocka_unit_test(a_bad_reload_says_why_and_gives_nothing),
		cmocka_unit_test(what_will_hardly_work_is_a_warning),
		cmocka_unit_test(findings_of_the_start_are_not_repeated_on_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
