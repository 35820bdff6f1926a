/* hello.c - the extensions of a ClientHello that we have to know early. */
#include "worker/hello.h"

#include <string.h>

#include "base/bytes.h"
#include "base/der.h"

enum { EXT_SERVER_NAME = 0, EXT_SESSION_TICKET = 35, EXT_PRE_SHARED_KEY = 41, NAME_DNS = 0 };

/* The SKIP bytes in front of a vector with two bytes of length, then that; empty if it is not
 * whole. */
static struct der vector(const uint8_t *p, size_t len, size_t skip)
{
	size_t n = len >= skip + 2 ? get_be16(p + skip) : 0;

	return n && n <= len - skip - 2 ? (struct der){ p + skip + 2, n } : (struct der){ NULL, 0 };
}

/* RFC 6066 3: a list of names, of which only one of each type may be there. */
static void take_name(struct hello *h, const uint8_t *p, size_t len)
{
	struct der list = vector(p, len, 0), name = { NULL, 0 };

	if (list.len && list.p[0] == NAME_DNS)
		name = vector(list.p, list.len, 1);
	if (!name.len || name.len >= sizeof h->name || memchr(name.p, '\0', name.len))
		return;
	memcpy(h->name, name.p, name.len);
	h->name[name.len] = '\0';
}

static void take_ticket(struct hello *h, struct der ticket, unsigned version)
{
	if (ticket.len < sizeof h->ticket)
		return;
	h->offers |= version;
	memcpy(h->ticket, ticket.p, sizeof h->ticket);
}

static int on_extension(void *arg, unsigned id, const unsigned char *data, unsigned len)
{
	struct hello *h = arg;

	switch (id) {
	case EXT_SERVER_NAME:
		take_name(h, data, len);
		break;
	case EXT_SESSION_TICKET:
		take_ticket(h, (struct der){ data, len }, HELLO_TLS12);
		break;
	case EXT_PRE_SHARED_KEY:
		/* RFC 8446 4.2.11: a list of identities, the newest first. */
		take_ticket(h, vector(data, len, 2), HELLO_TLS13);
		break;
	}
	return 0;
}

void hello_read(const gnutls_datum_t *msg, struct hello *out)
{
	*out = (struct hello){ .offers = 0 };
	(void)gnutls_ext_raw_parse(out, on_extension, msg, GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
}
