/* test_lzs.c - the LZS bit stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/lzs.h"

enum { PACKET = 16384 };

/* Bits for streams that no compressor makes. */
struct stream {
	uint8_t byte[64];
	size_t n; /* bits */
};

static void add(struct stream *s, unsigned value, unsigned bits)
{
	while (bits--) {
		if (value >> bits & 1)
			s->byte[s->n / 8] |= (uint8_t)(0x80 >> s->n % 8);
		s->n++;
	}
}

static size_t size(const struct stream *s)
{
	return (s->n + 7) / 8;
}

/* The same text on both sides of the specification's vectors. */
static void vector(const char *plain, size_t len, const char *packed, size_t packed_len)
{
	static struct lzs_table t;
	uint8_t out[256];
	size_t n = 0;

	assert_int_equal(lzs_decompress((const uint8_t *)packed, packed_len, out, sizeof out, &n),
			 ERR_OK);
	assert_int_equal(n, len);
	assert_memory_equal(out, plain, len);
	assert_int_equal(lzs_compress(&t, (const uint8_t *)plain, len, out, sizeof out),
			 packed_len);
	assert_memory_equal(out, packed, packed_len);
}

/* protocol 80 (5.9). */
static void the_vectors_of_the_specification_hold_both_ways(void **state)
{
	char zeros[60] = { 0 };

	(void)state;
	vector("abc", 3, "\x30\x98\x8c\x78\x00", 5);
	vector("aaaaaaaaaa", 10, "\x30\xe0\x7c\x70\x00", 5);
	vector("abcdabcdabcdabcdabcdabcdabcdabcd", 32, "\x30\x98\x8c\x66\x4c\x27\xfa\xe0\x00", 9);
	vector(zeros, sizeof zeros, "\x00\x60\x7f\xff\xdb\x00", 6);
}

/* IN comes back, from memory of just the right sizes. */
static size_t round_trip(struct lzs_table *t, const uint8_t *in, size_t len)
{
	static uint8_t packed[PACKET * 2], plain[PACKET];
	size_t n = lzs_compress(t, in, len, packed, sizeof packed), back = 0;
	uint8_t *exact = malloc(n ? n : 1);

	assert_non_null(exact);
	if (n) {
		memcpy(exact, packed, n);
		assert_int_equal(lzs_decompress(exact, n, plain, len, &back), ERR_OK);
		assert_int_equal(back, len);
		assert_memory_equal(plain, in, len);
		/* One byte less, and it is no stream any more, or the output does not fit. */
		assert_int_not_equal(lzs_decompress(exact, n - 1, plain, len, &back), ERR_OK);
		assert_int_equal(lzs_decompress(exact, n, plain, len - 1, &back), ERR_TOO_LONG);
	}
	free(exact);
	return n;
}

static void every_length_of_a_match_survives(void **state)
{
	static struct lzs_table t;
	uint8_t in[700];

	(void)state;
	for (size_t len = 1; len <= sizeof in; len++) {
		memset(in, 'x', len);
		assert_int_not_equal(round_trip(&t, in, len), 0);
	}
}

/* The same four bytes at both ends; what is between repeats nowhere. */
static void every_offset_survives(void **state)
{
	static struct lzs_table t;
	static uint8_t in[2200];

	(void)state;
	for (size_t gap = 4; gap + 8 < sizeof in; gap += gap < 140 || gap > 1980 ? 1 : 97) {
		for (size_t i = 0; i < gap; i++)
			in[i] = (uint8_t)(i * 7 + i / 256 * 13);
		memcpy(in, "@#$%", 4);
		memcpy(in + gap, "@#$%", 4);
		(void)round_trip(&t, in, gap + 4);
	}
}

static void mixed_data_survives_and_shrinks(void **state)
{
	static struct lzs_table t;
	static uint8_t in[PACKET];
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		size_t len = 1 + round * 7 % 1500;
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			in[i] = (uint8_t)(seed >> 16 & (round % 4 == 0 ? 255 : 3));
		}
		size_t n = round_trip(&t, in, len);
		if (round % 4 && len > 200)
			assert_in_range(n, 1, len * 3 / 4);
	}
	memset(in, 0, sizeof in);
	assert_true(round_trip(&t, in, sizeof in) < 700);
}

static void noise_is_given_up(void **state)
{
	static struct lzs_table t;
	uint8_t in[1400], out[1400];
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < sizeof in; i++) {
		seed = seed * 1103515245 + 12345;
		in[i] = (uint8_t)(seed >> 16);
	}
	memset(out, 0, sizeof out);
	assert_int_equal(lzs_compress(&t, in, sizeof in, out, sizeof in - 1), 0);
	/* After half a kilobyte, not at the end. */
	for (size_t i = 700; i < sizeof out; i++)
		assert_int_equal(out[i], 0);
	/* Short ones, too, are not made longer. */
	assert_int_equal(lzs_compress(&t, in, 100, out, 99), 0);
}

/* Nothing is written beyond the room there is, however little. */
static void the_output_ends_where_its_room_ends(void **state)
{
	static struct lzs_table t;
	uint8_t in[300], out[400];

	(void)state;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i % 50 * 5);
	size_t whole = lzs_compress(&t, in, sizeof in, out, sizeof out);
	assert_true(whole > 50);
	for (size_t cap = 0; cap < whole; cap++) {
		memset(out, 0xee, sizeof out);
		assert_int_equal(lzs_compress(&t, in, sizeof in, out, cap), 0);
		for (size_t i = cap; i < sizeof out; i++)
			assert_int_equal(out[i], 0xee);
	}
	assert_int_equal(lzs_compress(&t, in, sizeof in, out, whole), whole);
	assert_int_equal(lzs_compress(&t, in, 0, out, sizeof out), 0);
}

