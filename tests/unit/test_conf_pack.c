/* test_conf_pack.c - rows on their way to other processes. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/conf_help.h"

#include "conf/pack.h"

#define CONF_HOSTS                                                                                 \
	"key-pin = 1234\nconnect-script = /c\nroute = 10.0.0.0/8\nno-udp = true\n"                 \
	"[vhost:a]\nserver-key = /k\nserver-cert = /c\n[vhost:b]\nkeepalive = 5\nroute = default\n"

static void same_rows(const struct conf_rows *a, const struct conf_rows *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_string_equal(a->item[i].option, b->item[i].option);
		assert_string_equal(a->item[i].value, b->item[i].value);
		assert_string_equal(a->item[i].file, b->item[i].file);
		assert_int_equal(a->item[i].line, b->item[i].line);
		assert_int_equal(!a->item[i].vhost, !b->item[i].vhost);
		if (a->item[i].vhost)
			assert_string_equal(a->item[i].vhost, b->item[i].vhost);
	}
}

static void packed_rows_come_back_as_they_were(void **state)
{
	struct fixture f = fixture_new();
	struct conf_rows back;
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(fixture_load_more(&f, CONF_HOSTS), ERR_OK);
	assert_int_equal(conf_pack(f.ctx, &f.conf->rows, &data, &len), ERR_OK);
	assert_int_equal(conf_unpack(f.ctx, data, len, &back), ERR_OK);
	same_rows(&f.conf->rows, &back);
	talloc_free(f.ctx);
}

static void rows_in_a_message_come_back_as_they_were(void **state)
{
	struct fixture f = fixture_new();
	struct conf_rows back;
	ConfRow **msg;
	size_t n;

	(void)state;
	assert_int_equal(fixture_load_more(&f, CONF_HOSTS), ERR_OK);
	assert_int_equal(conf_rows_to_msg(f.ctx, &f.conf->rows, &msg, &n), ERR_OK);
	assert_int_equal(conf_rows_from_msg(f.ctx, msg, n, &back), ERR_OK);
	same_rows(&f.conf->rows, &back);
	talloc_free(f.ctx);
}

static void each_process_gets_its_rows_only(void **state)
{
	struct fixture f = fixture_new();
	struct conf_rows rows;
	struct conf *share;
	int fd;

	(void)state;
	assert_int_equal(fixture_load_more(&f, CONF_HOSTS), ERR_OK);
	assert_int_equal(conf_pack_fd(&f.conf->rows, CONF_TO_WORKER, &fd), ERR_OK);
	assert_int_equal(conf_unpack_fd(f.ctx, fd, &rows), ERR_OK);
	for (size_t i = 0; i < rows.n; i++) {
		const struct conf_option *o = conf_option_find(rows.item[i].option);

		assert_true(!*rows.item[i].option || (o && (o->to & CONF_TO_WORKER)));
		assert_null(strstr(rows.item[i].value, "1234"));
	}
	assert_int_equal(conf_from_rows(f.ctx, &rows, CONF_SHARE, NULL, &share), ERR_OK);
	assert_null(share->host[0]->key_pin);
	assert_null(share->connect_script);
	assert_true(share->host[0]->no_udp);
	close(fd);
	talloc_free(f.ctx);
}

/* No option that holds a secret key or its PIN may reach a worker. */
static void secrets_of_keys_do_not_go_to_workers(void **state)
{
	static const enum conf_opt opts[] = { CONF_OPT_key_pin, CONF_OPT_srk_pin, CONF_OPT_pin_file,
					      CONF_OPT_srk_pin_file, CONF_OPT_server_key };

	(void)state;
	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++)
		assert_int_equal(conf_options[opts[i]].to, CONF_TO_AUTH);
}

static void every_process_knows_the_same_hosts_in_the_same_order(void **state)
{
	static const unsigned receivers[] = { CONF_TO_SUPER, CONF_TO_MAIN, CONF_TO_AUTH,
					      CONF_TO_WORKER };
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load_more(&f, CONF_HOSTS), ERR_OK);
	for (size_t i = 0; i < 4; i++) {
		struct conf_rows rows;
		struct conf *share;

		assert_int_equal(conf_rows_filter(f.ctx, &f.conf->rows, receivers[i], &rows),
				 ERR_OK);
		assert_int_equal(conf_from_rows(f.ctx, &rows, CONF_SHARE, NULL, &share), ERR_OK);
		assert_int_equal(share->n_hosts, 3);
		assert_string_equal(share->host[1]->name, "a");
		assert_string_equal(share->host[2]->name, "b");
	}
	talloc_free(f.ctx);
}

static void a_share_has_the_same_values_as_the_whole(void **state)
{
	struct fixture f = fixture_new();
	struct conf_rows rows;
	struct conf *share;

	(void)state;
	assert_int_equal(fixture_load_more(&f, CONF_HOSTS "dpd = 4\nmobile-dpd = 0\n"
							  "cisco-client-compat = true\n"),
			 ERR_OK);
	assert_int_equal(conf_rows_filter(f.ctx, &f.conf->rows, CONF_TO_WORKER, &rows), ERR_OK);
	assert_int_equal(conf_from_rows(f.ctx, &rows, CONF_SHARE, NULL, &share), ERR_OK);
	for (size_t i = 0; i < 3; i++) {
		const struct host_conf *a = f.conf->host[i], *b = share->host[i];

		assert_string_equal(a->tls_priorities, b->tls_priorities);
		assert_int_equal(a->mobile_dpd, b->mobile_dpd);
		assert_int_equal(a->keepalive, b->keepalive);
		assert_int_equal(a->route.n, b->route.n);
		assert_int_equal(a->select_group_by_url, b->select_group_by_url);
		/* A URL in it may have a PIN. */
		assert_int_equal(b->server_cert.n, 0);
	}
	talloc_free(f.ctx);
}

static void a_memory_file_cannot_be_changed(void **state)
{
	struct fixture f = fixture_new();
	struct conf_rows rows;
	int fd, plain = memfd_create("plain", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(fixture_load(&f, CONF_MINIMAL), ERR_OK);
	assert_int_equal(conf_pack_fd(&f.conf->rows, CONF_TO_AUTH, &fd), ERR_OK);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(conf_unpack_fd(f.ctx, plain, &rows), ERR_DENIED);
	close(fd);
	close(plain);
	talloc_free(f.ctx);
}

static void garbage_is_no_package(void **state)
{
	static const uint8_t bad[] = { 0x0a, 0xff, 0xff, 0xff, 0x7f, 'x' };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct conf_rows rows;

	(void)state;
	assert_int_equal(conf_unpack(ctx, bad, sizeof(bad), &rows), ERR_SYNTAX);
	assert_int_equal(conf_unpack(ctx, bad, (size_t)CONF_PACK_MAX + 1, &rows), ERR_TOO_LONG);
	assert_int_equal(conf_unpack(ctx, bad, 0, &rows), ERR_OK);
	assert_int_equal(rows.n, 0);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_rows_come_back_as_they_were),
		cmocka_unit_test(rows_in_a_message_come_back_as_they_were),
		cmocka_unit_test(each_process_gets_its_rows_only),
		cmocka_unit_test(secrets_of_keys_do_not_go_to_workers),
		cmocka_unit_test(every_process_knows_the_same_hosts_in_the_same_order),
		cmocka_unit_test(a_share_has_the_same_values_as_the_whole),
		cmocka_unit_test(a_memory_file_cannot_be_changed),
		cmocka_unit_test(garbage_is_no_package),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
