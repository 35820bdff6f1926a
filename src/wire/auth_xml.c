/* auth_xml.c - the login documents. */
#include "wire/auth_xml.h"

#include <string.h>

static const char prologue[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

static void put_element(struct buf *b, const char *name, const char *text)
{
	if (!text)
		return;
	buf_printf(b, "<%s>", name);
	buf_put_xml(b, text);
	buf_printf(b, "</%s>\n", name);
}

static void put_attribute(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(b, " %s=\"", name);
	buf_put_xml(b, value);
	buf_putc(b, '"');
}

/* Everything in front of <auth>; the old clients begin there. */
static void open_document(struct buf *b, const char *type, bool bare)
{
	buf_puts(b, prologue);
	if (!bare)
		buf_printf(b,
			   "<config-auth client=\"vpn\" type=\"%s\" aggregate-auth-version=\"2\">\n"
			   "<version who=\"sg\">0.1(1)</version>\n",
			   type);
}

static void close_document(struct buf *b, bool bare)
{
	if (!bare)
		buf_puts(b, "</config-auth>\n");
}

static void put_field(struct buf *b, const struct auth_field *f)
{
	static const char *const types[] = {
		[AUTH_FIELD_TEXT] = "text",
		[AUTH_FIELD_PASSWORD] = "password",
		[AUTH_FIELD_HIDDEN] = "hidden",
		[AUTH_FIELD_SSO] = "sso",
	};

	buf_printf(b, "<input type=\"%s\"", types[f->type]);
	put_attribute(b, "name", f->name);
	put_attribute(b, "label", f->label);
	put_attribute(b, "value", f->value);
	buf_puts(b, "/>\n");
}

static void put_option(struct buf *b, const char *value, const char *label, bool selected)
{
	buf_puts(b, "<option");
	if (selected)
		buf_puts(b, " selected=\"true\"");
	put_attribute(b, "value", value);
	buf_putc(b, '>');
	buf_put_xml(b, label ? label : value);
	buf_puts(b, "</option>\n");
}

static bool is_selected(const struct auth_form *form, size_t i)
{
	return form->selected && strcmp(form->selected, form->groups[i].value) == 0;
}

/* protocol.md 4.5: clients loop unless the chosen group comes first. */
static void put_groups(struct buf *b, const struct auth_form *form)
{
	bool any = false;

	buf_puts(b, "<select name=\"group_list\" label=\"GROUP:\">\n");
	for (size_t i = 0; i < form->n_groups && !any; i++) {
		if (!is_selected(form, i))
			continue;
		put_option(b, form->groups[i].value, form->groups[i].label, true);
		any = true;
	}
	if (!any && form->default_group)
		put_option(b, AUTH_GROUP_NONE, form->default_group, true);
	for (size_t i = 0; i < form->n_groups; i++)
		if (!is_selected(form, i))
			put_option(b, form->groups[i].value, form->groups[i].label, false);
	buf_puts(b, "</select>\n");
}

static void put_sso(struct buf *b, const struct auth_sso *sso)
{
	put_element(b, "sso-v2-login", sso->login);
	put_element(b, "sso-v2-login-final", sso->login_final);
	put_element(b, "sso-v2-logout", sso->logout);
	put_element(b, "sso-v2-logout-final", sso->logout_final);
	put_element(b, "sso-v2-token-cookie-name", sso->token_cookie);
	put_element(b, "sso-v2-error-cookie-name", sso->error_cookie);
	if (sso->external)
		put_element(b, "sso-v2-browser-mode", "external");
}

static void put_form(struct buf *b, const struct auth_form *form)
{
	static const struct auth_field sso = { AUTH_FIELD_SSO, "sso-token", NULL, NULL };

	if (!form->n_fields && !form->n_groups && !form->sso)
		return;
	buf_puts(b, "<form method=\"post\"");
	put_attribute(b, "action", form->action);
	buf_puts(b, ">\n");
	for (size_t i = 0; i < form->n_fields; i++)
		put_field(b, &form->fields[i]);
	if (form->sso)
		put_field(b, &sso);
	if (form->n_groups)
		put_groups(b, form);
	buf_puts(b, "</form>\n");
}

/* Old clients know the password form by its id (protocol.md 4.2). */
static const char *form_id(const struct auth_form *form, bool bare)
{
	bool password = false, text = false;

	for (size_t i = 0; i < form->n_fields; i++) {
		password |= form->fields[i].type == AUTH_FIELD_PASSWORD;
		text |= form->fields[i].type == AUTH_FIELD_TEXT;
	}
	if (bare && password && !text && strcmp(form->id, "main") == 0)
		return "passwd";
	return form->id;
}

void auth_form_build(struct buf *b, const struct auth_form *form, bool bare)
{
	open_document(b, "auth-request", bare);
	buf_puts(b, "<auth");
	put_attribute(b, "id", form_id(form, bare));
	buf_puts(b, ">\n");
	put_element(b, "title", form->title ? form->title : "Login");
	put_element(b, "banner", form->banner);
	put_element(b, "message", form->message);
	if (form->error) {
		buf_puts(b, "<error id=\"16\" param1=\"\" param2=\"\">");
		buf_put_xml(b, form->error);
		buf_puts(b, "</error>\n");
	}
	if (form->sso)
		put_sso(b, form->sso);
	put_form(b, form);
	buf_puts(b, "</auth>\n");
	close_document(b, bare);
}

/* Where Cisco clients find the profile and check the certificate. */
static void put_config(struct buf *b, const struct auth_complete *done)
{
	buf_puts(b, "<config client=\"vpn\" type=\"private\">\n<vpn-base-config>");
	put_element(b, "server-cert-hash", done->cert_sha1);
	buf_puts(b, "</vpn-base-config>\n<vpn-profile-manifest><vpn rev=\"1.0\">"
		    "<file type=\"profile\" service-type=\"user\">\n");
	put_element(b, "uri", done->profile_uri);
	buf_puts(b, "<hash type=\"sha1\">");
	buf_put_xml(b, done->profile_sha1);
	buf_puts(b, "</hash></file></vpn></vpn-profile-manifest>\n</config>\n");
}

void auth_complete_build(struct buf *b, const struct auth_complete *done, bool bare)
{
	open_document(b, "complete", bare);
	buf_puts(b, "<auth id=\"success\">\n");
	put_element(b, "title", "SSL VPN Service");
	put_element(b, "banner", done->banner);
	buf_puts(b, "</auth>\n");
	if (done->profile_uri && !bare)
		put_config(b, done);
	close_document(b, bare);
}

void auth_cert_request_build(struct buf *b)
{
	open_document(b, "auth-request", false);
	buf_puts(b, "<client-cert-request/>\n");
	close_document(b, false);
}

void auth_multicert_build(struct buf *b, const char *random_hex)
{
	open_document(b, "auth-request", false);
	buf_puts(b, "<multiple-client-cert-request>"
		    "<hash-algorithm>sha256</hash-algorithm>"
		    "<hash-algorithm>sha384</hash-algorithm>"
		    "<hash-algorithm>sha512</hash-algorithm>"
		    "</multiple-client-cert-request>\n");
	put_element(b, "random", random_hex);
	buf_puts(b, "<cert-authenticated/>\n");
	close_document(b, false);
}
