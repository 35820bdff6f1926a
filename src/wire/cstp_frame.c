/* cstp_frame.c - CSTP and DTLS framing. */
#include "wire/cstp_frame.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

struct cstp_stream {
	uint8_t *piece; /* an unfinished frame: header and payload so far */
	size_t have;
};

void cstp_header_build(uint8_t out[CSTP_HEADER], enum cstp_type type, size_t len)
{
	const uint8_t header[CSTP_HEADER] = {
		'S', 'T', 'F', 1, (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)type, 0,
	};

	memcpy(out, header, sizeof header);
}

enum err cstp_header_parse(const uint8_t in[CSTP_HEADER], uint8_t *type, size_t *len)
{
	size_t n = get_be16(in + 4);

	if (memcmp(in, "STF\1", 4) != 0 || in[7] != 0)
		return ERR_PROTO;
	if (n > CSTP_PAYLOAD_MAX)
		return ERR_TOO_LONG;
	*type = in[6];
	*len = n;
	return ERR_OK;
}

struct cstp_stream *cstp_stream_new(TALLOC_CTX *ctx)
{
	return talloc_zero(ctx, struct cstp_stream);
}

/* Moves bytes into the piece until it holds WANT of them. */
static enum err gather(struct cstp_stream *s, size_t want, const uint8_t **data, size_t *len)
{
	size_t n = s->have < want ? want - s->have : 0;

	if (!s->piece)
		s->piece = talloc_array(s, uint8_t, CSTP_HEADER + CSTP_PAYLOAD_MAX);
	if (!s->piece)
		return ERR_NOMEM;
	n = n < *len ? n : *len;
	if (n)
		memcpy(s->piece + s->have, *data, n);
	s->have += n;
	*data += n;
	*len -= n;
	return s->have < want ? ERR_AGAIN : ERR_OK;
}

/* The usual case: a whole frame lies in the input, nothing is copied. */
static bool next_in_place(const uint8_t **data, size_t *len, struct cstp_frame *frame,
			  enum err *err)
{
	size_t payload;

	if (*len < CSTP_HEADER)
		return false;
	*err = cstp_header_parse(*data, &frame->type, &payload);
	if (*err)
		return true;
	if (*len - CSTP_HEADER < payload)
		return false;
	frame->data = *data + CSTP_HEADER;
	frame->len = payload;
	*data += CSTP_HEADER + payload;
	*len -= CSTP_HEADER + payload;
	return true;
}

enum err cstp_stream_next(struct cstp_stream *s, const uint8_t **data, size_t *len,
			  struct cstp_frame *frame)
{
	size_t payload;
	enum err err;

	if (!s->have && next_in_place(data, len, frame, &err))
		return err;
	if (!*len)
		return ERR_AGAIN;
	err = gather(s, CSTP_HEADER, data, len);
	if (!err)
		err = cstp_header_parse(s->piece, &frame->type, &payload);
	if (!err)
		err = gather(s, CSTP_HEADER + payload, data, len);
	if (err)
		return err;
	frame->data = s->piece + CSTP_HEADER;
	frame->len = payload;
	s->have = 0;
	return ERR_OK;
}

void cstp_bye_parse(const uint8_t *data, size_t len, struct cstp_bye *out)
{
	size_t n = 0;

	out->reason = len ? data[0] : CSTP_BYE_NONE;
	for (size_t i = 1; i < len && n < sizeof out->text - 1; i++)
		if (data[i] >= 0x20 && data[i] < 0x7f)
			out->text[n++] = (char)data[i];
	out->text[n] = '\0';
}

enum err dtls_frame_parse(const uint8_t *data, size_t len, struct cstp_frame *frame)
{
	if (!len)
		return ERR_SYNTAX;
	*frame = (struct cstp_frame){ .type = data[0], .data = data + 1, .len = len - 1 };
	return ERR_OK;
}
