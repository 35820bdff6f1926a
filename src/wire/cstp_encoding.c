/* cstp_encoding.c - names and choice of compressions. */
#include "wire/cstp_encoding.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

unsigned cstp_encodings_parse(const char *list)
{
	unsigned bits = 0;

	while (list && *list) {
		list += strspn(list, ", \t");
		size_t n = strcspn(list, ", \t");
		if (n == 6 && strncasecmp(list, "oc-lz4", n) == 0)
			bits |= CSTP_ENC_LZ4;
		else if (n == 3 && strncasecmp(list, "lzs", n) == 0)
			bits |= CSTP_ENC_LZS;
		list += n;
	}
	return bits;
}

enum cstp_encoding cstp_encoding_choose(unsigned offered, uint32_t lz4, uint32_t lzs)
{
	if (offered & CSTP_ENC_LZ4 && (lz4 >= lzs || !(offered & CSTP_ENC_LZS)))
		return CSTP_ENC_LZ4;
	return offered & CSTP_ENC_LZS ? CSTP_ENC_LZS : CSTP_ENC_NONE;
}

const char *cstp_encoding_name(enum cstp_encoding encoding)
{
	switch (encoding) {
	case CSTP_ENC_LZ4:
		return "oc-lz4";
	case CSTP_ENC_LZS:
		return "lzs";
	case CSTP_ENC_NONE:
		break;
	}
	return NULL;
}
