/* url.h - PKCS#11 URLs (RFC 7512) as they may be shown.  Pure; used by auth and wherever
 * configuration is printed. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <talloc.h>

/* TEXT, a child of CTX, with "..." for the PIN when it is a PKCS#11 URL that has one; NULL without
 * memory. */
char *url_printable(TALLOC_CTX *ctx, const char *text);

#endif /* BASE_URL_H */
