/* routes.c - the URL table. */
#include "worker/http/routes.h"

#include <string.h>

#include "base/str.h"
#include "wire/form.h"
#include "worker/http/connect.h"
#include "worker/http/kkdcp.h"
#include "worker/http/login.h"
#include "worker/http/phone.h"
#include "worker/http/profile.h"

#define XML_PROLOGUE   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define EMPTY_MANIFEST XML_PROLOGUE "<vpn rev=\"1.0\">\n</vpn>\n"
#define EMPTY_PAGE     "<html></html>"

/* Documents that AnyConnect fetches and that say "nothing to download" (protocol.md 3.4).  Paths
 * ending in '*' match every path that begins so. */
static const struct canned canned[] = {
	{ "/VPNManifest.xml", "text/xml", EMPTY_MANIFEST },
	{ "/1/VPNManifest.xml", "text/xml", EMPTY_MANIFEST },
	{ "/+CSCOT+/translation-table*", "text/xml", EMPTY_MANIFEST },
	{ "/+CSCOT+/oem-customization*", "text/xml", EMPTY_MANIFEST },
	{ "/1/index.html", "text/html", EMPTY_PAGE },
	{ "/1/Linux", "text/html", EMPTY_PAGE },
	{ "/1/Linux_64", "text/html", EMPTY_PAGE },
	{ "/1/Windows", "text/html", EMPTY_PAGE },
	{ "/1/Windows_ARM64", "text/html", EMPTY_PAGE },
	{ "/1/Darwin_i386", "text/html", EMPTY_PAGE },
	{ "/logout", "text/html", EMPTY_PAGE },
	{ "/1/binaries/update.txt", "text/plain", "0,0,0000\n" },
	{ "/1/binaries/vpndownloader.sh", "application/x-shellscript", "#!/bin/sh\n\nexit 0\n" },
};

/* Where the login dialogue lives, with and without a group. */
static const char *const login_paths[] = { "/", "/auth", "/VPN", "/+webvpn+/index.html" };

static const char *const tunnel_path = "/CSCOSSLC/tunnel";
static const char *const phone_path = "/svc";

/* GET rules: the entry itself, or the entry and '/' (the query is cut off already). */
static bool path_is(const char *path, const char *entry)
{
	size_t len = strlen(entry);

	if (entry[len - 1] == '*')
		return strncmp(path, entry, len - 1) == 0;
	return strncmp(path, entry, len) == 0 &&
	       (path[len] == '\0' || (path[len] == '/' && len > 1));
}

const struct canned *route_canned(const char *path)
{
	for (size_t i = 0; i < sizeof canned / sizeof canned[0]; i++)
		if (path_is(path, canned[i].path))
			return &canned[i];
	return NULL;
}

static bool is_login_path(const char *path)
{
	for (size_t i = 0; i < sizeof login_paths / sizeof login_paths[0]; i++)
		if (strcmp(path, login_paths[i]) == 0)
			return true;
	return false;
}

static bool is_login_get(const char *path)
{
	for (size_t i = 0; i < sizeof login_paths / sizeof login_paths[0]; i++)
		if (path_is(path, login_paths[i]))
			return true;
	return false;
}

void route_group_of(const char *path, char out[GROUP_NAME_MAX + 1])
{
	char name[HTTP_TARGET_MAX + 1];
	size_t len = strlen(path);

	out[0] = '\0';
	if (path[0] != '/' || len > HTTP_TARGET_MAX || is_login_path(path) ||
	    percent_decode(path + 1, len - 1, false, name))
		return;
	len = strlen(name);
	if (len && name[len - 1] == '/')
		name[--len] = '\0';
	if (len && len <= GROUP_NAME_MAX)
		memcpy(out, name, len + 1);
}

/* A group whose URL may be opened in a browser-like GET, too. */
static bool is_group(const struct http_dialogue *d, const char *name)
{
	const struct conf_groups *g = &d->host->select_group;

	if (!d->host->select_group_by_url && !d->host->cisco_client_compat)
		return false;
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->item[i].name, name) == 0 || strcmp(g->item[i].label, name) == 0)
			return true;
	return false;
}

static enum err send_canned(struct exchange *x, const struct canned *doc)
{
	/* Only with the ticket: GET /logout alone must not end anyone's session (4.13). */
	if (strcmp(doc->path, "/logout") == 0 && x->client->has_ticket) {
		enum err err = x->d->env->logout(x->d->arg, x->client->ticket);
		if (err)
			return err;
	}
	exchange_begin(x);
	http_resp_security(&x->resp, exchange_security(x), false);
	http_resp_body(&x->resp, doc->type, doc->body, strlen(doc->body));
	return ERR_OK;
}

/* Somebody who looks around, not a client: who logs in says what he speaks (protocol.md 3.8). */
static bool is_browser(const struct http_client *c)
{
	return c->agent.browser && !c->vpn_client && !c->aggregate_auth;
}

static enum err route_get(struct exchange *x)
{
	static const struct canned neutral = { "/", "text/html", EMPTY_PAGE };
	const struct canned *doc = route_canned(x->req->path);
	char group[GROUP_NAME_MAX + 1];

	if (is_login_get(x->req->path))
		return is_browser(x->client) ? send_canned(x, &neutral) : login_handle(x, "");
	if (doc)
		return send_canned(x, doc);
	route_group_of(x->req->path, group);
	if (group[0] && is_group(x->d, group))
		return login_handle(x, group);
	exchange_not_found(x);
	return ERR_OK;
}

/* Any unknown path begins a login with the path as candidate of a group; after the login it does
 * not. */
static enum err route_post(struct exchange *x)
{
	char group[GROUP_NAME_MAX + 1];

	route_group_of(x->req->path, group);
	if (x->d->authenticated && !is_login_path(x->req->path)) {
		exchange_not_found(x);
		return ERR_OK;
	}
	return login_handle(x, group);
}

enum err route_request(struct exchange *x)
{
	if (x->req->method != HTTP_CONNECT && kkdcp_has(x->d->host, x->req->path))
		return kkdcp_handle(x);
	if (x->req->method != HTTP_CONNECT && strcmp(x->req->path, phone_path) == 0)
		return phone_handle(x);
	if (x->req->method == HTTP_GET && profile_is_path(x->req->path))
		return profile_handle(x);
	switch (x->req->method) {
	case HTTP_GET:
		return route_get(x);
	case HTTP_POST:
		return route_post(x);
	case HTTP_CONNECT:
		if (strcmp(x->req->path, tunnel_path) == 0)
			return connect_handle(x);
		break;
	}
	exchange_not_found(x);
	return ERR_OK;
}
