/* test_conf_session.c - per-user and per-group files, and one session's merged settings. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/exposed.h"
#include "tests/unit/conf_help.h"

/* Merges the file text USER over MORE (after the minimal file). */
static struct session_conf *merge(struct fixture *f, const char *more, const char *user)
{
	struct conf_rows rows = { 0 };
	struct session_conf *s = NULL;

	assert_int_equal(fixture_load_more(f, more), ERR_OK);
	assert_int_equal(conf_user_parse(f->ctx, "u", user, strlen(user), f->report, &rows),
			 ERR_OK);
	if (conf_session_new(f->ctx, f->conf->host[0], &rows, f->report, &s) != ERR_OK)
		return NULL;
	return s;
}

static void without_files_the_host_decides(void **state)
{
	struct fixture f = fixture_new();
	struct session_conf *s = merge(&f, "dpd = 5\nroute = 10.0.0.0/8\ndns = 192.0.2.1\n", "");

	(void)state;
	assert_int_equal(s->dpd, 5);
	assert_int_equal(s->route.n, 1);
	assert_int_equal(s->dns.n, 1);
	assert_false(s->default_route);
	assert_int_equal(s->ipv4_network.prefix, 24);
	assert_null(s->hostname);
	talloc_free(f.ctx);
}

static void scalars_override_in_both_directions(void **state)
{
	struct fixture f = fixture_new();
	struct session_conf *s =
		merge(&f, "no-udp = true\nidle-timeout = 9\nclient-bypass-protocol = true\n",
		      "no-udp = false\nidle-timeout = 4\nclient-bypass-protocol = no\n"
		      "hostname = box\nexplicit-ipv4 = 192.168.99.7\nmax-same-clients = 1\n");

	(void)state;
	assert_false(s->no_udp);
	assert_int_equal(s->idle_timeout, 4);
	assert_int_equal(s->mobile_idle_timeout, 4);
	assert_false(s->client_bypass_protocol);
	assert_string_equal(s->hostname, "box");
	assert_int_equal(s->explicit_ipv4.bytes[3], 7);
	assert_int_equal(s->max_same_clients, 1);
	talloc_free(f.ctx);
}

static void lists_replace_the_hosts_and_append_among_files(void **state)
{
	struct fixture f = fixture_new();
	/* Group file and user file arrive as one list of rows. */
	struct session_conf *s =
		merge(&f, "dns = 192.0.2.1\nroute = 10.0.0.0/8\nno-route = 10.9.0.0/16\n",
		      "ipv4-dns = 192.0.2.2\nroute = 10.1.0.0/16\ndns = 192.0.2.3\n"
		      "route = 10.2.0.0/16\n");

	(void)state;
	assert_int_equal(s->dns.n, 2);
	assert_string_equal(s->dns.item[0], "192.0.2.2");
	assert_int_equal(s->route.n, 2);
	assert_string_equal(s->route.item[1].text, "10.2.0.0/255.255.0.0");
	assert_int_equal(s->no_route.n, 1);
	assert_int_equal(f.conf->host[0]->route.n, 1);
	talloc_free(f.ctx);
}

/* compat-checklist 86. */
static void append_routes_adds_the_hosts_routes(void **state)
{
	struct fixture f = fixture_new();
	struct session_conf *s = merge(&f,
				       "append-routes = true\nroute = 10.0.0.0/8\n"
				       "no-route = 10.9.0.0/16\n",
				       "route = 10.1.0.0/16\nno-route = 10.8.0.0/16\n");

	(void)state;
	assert_int_equal(s->route.n, 2);
	assert_string_equal(s->route.item[0].text, "10.1.0.0/255.255.0.0");
	assert_string_equal(s->route.item[1].text, "10.0.0.0/255.0.0.0");
	assert_int_equal(s->no_route.n, 2);
	talloc_free(f.ctx);
}

/* The routes of a session of ME on HOST with the files' rows USER, others having two networks. */
static struct session_conf *merge_exposed(struct fixture *f, const char *host, const char *user)
{
	struct conf_behind item[] = { { "me", "10.7.0.0/255.255.0.0", "f", 1 },
				      { "you", "10.8.0.0/255.255.0.0", "f", 1 },
				      { "they", "fd00::/64", "f", 1 } };
	const struct conf_exposed exposed = { item, 3 };
	struct conf_rows rows = { 0 };
	struct session_conf *s = NULL;

