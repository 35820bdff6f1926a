/* test_firewall_rules.c - sessions' restrictions as text for nft, and read from the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "main/firewall_rules.h"
#include "main/fw_env.h"

/* A session's restrictions, made of texts. */
struct rig {
	TALLOC_CTX *ctx;
	struct conf_routes routes, no_routes;
	struct conf_ports ports;
	struct strv dns;
	struct fw_rules rules;
};

static void add_routes(struct rig *rig, struct conf_routes *to, const char *list)
{
	char *copy = talloc_strdup(rig->ctx, list), *save = NULL;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		to->item =
			talloc_realloc(rig->ctx, to->item, struct conf_route, (unsigned)to->n + 1);
		assert_int_equal(conf_route_parse(rig->ctx, w, &to->item[to->n++], NULL), ERR_OK);
	}
}

static void rig_init(struct rig *rig, const char *routes, const char *no_routes, const char *ports)
{
	*rig = (struct rig){ .ctx = talloc_new(NULL) };
	if (routes)
		add_routes(rig, &rig->routes, routes);
	if (no_routes)
		add_routes(rig, &rig->no_routes, no_routes);
	if (ports)
		assert_int_equal(conf_ports_parse(rig->ctx, ports, &rig->ports, NULL), ERR_OK);
	rig->rules = (struct fw_rules){ "vpns0",      &rig->dns,       routes || no_routes,
					&rig->routes, &rig->no_routes, &rig->ports };
}

/* The rules of CHAIN without what is the same in each, one a line. */
static const char *chain_of(struct rig *rig, const char *chain)
{
	char *begin = talloc_asprintf(rig->ctx, "add rule inet t %s_vpns0 ", chain), *save = NULL;
	char *out = talloc_strdup(rig->ctx, "");
	struct buf text;

	buf_init(&text, rig->ctx, FW_TEXT_MAX);
	fw_rules_add(rig->ctx, &text, "t", &rig->rules);
	assert_false(text.failed);
	for (char *l = strtok_r(text.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (str_starts(l, begin))
			out = talloc_asprintf_append(out, "%s\n", l + strlen(begin));
	return out;
}

static bool text_has(struct rig *rig, const char *what)
{
	struct buf text;

	buf_init(&text, rig->ctx, FW_TEXT_MAX);
	fw_rules_add(rig->ctx, &text, "t", &rig->rules);
	return strstr(buf_text(&text), what) != NULL;
}

static void routes_are_open_and_the_rest_rejected(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "10.11.0.0/16 fd00:1::/64", "10.11.5.0/24 fd00:1::8000/113", NULL);
	assert_string_equal(chain_of(&rig, "session"), "ip daddr 10.11.5.0/24 reject\n"
						       "ip6 daddr fd00:1::8000/113 reject\n"
						       "ip daddr 10.11.0.0/16 accept\n"
						       "ip6 daddr fd00:1::/64 accept\n"
						       " reject\n");
	talloc_free(rig.ctx);
}

/* Checklist 163. */
static void no_routes_at_all_need_no_rules(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "", NULL, NULL);
	assert_false(fw_rules_needed(&rig.rules));
	add_routes(&rig, &rig.no_routes, "10.0.0.0/8");
	assert_true(fw_rules_needed(&rig.rules));
	assert_string_equal(chain_of(&rig, "session"), "ip daddr 10.0.0.0/8 reject\n");
	rig.rules.restrict_to_routes = false;
	assert_false(fw_rules_needed(&rig.rules));
	talloc_free(rig.ctx);
}

/* The example of admin.md 11. */
static void an_allow_list_leads_to_the_route_check(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, "10.11.0.0/16", "10.11.5.0/24", "tcp(443), icmp()");
	assert_int_equal(strv_add(rig.ctx, &rig.dns, "192.168.199.1"), ERR_OK);
	assert_string_equal(chain_of(&rig, "session"),
			    "ip daddr 192.168.199.1 udp dport 53 accept\n"
			    "ip daddr 192.168.199.1 tcp dport 53 accept\n"
			    "tcp dport 443 goto routes_vpns0\n"
			    "meta l4proto 1 goto routes_vpns0\n"
			    " reject\n");
	assert_string_equal(chain_of(&rig, "routes"), "ip daddr 10.11.5.0/24 reject\n"
						      "ip daddr 10.11.0.0/16 accept\n"
						      " reject\n");
	talloc_free(rig.ctx);
}

