/* profile.c - announces and serves the one profile of a user.  The name in an URL chooses nothing.
 */
#include "worker/http/profile.h"

#include <string.h>
#include <strings.h>

#include <gnutls/crypto.h>

#define PROFILE_NAME "profile.xml"

enum { SHA1 = 20 };

static void announce(const struct http_profile *profile, struct profile_note *out)
{
	uint8_t digest[SHA1];

	if (!profile->len ||
	    gnutls_hash_fast(GNUTLS_DIG_SHA1, profile->data, profile->len, digest) < 0)
		return;
	hex_encode(digest, sizeof digest, out->sha1);
	for (char *c = out->sha1; *c; c++)
		if (*c >= 'a' && *c <= 'f')
			*c = (char)(*c - 'a' + 'A');
	out->name = PROFILE_NAME;
	out->uri = "/profiles/" PROFILE_NAME;
}

void profile_announce(const struct exchange *x, const struct login_answer *a,
		      struct profile_note *out)
{
	*out = (struct profile_note){ .name = NULL };
	announce(a->own_profile ? &a->profile : &x->d->profile, out);
}

/* A slash, also as openconnect leaves it in the URL it has from the webvpnc cookie, or the end. */
static bool is_end(const char *rest)
{
	return *rest == '\0' || *rest == '/' || strncasecmp(rest, "%2f", 3) == 0;
}

bool profile_is_path(const char *path)
{
	static const char *const folders[] = { "/profiles", "/CACHE/stc/profiles" };

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (str_starts(path, folders[i]) && is_end(path + strlen(folders[i])))
			return true;
	return false;
}

enum err profile_handle(struct exchange *x)
{
	const struct recall_ask ask = { .client = x->client, .profile = true };
	struct recall_answer known = { .ticket = false };
	const struct http_profile *profile;
	enum err err = ERR_OK;

	if (x->client->has_ticket)
		err = x->d->env->recall(x->d->arg, x->ctx, &ask, &known);
	if (err)
		return err;
	profile = known.own_profile ? &known.profile : &x->d->profile;
	if (!known.ticket || !profile->len) {
		exchange_not_found(x);
		return ERR_OK;
	}
	exchange_begin(x);
	http_resp_security(&x->resp, exchange_security(x), false);
	http_resp_body(&x->resp, "text/xml", (const char *)profile->data, profile->len);
	return ERR_OK;
}
