/* test_inet_csum.c - the checksum against the definition of RFC 1071. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "wire/inet_csum.h"

/* RFC 1071 1, word by word in network byte order. */
static uint16_t defined(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint16_t ours(uint64_t sum)
{
	uint8_t field[2];

	inet_csum_store(field, inet_csum_fold(sum));
	return get_be16(field);
}

static void any_length_and_alignment(void **state)
{
	uint8_t data[300];

	(void)state;
	srandom(1);
	for (unsigned round = 0; round < 2000; round++) {
		size_t from = (size_t)random() % 9, len = (size_t)random() % (sizeof data - 9);
		for (size_t i = 0; i < sizeof data; i++)
			data[i] = round % 3 ? (uint8_t)random() : 0xff;
		assert_int_equal(ours(inet_csum_add(0, data + from, len)),
				 defined(data + from, len));
	}
}

static void sums_of_parts_add_up(void **state)
{
	uint8_t data[64];
	uint64_t whole, parts;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(255 - i);
	whole = inet_csum_add(0, data, sizeof data);
	parts = inet_csum_join(inet_csum_add(0, data, 22), inet_csum_add(0, data + 22, 42));
	assert_int_equal(inet_csum_fold(whole), inet_csum_fold(parts));
	assert_int_equal(inet_csum_fold(inet_csum_add(UINT64_MAX, data, 8)),
			 inet_csum_fold(inet_csum_add(0, data, 8)));
}

static void ipv4_header_of_a_book(void **state)
{
	uint8_t ip[20] = { 0x45, 0, 0,	  0x73, 0, 0,	 0x40, 0,    0x40, 0x11,
			   1,	 2, 0xc0, 0xa8, 0, 0x01, 0xc0, 0xa8, 0,	   0xc7 };

	(void)state;
	inet_csum_ipv4(ip, sizeof ip);
	assert_int_equal(get_be16(ip + 10), 0xb861);
	assert_int_equal(inet_csum_fold(inet_csum_add(0, ip, sizeof ip)), 0xffff);
}

static void pseudo_headers_of_both_families(void **state)
{
	uint8_t ip[40], pseudo[40] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof ip; i++)
		ip[i] = (uint8_t)(i * 7);
	ip[0] = 0x45;
	memcpy(pseudo, ip + 12, 8);
	pseudo[9] = 17;
	put_be16(pseudo + 10, 1234);
	assert_int_equal(ours(inet_csum_pseudo(ip, 17, 1234)), defined(pseudo, 12));
	ip[0] = 0x60;
	memcpy(pseudo, ip + 8, 32);
	put_be32(pseudo + 32, 70000);
	put_be32(pseudo + 36, 6);
	assert_int_equal(ours(inet_csum_pseudo(ip, 6, 70000)), defined(pseudo, 40));
}

static void bytes_go_there_and_back(void **state)
{
	uint8_t b[8];

	(void)state;
	put_be64(b, UINT64_C(0x0102030405060708));
	assert_int_equal(b[0], 1);
	assert_int_equal(get_be16(b), 0x0102);
	assert_int_equal(get_be32(b + 4), 0x05060708);
	assert_true(get_be64(b) == UINT64_C(0x0102030405060708));
	put_be16(b, 0x1fffe);
	assert_int_equal(get_be16(b), 0xfffe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_length_and_alignment),
		cmocka_unit_test(sums_of_parts_add_up),
		cmocka_unit_test(ipv4_header_of_a_book),
		cmocka_unit_test(pseudo_headers_of_both_families),
		cmocka_unit_test(bytes_go_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
