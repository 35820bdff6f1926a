/* compress.c - one interface over LZS and LZ4.  Used by the data path. */
#include "worker/path/compress.h"

#include <lz4.h>

#include "wire/lzs.h"
#include "worker/path/lazy.h"

/* Only what is used is backed by memory: about 24 KiB for one algorithm and common packets. */
struct scratch {
	struct lzs_table lzs;
	LZ4_stream_t lz4;
	uint8_t packed[COMPRESS_HEADROOM + COMPRESS_MAX];
	uint8_t plain[COMPRESS_MAX];
};

struct compress {
	struct lazy *mem;
	struct scratch *s;
};

enum err compress_new(TALLOC_CTX *ctx, struct compress **out)
{
	struct compress *c = talloc_zero(ctx, struct compress);
	if (!c)
		return ERR_NOMEM;
	if (lazy_new(c, sizeof *c->s, &c->mem)) {
		talloc_free(c);
		return ERR_NOMEM;
	}
	c->s = (struct scratch *)(void *)c->mem->data;
	*out = c;
	return ERR_OK;
}

uint8_t *compress_pack(struct compress *c, enum cstp_encoding encoding, const uint8_t *pkt,
		       size_t len, size_t *out_len)
{
	uint8_t *out = c->s->packed + COMPRESS_HEADROOM;
	size_t n;
	if (len < 2 || len > COMPRESS_MAX)
		return NULL;
	if (encoding == CSTP_ENC_LZS) {
		n = lzs_compress(&c->s->lzs, pkt, len, out, len - 1);
	} else {
		int k = LZ4_compress_fast_extState(&c->s->lz4, (const char *)pkt, (char *)out,
						   (int)len, (int)len - 1, 1);
		n = k > 0 ? (size_t)k : 0;
	}
	if (n == 0)
		return NULL;
	*out_len = n;
	return out;
}

enum err compress_unpack(struct compress *c, enum cstp_encoding encoding, const uint8_t *data,
			 size_t len, const uint8_t **out, size_t *out_len)
{
	uint8_t *plain = c->s->plain;
	size_t n = 0;
	if (encoding == CSTP_ENC_LZS) {
		enum err err = lzs_decompress(data, len, plain, COMPRESS_MAX, &n);
		if (err)
			return err;
	} else {
		int k = len > INT32_MAX ? -1
					: LZ4_decompress_safe((const char *)data, (char *)plain,
							      (int)len, COMPRESS_MAX);
		n = k > 0 ? (size_t)k : 0;
	}
	if (n == 0)
		return ERR_SYNTAX;
	*out = plain;
	*out_len = n;
	return ERR_OK;
}

void compress_trim(struct compress *c)
{
	if (c)
		lazy_trim(c->mem);
}
