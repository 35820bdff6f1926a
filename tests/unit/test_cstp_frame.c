/* test_cstp_frame.c - frames however the stream is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/cstp_frame.h"

/* protocol.md 5.6: DPD-REQ, BYE of openconnect, KEEPALIVE. */
static const uint8_t example[] = {
	0x53, 0x54, 0x46, 0x01, 0x00, 0x00, 0x03, 0x00, /* DPD-REQ */
	0x53, 0x54, 0x46, 0x01, 0x00, 0x12, 0x05, 0x00, 0xb0, 0x41, 0x62, 0x6f,
	0x72, 0x74, 0x65, 0x64, 0x20, 0x62, 0x79, 0x20, 0x63, 0x61, 0x6c, 0x6c,
	0x65, 0x72, 0x53, 0x54, 0x46, 0x01, 0x00, 0x00, 0x07, 0x00, /* KEEPALIVE */
};

static void check_example(const struct cstp_frame *f, unsigned n)
{
	static const uint8_t types[] = { CSTP_DPD_REQ, CSTP_DISCONNECT, CSTP_KEEPALIVE };
	struct cstp_bye bye;

	assert_true(n < 3);
	assert_int_equal(f->type, types[n]);
	assert_int_equal(f->len, n == 1 ? 18 : 0);
	if (n == 1) {
		cstp_bye_parse(f->data, f->len, &bye);
		assert_int_equal(bye.reason, CSTP_BYE_USER);
		assert_string_equal(bye.text, "Aborted by caller");
	}
}

/* Feeds the example in pieces of STEP bytes. */
static void feed_in_steps(size_t step)
{
	struct cstp_stream *s = cstp_stream_new(NULL);
	struct cstp_frame f;
	unsigned n = 0;

	for (size_t i = 0; i < sizeof example; i += step) {
		const uint8_t *data = example + i;
		size_t len = sizeof example - i < step ? sizeof example - i : step;
		enum err err;
		while ((err = cstp_stream_next(s, &data, &len, &f)) == ERR_OK)
			check_example(&f, n++);
		assert_int_equal(err, ERR_AGAIN);
		assert_int_equal(len, 0);
	}
	assert_int_equal(n, 3);
	talloc_free(s);
}

static void frames_are_found_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t step = 1; step <= sizeof example; step++)
		feed_in_steps(step);
}

static void whole_frames_are_not_copied(void **state)
{
	struct cstp_stream *s = cstp_stream_new(NULL);
	const uint8_t *data = example;
	size_t len = sizeof example;
	struct cstp_frame f;

	(void)state;
	assert_int_equal(cstp_stream_next(s, &data, &len, &f), ERR_OK);
	assert_int_equal(cstp_stream_next(s, &data, &len, &f), ERR_OK);
	assert_ptr_equal(f.data, example + 16);
	assert_int_equal(talloc_total_blocks(s), 1);
	talloc_free(s);
}

static void a_header_goes_both_ways(void **state)
{
	uint8_t header[CSTP_HEADER], type;
	size_t len;

	(void)state;
	cstp_header_build(header, CSTP_DATA, 0x1234);
	assert_memory_equal(header, "STF\1\x12\x34\0\0", 8);
	assert_int_equal(cstp_header_parse(header, &type, &len), ERR_OK);
	assert_int_equal(type, CSTP_DATA);
	assert_int_equal(len, 0x1234);
}

static void bad_headers_end_the_tunnel(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum err err;
	} rows[] = {
		{ 0, 'X', ERR_PROTO },	   { 1, 0, ERR_PROTO }, { 2, 'f', ERR_PROTO },
		{ 3, 2, ERR_PROTO },	   { 7, 1, ERR_PROTO }, { 4, 0x41, ERR_TOO_LONG },
		{ 4, 0xff, ERR_TOO_LONG }, { 6, 0x7f, ERR_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cstp_stream *s = cstp_stream_new(NULL);
		uint8_t header[CSTP_HEADER];
		const uint8_t *data = header;
		size_t len = 5;
		struct cstp_frame f;
		cstp_header_build(header, CSTP_KEEPALIVE, 0);
		header[rows[i].at] = rows[i].value;
		assert_int_equal(cstp_stream_next(s, &data, &len, &f), ERR_AGAIN);
		len = 3;
		assert_int_equal(cstp_stream_next(s, &data, &len, &f), rows[i].err);
		data = header;
		len = sizeof header;
		talloc_free(s);
		s = cstp_stream_new(NULL);
		assert_int_equal(cstp_stream_next(s, &data, &len, &f), rows[i].err);
		talloc_free(s);
	}
}

static void the_largest_frame_passes_in_pieces(void **state)
{
	struct cstp_stream *s = cstp_stream_new(NULL);
	static uint8_t frame[CSTP_HEADER + CSTP_PAYLOAD_MAX];
	const uint8_t *data = frame;
	size_t len = 1000;
	struct cstp_frame f;

	(void)state;
	cstp_header_build(frame, CSTP_DATA, CSTP_PAYLOAD_MAX);
	frame[sizeof frame - 1] = 0x77;
	assert_int_equal(cstp_stream_next(s, &data, &len, &f), ERR_AGAIN);
	len = sizeof frame - 1000;
	assert_int_equal(cstp_stream_next(s, &data, &len, &f), ERR_OK);
	assert_int_equal(f.len, CSTP_PAYLOAD_MAX);
	assert_int_equal(f.data[f.len - 1], 0x77);
	talloc_free(s);
}

static void a_bye_may_be_empty_or_dirty(void **state)
{
	struct cstp_bye bye;
	uint8_t longest[400];

	(void)state;
	cstp_bye_parse(NULL, 0, &bye);
	assert_int_equal(bye.reason, CSTP_BYE_NONE);
	assert_string_equal(bye.text, "");
	cstp_bye_parse((const uint8_t *)"\x91"
					"a\n\xff"
					"b",
		       5, &bye);
	assert_int_equal(bye.reason, CSTP_BYE_RECONNECT);
	assert_string_equal(bye.text, "ab");
	memset(longest, 'x', sizeof longest);
	cstp_bye_parse(longest, sizeof longest, &bye);
	assert_int_equal(strlen(bye.text), sizeof bye.text - 1);
}

static void dtls_frames_have_one_byte_in_front(void **state)
{
	struct cstp_frame f;

	(void)state;
	assert_int_equal(dtls_frame_parse((const uint8_t *)"", 0, &f), ERR_SYNTAX);
	assert_int_equal(dtls_frame_parse((const uint8_t *)"\3ab", 3, &f), ERR_OK);
	assert_int_equal(f.type, CSTP_DPD_REQ);
	assert_int_equal(f.len, 2);
	assert_int_equal(f.data[1], 'b');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_found_however_they_are_cut),
		cmocka_unit_test(whole_frames_are_not_copied),
		cmocka_unit_test(a_header_goes_both_ways),
		cmocka_unit_test(bad_headers_end_the_tunnel),
		cmocka_unit_test(the_largest_frame_passes_in_pieces),
		cmocka_unit_test(a_bye_may_be_empty_or_dirty),
		cmocka_unit_test(dtls_frames_have_one_byte_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