/* "U?@" is not looked up at its first place, inside a match, so that its second one finds nothing;
 * a table that remembers the packet before it would. */
static void packets_know_nothing_of_each_other(void **state)
{
	static const uint8_t before[] = "abcdefghijkU?@3", in[] = "PQRSTUPQRSTU?@1U?@2";
	struct lzs_table fresh = { 0 };
	uint8_t want[64], out[64];
	size_t n = lzs_compress(&fresh, in, sizeof in, want, sizeof want);

	(void)state;
	assert_int_not_equal(n, 0);
	for (unsigned round = 0; round < 2; round++) {
		struct lzs_table used = { 0 };

		assert_int_not_equal(lzs_compress(&used, before, sizeof before, out, sizeof out),
				     0);
		if (round == 1) /* the count of all bytes comes to its end */
			used.base = UINT32_MAX - 1000;
		assert_int_equal(lzs_compress(&used, in, sizeof in, out, sizeof out), n);
		assert_memory_equal(out, want, n);
		assert_in_range(used.base, 1, 1000);
	}
}

static enum err decode(const struct stream *s, size_t cap)
{
	uint8_t out[PACKET];
	size_t n;

	return lzs_decompress(s->byte, size(s), out, cap, &n);
}

/* protocol.md 10.35. */
static void malformed_streams_are_refused(void **state)
{
	struct stream empty = { 0 }, unfinished = { 0 }, before = { 0 }, zero = { 0 }, cut = { 0 };

	(void)state;
	assert_int_equal(decode(&empty, 100), ERR_SYNTAX);
	add(&unfinished, 'a', 9);
	assert_int_equal(decode(&unfinished, 100), ERR_SYNTAX);
	add(&before, 'a', 9);
	add(&before, 3 << 7 | 2, 9); /* two back where there is one */
	add(&before, 0, 2);
	add(&before, 3 << 7, 9);
	assert_int_equal(decode(&before, 100), ERR_SYNTAX);
	add(&zero, 'a', 9);
	add(&zero, 2 << 11, 13); /* offset 0 in the long form is no end */
	add(&zero, 0, 2);
	add(&zero, 3 << 7, 9);
	assert_int_equal(decode(&zero, 100), ERR_SYNTAX);
	add(&cut, 'a', 9);
	add(&cut, 3 << 7 | 1, 9);
	add(&cut, 0xf, 4);
	assert_int_equal(decode(&cut, 100), ERR_SYNTAX);
}

static void a_chain_of_lengths_ends_at_the_limit(void **state)
{
	struct stream s = { 0 };

	(void)state;
	add(&s, 'a', 9);
	add(&s, 3 << 7 | 1, 9);
	add(&s, 0xf, 4);
	while (s.n + 4 <= sizeof s.byte * 8)
		add(&s, 15, 4);
	assert_int_equal(decode(&s, 100), ERR_TOO_LONG);
	assert_int_equal(decode(&s, PACKET), ERR_SYNTAX); /* it fits as far as it goes */
}

/* Noise, and a run that begins about where a packet that has not shrunk is given up. */
static void a_packet_that_fills_the_room_there_is_not_cut(void **state)
{
	static struct lzs_table t;
	uint8_t in[640], packed[sizeof in], plain[sizeof in];
	uint32_t x = 1;

	(void)state;
	for (size_t noise = 400; noise < 520; noise++) {
		for (size_t i = 0; i < sizeof in; i++) {
			x = x * 1664525 + 1013904223;
			in[i] = i < noise ? (uint8_t)(x >> 24) : 'B';
		}
		for (size_t len = noise + 1; len <= noise + 100; len++) {
			size_t n = lzs_compress(&t, in, len, packed, len - 1), back = 0;

			if (!n)
				continue;
			assert_int_equal(lzs_decompress(packed, n, plain, len, &back), ERR_OK);
			assert_int_equal(back, len);
			assert_memory_equal(plain, in, len);
		}
	}
}

static void output_beyond_its_limit_is_refused(void **state)
{
	struct stream literals = { 0 }, match = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		add(&literals, 'a', 9);
	add(&literals, 3 << 7, 9);
	assert_int_equal(decode(&literals, 4), ERR_OK);
	assert_int_equal(decode(&literals, 3), ERR_TOO_LONG);
	add(&match, 'a', 9);
	add(&match, 3 << 7 | 1, 9);
	add(&match, 2, 2);
	add(&match, 3 << 7, 9);
	assert_int_equal(decode(&match, 5), ERR_OK);
	assert_int_equal(decode(&match, 4), ERR_TOO_LONG);
}

static void bytes_behind_the_end_count_for_nothing(void **state)
{
	static const uint8_t in[] = { 0x30, 0x98, 0x8c, 0x78, 0x00, 0xff, 0x12 };
	uint8_t out[8];
	size_t n;

	(void)state;
	assert_int_equal(lzs_decompress(in, sizeof in, out, sizeof out, &n), ERR_OK);
	assert_int_equal(n, 3);
	assert_memory_equal(out, "abc", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_specification_hold_both_ways),
		cmocka_unit_test(every_length_of_a_match_survives),
		cmocka_unit_test(every_offset_survives),
		cmocka_unit_test(mixed_data_survives_and_shrinks),
		cmocka_unit_test(noise_is_given_up),
		cmocka_unit_test(the_output_ends_where_its_room_ends),
		cmocka_unit_test(packets_know_nothing_of_each_other),
		cmocka_unit_test(malformed_streams_are_refused),
		cmocka_unit_test(a_chain_of_lengths_ends_at_the_limit),
		cmocka_unit_test(a_packet_that_fills_the_room_there_is_not_cut),
		cmocka_unit_test(output_beyond_its_limit_is_refused),
		cmocka_unit_test(bytes_behind_the_end_count_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
