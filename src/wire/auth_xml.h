/* auth_xml.h - builds the XML documents of the login dialogue.
 * Pure; used by the worker.  protocol.md 4.4, 4.5, 4.10, 4.19.2.  Every text is escaped. */
#ifndef WIRE_AUTH_XML_H
#define WIRE_AUTH_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Names of the pieces clients rely on. */
#define AUTH_GROUP_NONE "default-select-group" /* option value that means "no group" */

enum auth_field_type { AUTH_FIELD_TEXT, AUTH_FIELD_PASSWORD, AUTH_FIELD_HIDDEN, AUTH_FIELD_SSO };

struct auth_field {
	enum auth_field_type type;
	const char *name;
	const char *label; /* NULL: none */
	const char *value; /* of a hidden field */
};

struct auth_group {
	const char *value;
	const char *label; /* NULL: the value is shown */
};

/* Addresses of the browser leg (4.19.2). */
struct auth_sso {
	const char *login, *login_final;
	const char *logout, *logout_final; /* NULL: left out */
	const char *token_cookie, *error_cookie;
	bool external;
};

/* One form; texts may be NULL where they are not needed. */
struct auth_form {
	const char *id;	   /* "main", "challenge", ... */
	const char *title; /* NULL: "Login" */
	const char *banner;
	const char *message;
	const char *error;  /* shown as an error element */
	const char *action; /* NULL: no action attribute */
	const struct auth_field *fields;
	size_t n_fields;
	const struct auth_group *groups;
	size_t n_groups;
	const char *selected;	   /* value of the group to list first; NULL: none */
	const char *default_group; /* label of the "no group" entry while none is selected */
	const struct auth_sso *sso;
};

/* The end of a successful login. */
struct auth_complete {
	const char *banner;
	const char *cert_sha1;	 /* upper-case hex of the server certificate */
	const char *profile_uri; /* NULL: no profile; then cert_sha1 is not announced either */
	const char *profile_sha1;
};

/* Appends the auth-request document.  Without fields, groups and sso it has no form, and the client
 * gives up with the error.  BARE: the <auth> element alone, for CLIENT_OCV3. */
void auth_form_build(struct buf *b, const struct auth_form *form, bool bare);

/* Appends the `complete` document. */
void auth_complete_build(struct buf *b, const struct auth_complete *done, bool bare);

/* Appends a document that asks for the client certificate (4.15). */
void auth_cert_request_build(struct buf *b);

/* Appends the document of 4.16, whose exact bytes the client signs.  RANDOM: hex. */
void auth_multicert_build(struct buf *b, const char *random_hex);

#endif /* WIRE_AUTH_XML_H */