/* The restrictions make exactly RULES; without RESTRICTED the routes are only there. */
static void expect_rules(const char *routes, const char *no_routes, const char *ports,
			 bool restricted, const char *rules)
{
	struct rig rig;

	rig_init(&rig, routes, no_routes, ports);
	rig.rules.restrict_to_routes = restricted;
	assert_string_equal(chain_of(&rig, "session"), rules);
	talloc_free(rig.ctx);
}

static void ports_alone_do_not_look_at_routes(void **state)
{
	(void)state;
	expect_rules("10.11.0.0/16", "10.11.5.0/24", "udp(53), sctp(80), icmpv6(), esp()", false,
		     "udp dport 53 accept\n"
		     "sctp dport 80 accept\n"
		     "meta l4proto 58 accept\n"
		     "meta l4proto 50 accept\n"
		     " reject\n");
	expect_rules("10.11.0.0/16", NULL, "!(tcp(25), icmp())", false,
		     "tcp dport 25 reject\n"
		     "meta l4proto 1 reject\n");
}

static void denied_ports_come_before_the_routes(void **state)
{
	(void)state;
	expect_rules("10.11.0.0/16", NULL, "!(tcp(25))", true,
		     "tcp dport 25 reject\n"
		     "ip daddr 10.11.0.0/16 accept\n"
		     " reject\n");
}

static void a_port_that_cannot_be_opens_nothing(void **state)
{
	(void)state;
	expect_rules(NULL, NULL, "tcp(99999)", false, " reject\n");
}

static void networks_within_others_are_left_out(void **state)
{
	(void)state;
	expect_rules("10.1.2.3/32 10.1.2.0/24 10.0.0.0/8 10.0.0.0/8 9.0.0.0/9", NULL, NULL, true,
		     "ip daddr 9.0.0.0/9 accept\n"
		     "ip daddr 10.0.0.0/8 accept\n"
		     " reject\n");
	/* A network that is the beginning of another, but not around it. */
	expect_rules("10.1.0.0/16 10.1.0.1/32 10.2.0.0/16 10.2.255.255/32", NULL, NULL, true,
		     "ip daddr 10.1.0.0/16 accept\n"
		     "ip daddr 10.2.0.0/16 accept\n"
		     " reject\n");
}

static void long_lists_are_sets(void **state)
{
	struct rig rig;
	char text[32];

	(void)state;
	rig_init(&rig, "", NULL, "!(tcp(1))");
	for (int i = 0; i < 17; i++) {
		snprintf(text, sizeof text, "10.%d.0.0/16", i);
		add_routes(&rig, &rig.routes, text);
	}
	assert_string_equal(chain_of(&rig, "session"),
			    "tcp dport 1 reject\n"
			    "ip daddr . meta nfproto @routes4_vpns0 accept\n"
			    " reject\n");
	assert_true(text_has(&rig, "set inet t routes4_vpns0 { type ipv4_addr . nf_proto; flags "
				   "interval; elements = { 10.0.0.0/16 . ipv4, 10.1.0.0/16"));
	talloc_free(rig.ctx);
}

/* What adding makes, removing takes away: each set and chain is named there. */
static void removing_names_all_that_adding_makes(void **state)
{
	static const char *const names[] = { "chain inet t session_d",
					     "chain inet t routes_d",
					     "set inet t routes4_d",
					     "set inet t routes6_d",
					     "set inet t noroutes4_d",
					     "set inet t noroutes6_d",
					     "set inet t allow_d",
					     "set inet t deny_d",
					     "element inet t sessions { \"d\" }" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct buf text;

	(void)state;
	buf_init(&text, ctx, FW_TEXT_MAX);
	fw_rules_del(&text, "t", "d");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_non_null(strstr(text.data, talloc_asprintf(ctx, "\ndelete %s\n", names[i])));
	talloc_free(ctx);
}

static void only_plain_device_names_are_taken(void **state)
{
	(void)state;
	assert_true(fw_device_ok("vpns0") && fw_device_ok("a.b-c_d"));
	assert_false(fw_device_ok("") || fw_device_ok("vpns0123456789ab"));
	assert_false(fw_device_ok("a\"b") || fw_device_ok("vpns*") || fw_device_ok("a b"));
}

static void tables_tell_servers_apart(void **state)
{
	char a[FW_TABLE], b[FW_TABLE], again[FW_TABLE];

	(void)state;
	fw_table_name(a, "/etc/a.conf 443");
	fw_table_name(b, "/etc/a.conf 444");
	fw_table_name(again, "/etc/a.conf 443");
	assert_string_equal(a, again);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), strlen("sallyport_12345678"));
}

