/* auth_input.c - reads a login step with expat, or from a form body. */
#include "wire/auth_input.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <expat.h>

#include "base/secret.h"
#include "wire/form.h"

enum { ANSWER_NAME = 64 };

/* Which child of <config-auth> we are in. */
enum section { S_OTHER, S_AUTH, S_CAPABILITIES };

struct reader {
	XML_Parser parser;
	struct auth_input *in;
	enum err err;
	unsigned depth; /* of the element being read; the root is 1 */
	enum section section;
	bool is_leaf; /* no child element so far */
	char *text;   /* character data of the current element */
	size_t text_len, text_cap;
};

struct auth_input *auth_input_new_init(TALLOC_CTX *ctx)
{
	return talloc_zero(ctx, struct auth_input);
}

const char *auth_input_answer(const struct auth_input *in, const char *name)
{
	for (size_t i = 0; i < in->n_answers; i++)
		if (strcmp(in->answer[i].name, name) == 0)
			return in->answer[i].value;
	return NULL;
}

/* Copies TEXT into *SLOT once.  A second value is an attack on whoever reads the other one. */
static enum err set_once(struct auth_input *in, const char **slot, const char *text)
{
	char *copy;

	if (*slot)
		return ERR_PROTO;
	copy = talloc_strdup(in, text);
	if (!copy)
		return ERR_NOMEM;
	secret_mark(copy);
	*slot = copy;
	return ERR_OK;
}

static enum err add_answer(struct auth_input *in, const char *name, const char *value)
{
	struct auth_answer *a = &in->answer[in->n_answers];
	char lower[ANSWER_NAME];
	size_t len = strlen(name);
	enum err err;

	if (len >= sizeof lower || in->n_answers == AUTH_ANSWERS)
		return ERR_TOO_LONG;
	for (size_t i = 0; i <= len; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	if (auth_input_answer(in, lower))
		return ERR_PROTO;
	err = set_once(in, &a->name, lower);
	if (!err)
		err = set_once(in, &a->value, value);
	if (!err)
		in->n_answers++;
	return err;
}

/* --- XML ------------------------------------------------------------------------------------ */

/* Expat's own buffers hold passwords too, so they are wiped; their size stands before them. */
union chunk {
	size_t size;
	max_align_t align;
};

static void *xml_malloc(size_t size)
{
	union chunk *c = size < SIZE_MAX - sizeof *c ? malloc(sizeof *c + size) : NULL;

	if (!c)
		return NULL;
	c->size = size;
	return c + 1;
}

static void xml_free(void *p)
{
	union chunk *c = p;

	if (!p)
		return;
	c--;
	secret_wipe(c, sizeof *c + c->size);
	free(c);
}

static void *xml_realloc(void *p, size_t size)
{
	void *grown = xml_malloc(size);

	if (grown && p) {
		size_t old = ((union chunk *)p - 1)->size;
		memcpy(grown, p, old < size ? old : size);
		xml_free(p);
	}
	return grown;
}

static void stop(struct reader *r, enum err err)
{
	if (!r->err && err) {
		r->err = err;
		XML_StopParser(r->parser, XML_FALSE);
	}
}

static const char *attribute(const char **attrs, const char *name)
{
	for (; *attrs; attrs += 2)
		if (strcasecmp(attrs[0], name) == 0)
			return attrs[1];
	return NULL;
}

static void on_root(struct reader *r, const char *name, const char **attrs)
{
	static const char *const kinds[] = {
		[AUTH_INIT] = "init",
		[AUTH_REPLY] = "auth-reply",
		[AUTH_LOGOUT] = "logout",
	};
	const char *type = attribute(attrs, "type");

	if (strcasecmp(name, "config-auth") != 0) {
		stop(r, ERR_SYNTAX);
		return;
	}
	for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(type, kinds[i]) == 0) {
			r->in->kind = (enum auth_kind)i;
			return;
		}
	stop(r, ERR_UNSUPPORTED);
}