	assert_int_equal(fixture_load_more(f, host), ERR_OK);
	assert_int_equal(conf_user_parse(f->ctx, "me", user, strlen(user), f->report, &rows),
			 ERR_OK);
	assert_int_equal(conf_exposed_add(f->ctx, f->conf->host[0], &exposed, "me", &rows), ERR_OK);
	assert_int_equal(conf_session_new(f->ctx, f->conf->host[0], &rows, f->report, &s), ERR_OK);
	return s;
}

/* config.md 10.3. */
static void networks_behind_others_follow_the_routes_of_a_session(void **state)
{
	static const struct {
		const char *host, *user, *first;
		size_t n;
	} rows[] = {
		{ "route = 10.1.0.0/16\n", "", "10.1.0.0/255.255.0.0", 3 },
		{ "route = 10.1.0.0/16\n", "route = 10.2.0.0/16\n", "10.2.0.0/255.255.0.0", 3 },
		{ "route = 10.1.0.0/16\nappend-routes = true\n", "route = 10.2.0.0/16\n",
		  "10.2.0.0/255.255.0.0", 4 },
		{ "route = 10.1.0.0/16\nappend-routes = true\n", "", "10.8.0.0/255.255.0.0", 3 },
		{ "", "", NULL, 0 },
		{ "route = 10.1.0.0/16\n", "route = default\n", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();
		struct session_conf *s = merge_exposed(&f, rows[i].host, rows[i].user);

		assert_int_equal(s->route.n, rows[i].n);
		assert_int_equal(s->default_route, rows[i].n == 0);
		if (rows[i].first)
			assert_string_equal(s->route.item[0].text, rows[i].first);
		talloc_free(f.ctx);
	}
}

/* compat-checklist 103, 108; config.md 13.2. */
static void a_default_route_clears_routes_and_keeps_no_routes(void **state)
{
	static const char *const users[] = { "route = default\n", "route = 10.0.0.0/8\n  default\n",
					     "route = 0.0.0.0/0\n", "" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fixture f = fixture_new();
		struct session_conf *s = merge(&f, "no-route = 10.9.0.0/16\n", users[i]);

		assert_true(s->default_route);
		assert_true(s->tunnel_all_dns);
		assert_int_equal(s->route.n, 0);
		assert_int_equal(s->no_route.n, 1);
		talloc_free(f.ctx);
	}
}

/* compat-checklist 104. */
static void two_hundred_fifty_six_routes_are_kept(void **state)
{
	struct fixture f = fixture_new();
	char *text = talloc_strdup(f.ctx, "");

	(void)state;
	for (int i = 0; i < 256; i++)
		text = talloc_asprintf_append(text, "route = 10.%d.0.0/16\n", i);
	assert_int_equal(merge(&f, "", text)->route.n, 256);
	talloc_free(f.ctx);
}

/* compat-checklist 88; config.md 10.1. */
static void a_pool_of_the_files_needs_network_and_mask(void **state)
{
	static const struct {
		const char *user;
		unsigned third, prefix; /* third byte of the network */
	} rows[] = {
		{ "ipv4-network = 192.168.7.0/26\n", 7, 26 },
		{ "ipv4-network = 192.168.7.0\nipv4-netmask = 255.255.255.128\n", 7, 25 },
		{ "ipv4-netmask = 255.255.255.128\nipv4-network = 192.168.7.0\n", 7, 25 },
		{ "ipv4-network = 192.168.7.0\n", 99, 24 },
		{ "ipv4-netmask = 255.255.255.128\n", 99, 24 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();
		struct session_conf *s = merge(&f, "", rows[i].user);

		assert_int_equal(s->ipv4_network.addr.bytes[2], rows[i].third);
		assert_int_equal(s->ipv4_network.prefix, rows[i].prefix);
		talloc_free(f.ctx);
	}
}

/* Merges rows that a back end granted ("option=value", the last is NULL) over MORE. */
static struct session_conf *merge_granted(struct fixture *f, const char *more,
					  const char *const granted[])
{
	struct conf_rows rows = { 0 };
	struct session_conf *s = NULL;

	assert_int_equal(fixture_load_more(f, more), ERR_OK);
	for (size_t i = 0; granted[i]; i++) {
		char *option = talloc_strdup(f->ctx, granted[i]), *value = strchr(option, '=');
		struct conf_row row = { .option = option, .file = "" };

		*value = '\0';
		row.value = value + 1;
		assert_int_equal(conf_rows_add(f->ctx, &rows, &row), ERR_OK);
	}
	assert_int_equal(conf_session_new(f->ctx, f->conf->host[0], &rows, f->report, &s), ERR_OK);
	return s;
}

/* radius.md 3.2: Framed-IP-Netmask. */
static void a_granted_mask_is_told_and_leaves_the_pool(void **state)
{
	static const char *const granted[] = { "ipv4-netmask=255.255.255.255", NULL };
	struct fixture f = fixture_new();
	struct session_conf *s = merge_granted(&f, "", granted);

	(void)state;
	assert_int_equal(s->ipv4_netmask, 32);
	assert_int_equal(s->ipv4_network.prefix, 24);
	talloc_free(f.ctx);
}

/* radius.md 3.2: Framed-IPv6-Address and Delegated-IPv6-Prefix. */
static void a_granted_ipv6_address_brings_its_network(void **state)
{
	static const struct {
		const char *host, *address, *unit, *network;
		unsigned prefix;
	} rows[] = {
		/* Without a pool: the block is not the first of the network. */
		{ "", "2001:db8:5::10", "64", "2001:db8:4::/47", 64 },
		{ "", "2001:db8:6:7::9", "48", "2001:db8:4::/46", 48 },
		/* In a pool that has room for blocks. */
		{ "ipv6-network = 2001:db8::/32\nipv6-subnet-prefix = 112\n", "2001:db8:5::10",
		  "64", "2001:db8::/32", 64 },
		/* A block would be all of this pool: one address of it. */
		{ "ipv6-network = fd00:77::/64\nipv6-subnet-prefix = 128\n", "fd00:77::9", "64",
		  "fd00:77::/64", 128 },
		/* Such a pool, but elsewhere. */
		{ "ipv6-network = fd00:77::/64\nipv6-subnet-prefix = 128\n", "fd00:79::9", "64",
		  "fd00:78::/31", 64 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f = fixture_new();
		char *address = talloc_asprintf(f.ctx, "explicit-ipv6=%s", rows[i].address);
		char *unit = talloc_asprintf(f.ctx, "ipv6-subnet-prefix=%s", rows[i].unit);
		const char *const granted[] = { address, unit, NULL };
		struct session_conf *s = merge_granted(&f, rows[i].host, granted);
		char text[ADDR_NET_TEXT];

		assert_string_equal(addr_net_print(&s->ipv6_network, text), rows[i].network);
		assert_int_equal(s->ipv6_subnet_prefix, rows[i].prefix);
		talloc_free(f.ctx);
	}
}

static void mobile_timers_follow_the_session(void **state)
{
	static const struct {
		const char *host, *user;
		unsigned dpd, idle;
	} rows[] = {
		{ "", "dpd = 7\nidle-timeout = 8\n", 1800, 8 },
		{ "mobile-dpd = 0\n", "dpd = 7\n", 7, 0 },
		{ "dpd = 6\n", "mobile-dpd = 0\n", 6, 0 },
		{ "", "mobile-dpd = 0\ndpd = 7\n", 7, 0 },
		{ "mobile-idle-timeout = 3\n", "idle-timeout = 8\n", 1800, 3 },
		{ "idle-timeout = 9\n", "mobile-idle-timeout = 0\n", 1800, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();
		struct session_conf *s = merge(&f, rows[i].host, rows[i].user);

		assert_int_equal(s->mobile_dpd, rows[i].dpd);
		assert_int_equal(s->mobile_idle_timeout, rows[i].idle);
		talloc_free(f.ctx);
	}
}

/* compat-checklist 93, 111. */
static void bad_values_refuse_the_session_with_file_and_line(void **state)
{
	static const char *const rows[][2] = {
		{ "mtu = 1200\nroute = 10.0.0.0\n", "u:2: route: route '10.0.0.0' is missing" },
		{ "no-route = Default\n", "u:1: no-route:" },
		{ "iroute = x/24\n", "u:1: iroute:" },
		{ "restrict-user-to-ports = tcp(1\n", "u:1: restrict-user-to-ports:" },
		{ "explicit-ipv4 = fd00::1\n", "u:1: explicit-ipv4: 'fd00::1' is not an IPv4" },
		{ "explicit-ipv6 = 10.0.0.1\n", "u:1: explicit-ipv6: '10.0.0.1' is not an IPv6" },
		{ "ipv6-subnet-prefix = 5\n", "u:1: ipv6-subnet-prefix: invalid IPv6 subnet" },
		{ "ipv6-network = fd00::/64\nipv6-subnet-prefix = 64\n",
		  "u:2: ipv6-subnet-prefix: the subnet prefix (64)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();

		assert_null(merge(&f, "", rows[i][0]));
		if (!fixture_said(&f, rows[i][1]))
			fixture_explain(&f, rows[i][0]);
		assert_true(fixture_said(&f, rows[i][1]));
		talloc_free(f.ctx);
	}
}

/* compat-checklist 92. */
static void other_keys_are_ignored_with_a_line_for_the_log(void **state)
{
	struct fixture f = fixture_new();
	struct session_conf *s = merge(&f, "", "foo = 1\nbanner = x\ntcp-port = 9\nmtu = 1300\n");

	(void)state;
	assert_int_equal(s->mtu, 1300);
	assert_true(fixture_said(&f, "info: u:1: skipping unknown option 'foo'"));
	assert_true(fixture_said(&f, "info: u:2: skipping unknown option 'banner'"));
	assert_true(fixture_said(&f, "info: u:3: skipping unknown option 'tcp-port'"));
	assert_int_equal(f.report->errors, 0);
	talloc_free(f.ctx);
}

/* A directory tree for the files of config.md 10.2. */
struct tree {
	struct fixture f;
	char *dir;
};

static void put(const struct tree *t, const char *name, const char *text)
{
	FILE *out = fopen(talloc_asprintf(t->f.ctx, "%s/%s", t->dir, name), "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	fclose(out);
}

static void plant(struct tree *t, const char *more)
{
	t->f = fixture_new();
	t->dir = talloc_strdup(t->f.ctx, "/tmp/conf-tree-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(mkdir(talloc_asprintf(t->f.ctx, "%s/users", t->dir), 0700), 0);
	assert_int_equal(mkdir(talloc_asprintf(t->f.ctx, "%s/groups", t->dir), 0700), 0);
	put(t, "users/ann", "mtu = 1111\ndns = 192.0.2.1\n");
	put(t, "groups/staff", "mtu = 2222\nkeepalive = 22\ndns = 192.0.2.2\n");
	put(t, "bad", "no separator\n");
	put(t, "default", "keepalive = 33\n");
	put(t, "users/broken", "route = x\n");
	assert_int_equal(symlink("ann", talloc_asprintf(t->f.ctx, "%s/users/link", t->dir)), 0);
	assert_int_equal(fixture_load_more(&t->f, talloc_asprintf(t->f.ctx,
								  "config-per-user = %s/users\n"
								  "config-per-group = %s/groups\n"
								  "%s%s\n",
								  t->dir, t->dir, more,
								  *more ? t->dir : "")),
			 ERR_OK);
}

static void uproot(struct tree *t)
{
	static const char *const names[] = { "users/ann",    "users/broken", "users/link",
					     "groups/staff", "bad",	     "default",
					     "users",	     "groups",	     "" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)remove(talloc_asprintf(t->f.ctx, "%s/%s", t->dir, names[i]));
	talloc_free(t->f.ctx);
}

static enum err read_rows(struct tree *t, const char *user, const char *group,
			  struct conf_rows *rows)
{
	*rows = (struct conf_rows){ 0 };
	return conf_user_rows(t->f.ctx, t->f.conf->host[0], user, group, t->f.report, NULL, rows);
}

static void group_file_comes_before_user_file(void **state)
{
	struct tree t;
	struct conf_rows rows;
	struct session_conf *s;

	(void)state;
	plant(&t, "");
	assert_int_equal(read_rows(&t, "ann", "staff", &rows), ERR_OK);
	assert_int_equal(rows.n, 5);
	assert_int_equal(conf_session_new(t.f.ctx, t.f.conf->host[0], &rows, t.f.report, &s),
			 ERR_OK);
	assert_int_equal(s->mtu, 1111);
	assert_int_equal(s->keepalive, 22);
	assert_int_equal(s->dns.n, 2);
	assert_string_equal(s->dns.item[0], "192.0.2.2");
	uproot(&t);
}

static void missing_files_leave_the_host(void **state)
{
	struct tree t;
	struct conf_rows rows;

	(void)state;
	plant(&t, "");
	assert_int_equal(read_rows(&t, "bob", NULL, &rows), ERR_OK);
	assert_int_equal(rows.n, 0);
	assert_int_equal(read_rows(&t, "bob", "nobody", &rows), ERR_OK);
	assert_int_equal(rows.n, 0);
	/* A link is no file of the directory (config.md 10.2). */
	assert_int_equal(read_rows(&t, "link", "", &rows), ERR_OK);
	assert_int_equal(rows.n, 0);
	uproot(&t);
}

static void the_default_file_replaces_a_missing_one_only(void **state)
{
	struct tree t;
	struct conf_rows rows;

	(void)state;
	plant(&t, "default-user-config = ");
	assert_int_equal(t.f.conf->n_hosts, 1);
	uproot(&t);
	plant(&t, "default-group-config = /nonexistent/default\n#");
	assert_int_equal(read_rows(&t, "ann", "staff", &rows), ERR_OK);
	assert_int_equal(read_rows(&t, "ann", "missing", &rows), ERR_CONF);
	assert_true(fixture_said(&t.f, "/nonexistent/default: cannot read the default file"));
	uproot(&t);
}

/* compat-checklist 82. */
static void names_that_are_no_file_names_refuse_the_session(void **state)
{
	static const char *const names[] = { "..", ".", "../users/ann", "a/b", "/etc/passwd" };
	struct tree t;
	struct conf_rows rows;

	(void)state;
	plant(&t, "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(read_rows(&t, names[i], "", &rows), ERR_CONF);
		assert_int_equal(read_rows(&t, "ann", names[i], &rows), ERR_CONF);
	}
	assert_int_equal(read_rows(&t, "", "", &rows), ERR_CONF);
	uproot(&t);
}

static void broken_files_refuse_the_session(void **state)
{
	struct tree t;
	struct conf_rows rows;

	(void)state;
	plant(&t, "default-user-config = ");
	assert_int_equal(read_rows(&t, "broken", "", &rows), ERR_CONF);
	assert_true(fixture_said(&t.f, "/users/broken:1: route:"));
	/* The planted default is a directory: configured, but not readable as a file. */
	assert_int_equal(read_rows(&t, "bob", "", &rows), ERR_CONF);
	uproot(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_files_the_host_decides),
		cmocka_unit_test(scalars_override_in_both_directions),
		cmocka_unit_test(lists_replace_the_hosts_and_append_among_files),
		cmocka_unit_test(append_routes_adds_the_hosts_routes),
		cmocka_unit_test(networks_behind_others_follow_the_routes_of_a_session),
		cmocka_unit_test(a_default_route_clears_routes_and_keeps_no_routes),
		cmocka_unit_test(two_hundred_fifty_six_routes_are_kept),
		cmocka_unit_test(a_pool_of_the_files_needs_network_and_mask),
		cmocka_unit_test(a_granted_mask_is_told_and_leaves_the_pool),
		cmocka_unit_test(a_granted_ipv6_address_brings_its_network),
		cmocka_unit_test(mobile_timers_follow_the_session),
		cmocka_unit_test(bad_values_refuse_the_session_with_file_and_line),
		cmocka_unit_test(other_keys_are_ignored_with_a_line_for_the_log),
		cmocka_unit_test(group_file_comes_before_user_file),
		cmocka_unit_test(missing_files_leave_the_host),
		cmocka_unit_test(the_default_file_replaces_a_missing_one_only),
		cmocka_unit_test(names_that_are_no_file_names_refuse_the_session),
		cmocka_unit_test(broken_files_refuse_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