static void devices_are_read_from_a_listing(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct strv got = { 0 };

	(void)state;
	assert_int_equal(fw_rules_devices(ctx,
					  "map sessions {\n elements = { \"vpns0\" : jump "
					  "session_vpns0,\n \"vpns12\" : jump x, \"a;b\" : y } \"",
					  &got),
			 ERR_OK);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.item[0], "vpns0");
	assert_string_equal(got.item[1], "vpns12");
	talloc_free(ctx);
}

/* ---- the environment ----------------------------------------------------- */

/* Reads all variables; FIRST comes before them. */
static enum err read_env(TALLOC_CTX *ctx, const char *first, struct fw_rules *rules,
			 const char **why)
{
	char *env[] = { talloc_strdup(ctx, first),
			talloc_strdup(ctx, "DEVICE=vpns3"),
			talloc_strdup(ctx, "OCSERV_RESTRICT_TO_ROUTES=1"),
			talloc_strdup(ctx, "OCSERV_ROUTES=10.11.0.0/255.255.0.0 fd00::/64 "),
			talloc_strdup(ctx, "OCSERV_ROUTES6=fd00::/64 "),
			talloc_strdup(ctx, "OCSERV_NO_ROUTES=10.11.5.0/24 "),
			talloc_strdup(ctx, "OCSERV_DNS=10.0.0.53 fd00::53 "),
			talloc_strdup(ctx, "OCSERV_ALLOW_PORTS=tcp 443 icmp all "),
			talloc_strdup(ctx, "OCSERV_DENY_PORTS=esp all udp 99999"),
			NULL };

	return fw_env_read(ctx, env, rules, why);
}

/* Checklist 166. */
static void the_environment_gives_the_rules_back(void **state)
{
	struct rig rig = { .ctx = talloc_new(NULL) };
	const char *why;

	(void)state;
	assert_int_equal(read_env(rig.ctx, "X=1", &rig.rules, &why), ERR_OK);
	assert_string_equal(rig.rules.device, "vpns3");
	assert_true(rig.rules.restrict_to_routes);
	assert_int_equal(rig.rules.routes->n, 2);
	assert_int_equal(rig.rules.routes->item[0].net.prefix, 16);
	assert_int_equal(rig.rules.no_routes->n, 1);
	assert_int_equal(rig.rules.dns->n, 2);
	assert_int_equal(rig.rules.ports->n, 4);
	assert_int_equal(rig.rules.ports->item[0].port, 443);
	assert_false(rig.rules.ports->item[1].negate);
	assert_int_equal(rig.rules.ports->item[2].proto, CONF_PROTO_ESP);
	assert_true(rig.rules.ports->item[3].negate);
	talloc_free(rig.ctx);
}

static void what_cannot_be_read_is_named(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct fw_rules rules;
	const char *why;

	(void)state;
	assert_int_equal(read_env(ctx, "OCSERV_ROUTES=10.0.0.0/255.0.255.0 ", &rules, &why),
			 ERR_SYNTAX);
	assert_string_equal(why, "OCSERV_ROUTES has '10.0.0.0/255.0.255.0'");
	assert_int_equal(read_env(ctx, "DEVICE=", &rules, &why), ERR_SYNTAX);
	assert_string_equal(why, "DEVICE has ''");
	assert_int_equal(read_env(ctx, "OCSERV_DENY_PORTS=tcp 443 icmp", &rules, &why), ERR_SYNTAX);
	assert_string_equal(why, "OCSERV_DENY_PORTS has 'icmp'");
	talloc_free(ctx);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_open_and_the_rest_rejected),
		cmocka_unit_test(no_routes_at_all_need_no_rules),
		cmocka_unit_test(an_allow_list_leads_to_the_route_check),
		cmocka_unit_test(ports_alone_do_not_look_at_routes),
		cmocka_unit_test(denied_ports_come_before_the_routes),
		cmocka_unit_test(a_port_that_cannot_be_opens_nothing),
		cmocka_unit_test(networks_within_others_are_left_out),
		cmocka_unit_test(long_lists_are_sets),
		cmocka_unit_test(removing_names_all_that_adding_makes),
		cmocka_unit_test(only_plain_device_names_are_taken),
		cmocka_unit_test(tables_tell_servers_apart),
		cmocka_unit_test(devices_are_read_from_a_listing),
		cmocka_unit_test(the_environment_gives_the_rules_back),
		cmocka_unit_test(what_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