static void set_attribute(struct reader *r, const char **slot, const char **attrs, const char *name)
{
	const char *value = attribute(attrs, name);

	if (value)
		stop(r, set_once(r->in, slot, value));
}

/* A child of the root begins. */
static void on_section(struct reader *r, const char *name, const char **attrs)
{
	r->section = strcasecmp(name, "auth") == 0	     ? S_AUTH
		     : strcasecmp(name, "capabilities") == 0 ? S_CAPABILITIES
							     : S_OTHER;
	if (strcasecmp(name, "client-cert-fail") == 0)
		r->in->client_cert_fail = true;
	if (strcasecmp(name, "device-id") == 0) {
		set_attribute(r, &r->in->platform_version, attrs, "platform-version");
		set_attribute(r, &r->in->device_type, attrs, "device-type");
		set_attribute(r, &r->in->unique_id, attrs, "unique-id");
	}
}

static void XMLCALL on_start(void *arg, const char *name, const char **attrs)
{
	struct reader *r = arg;

	if (r->err)
		return;
	r->depth++;
	r->is_leaf = true;
	r->text_len = 0;
	if (r->depth > AUTH_DEPTH)
		stop(r, ERR_TOO_LONG);
	else if (r->depth == 1)
		on_root(r, name, attrs);
	else if (r->depth == 2)
		on_section(r, name, attrs);
	else if (r->section == S_AUTH && strcasecmp(name, "client-cert-auth-signature") == 0)
		set_attribute(r, &r->in->cert_hash, attrs, "hash-algorithm-chosen");
}

/* The text of a child of the root. */
static enum err end_section(struct reader *r, const char *name)
{
	struct auth_input *in = r->in;
	const struct {
		const char *name;
		const char **slot;
	} slots[] = {
		{ "version", &in->version },
		{ "device-id", &in->device_id },
		{ "group-select", &in->group },
		{ "group-access", &in->group_access },
		{ "session-token", &in->session_token },
		{ "host-scan-token", &in->host_scan_token },
	};

	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
		if (strcasecmp(name, slots[i].name) == 0)
			return set_once(in, slots[i].slot, r->text);
	return ERR_OK;
}

static void end_capability(struct reader *r)
{
	static const struct {
		const char *name;
		unsigned bit;
	} caps[] = {
		{ "single-sign-on", AUTH_CAP_SSO },
		{ "single-sign-on-v2", AUTH_CAP_SSO_V2 },
		{ "single-sign-on-external-browser", AUTH_CAP_SSO_EXTERNAL },
		{ "multiple-cert", AUTH_CAP_MULTIPLE_CERT },
	};

	for (size_t i = 0; i < sizeof caps / sizeof *caps; i++)
		if (strcmp(r->text, caps[i].name) == 0)
			r->in->caps |= caps[i].bit;
}

static enum err end_leaf(struct reader *r, const char *name)
{
	if (r->depth == 2)
		return end_section(r, name);
	if (r->section == S_CAPABILITIES && strcasecmp(name, "auth-method") == 0)
		end_capability(r);
	if (r->section != S_AUTH)
		return ERR_OK;
	if (r->depth == 3)
		return strcasecmp(name, "username") == 0
			       ? set_once(r->in, &r->in->username, r->text)
			       : add_answer(r->in, name, r->text);
	if (strcasecmp(name, "client-cert") == 0)
		return set_once(r->in, &r->in->cert_pkcs7, r->text);
	if (strcasecmp(name, "client-cert-auth-signature") == 0)
		return set_once(r->in, &r->in->cert_signature, r->text);
	return ERR_OK;
}

static void XMLCALL on_end(void *arg, const char *name)
{
	struct reader *r = arg;

	if (r->err)
		return;
	if (r->is_leaf) {
		r->text[r->text_len] = '\0';
		stop(r, end_leaf(r, name));
	}
	r->is_leaf = false;
	r->depth--;
}

static void XMLCALL on_text(void *arg, const char *text, int len)
{
	struct reader *r = arg;

	if (r->err || !r->is_leaf)
		return;
	/* decoding from a single-byte encoding may lengthen: refuse what does not fit */
	if ((size_t)len > r->text_cap - r->text_len) {
		stop(r, ERR_TOO_LONG);
		return;
	}
	memcpy(r->text + r->text_len, text, (size_t)len);
	r->text_len += (size_t)len;
}

/* A DOCTYPE alone is harmless; whoever declares or uses entities wants them expanded (10.29). */
static void XMLCALL on_entity(void *arg, const char *name, int is_parameter, const char *value,
			      int value_len, const char *base, const char *system_id,
			      const char *public_id, const char *notation)
{
	(void)name;
	(void)is_parameter;
	(void)value;
	(void)value_len;
	(void)base;
	(void)system_id;
	(void)public_id;
	(void)notation;
	stop(arg, ERR_PROTO);
}

static void XMLCALL on_skipped_entity(void *arg, const char *name, int is_parameter)
{
	(void)name;
	(void)is_parameter;
	stop(arg, ERR_PROTO);
}

static enum err read_xml(struct auth_input *in, const char *body, size_t len)
{
	static const XML_Memory_Handling_Suite memory = { xml_malloc, xml_realloc, xml_free };
	struct reader r = { .in = in, .text_cap = len };

	r.text = talloc_zero_size(in, len + 1);
	if (!r.text)
		return ERR_NOMEM;
	secret_mark(r.text);
	r.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
	if (!r.parser)
		return ERR_NOMEM;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetEntityDeclHandler(r.parser, on_entity);
	XML_SetSkippedEntityHandler(r.parser, on_skipped_entity);
	XML_SetParamEntityParsing(r.parser, XML_PARAM_ENTITY_PARSING_NEVER);
	if (XML_Parse(r.parser, body, (int)len, XML_TRUE) != XML_STATUS_OK && !r.err)
		r.err = XML_GetErrorCode(r.parser) == XML_ERROR_NO_MEMORY ? ERR_NOMEM : ERR_SYNTAX;
	XML_ParserFree(r.parser);
	talloc_free(r.text);
	return r.err;
}

/* --- form ----------------------------------------------------------------------------------- */

static enum err read_form_field(struct auth_input *in, const struct form_field *f)
{
	if (strcmp(f->name, "username") == 0)
		return set_once(in, &in->username, f->value);
	if (strcmp(f->name, "group_list") == 0 || strcmp(f->name, "group-select") == 0)
		return set_once(in, &in->group, f->value);
	/* old AnyConnect posts these whether or not it was asked (4.14) */
	if (strcmp(f->name, "Login") == 0 ||
	    (!*f->value && strncmp(f->name, "secondary_", strlen("secondary_")) == 0))
		return ERR_OK;
	return *f->name ? add_answer(in, f->name, f->value) : ERR_OK;
}

static enum err read_form(struct auth_input *in, const char *body, size_t len)
{
	struct form *form;
	enum err err = form_parse(in, body, len, &form);

	if (err)
		return err;
	in->kind = form->n ? AUTH_REPLY : AUTH_INIT;
	for (size_t i = 0; i < form->n && !err; i++)
		err = read_form_field(in, &form->field[i]);
	talloc_free(form);
	return err;
}

enum err auth_input_parse(TALLOC_CTX *ctx, const char *body, size_t len, struct auth_input **out)
{
	struct auth_input *in = auth_input_new_init(ctx);
	size_t blank = 0;
	enum err err;

	if (!in)
		return ERR_NOMEM;
	while (blank < len && strchr(" \t\r\n", body[blank]) && body[blank])
		blank++;
	if (len > INT_MAX)
		err = ERR_TOO_LONG;
	else if (blank < len && body[blank] == '<')
		err = read_xml(in, body + blank, len - blank);
	else
		err = read_form(in, body, len);
	if (err)
		talloc_free(in);
	else
		*out = in;
	return err;
}
