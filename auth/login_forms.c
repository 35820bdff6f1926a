/* login_forms.c - what the login dialogue says to the client (radius.md 11). */
#include <stdio.h>
#include <string.h>

#include "auth/login.h"

enum { MESSAGE = BACKEND_TEXT_MAX + 64, INPUT_NAME = 32 };

/* Borrowed text for a message that is only packed. */
static char *lend(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* Every answer but the last names the login, so that the client can come back to it over another
 * connection. */
static void answer(struct login *g, StepResult *result)
{
	g->waiting = false;
	result->context.data = g->context;
	result->context.len = sizeof g->context;
	g->all->ops->answer(g->all->arg, g->worker, result);
	/* Often a secret and always large; the next step brings its own. */
	talloc_free((char *)(uintptr_t)g->authorization);
	g->authorization = NULL;
}

/* ---- groups --------------------------------------------------------------- */

/* Groups of auto-select-group have no labels. */
static bool from_names(TALLOC_CTX *ctx, const struct strv *names, struct group_list *list)
{
	struct group_entry *item = talloc_array(ctx, struct group_entry, (unsigned)names->n);

	if (!item)
		return false;
	for (size_t i = 0; i < names->n; i++)
		item[i] = (struct group_entry){ names->item[i], names->item[i] };
	list->item = item;
	list->n = names->n;
	return true;
}

bool login_groups(TALLOC_CTX *ctx, const struct login *g, const struct login_policy *policy,
		  struct group_list *list, enum group_choice *choice, const char **name)
{
	const char *forced = NULL;

	*list = policy->groups;
	if (policy->auto_groups && !from_names(ctx, &g->auto_groups, list))
		list->n = 0;
	if (policy->group_by_url && *g->url)
		forced = group_find(list, g->url);
	*choice = forced ? GROUP_NAMED : group_select(list, g->selected, name);
	if (forced)
		*name = forced;
	return forced;
}

static enum err add_entry(TALLOC_CTX *ctx, Form *form, const char *value, const char *label)
{
	FormGroup *entry = talloc(ctx, FormGroup);
	FormGroup **all =
		talloc_realloc(ctx, form->group, FormGroup *, (unsigned)form->n_group + 1);

	if (!entry || !all)
		return ERR_NOMEM;
	form_group__init(entry);
	entry->value = lend(value);
	entry->label = lend(label);
	form->group = all;
	form->group[form->n_group++] = entry;
	return ERR_OK;
}

static bool is_listed(const struct group_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i].name, name) == 0)
			return true;
	return false;
}

/* The selected group first, the default entry, then the rest in configured order (protocol.md 4.5).
 * Clients compare the first entry with their own choice and begin again when it differs. */
static enum err put_groups(TALLOC_CTX *ctx, Form *form, const struct group_list *list,
			   enum group_choice choice, const char *name)
{
	bool selected = choice == GROUP_NAMED && is_listed(list, name);
	enum err err = ERR_OK;

	for (size_t i = 0; !err && selected && i < list->n; i++)
		if (strcmp(list->item[i].name, name) == 0)
			err = add_entry(ctx, form, name, list->item[i].label);
	if (!err && list->none)
		err = add_entry(ctx, form, list->none, list->none);
	for (size_t i = 0; !err && i < list->n; i++)
		if (!selected || strcmp(list->item[i].name, name) != 0)
			err = add_entry(ctx, form, list->item[i].name, list->item[i].label);
	if (selected)
		form->selected = lend(name);
	else if (choice == GROUP_NONE)
		form->selected = lend(list->none);
	return err;
}

/* The drop-down that goes with every form but challenges; clients keep showing the choice. */
static enum err add_groups(TALLOC_CTX *ctx, const struct login *g,
			   const struct login_policy *policy, Form *form)
{
	struct group_list list = { .n = 0 };
	enum group_choice choice = GROUP_UNSELECTED;
	const char *name = "";
	bool forced = login_groups(ctx, g, policy, &list, &choice, &name);

	/* config.md 8.12: a form whose group the URL decided has no list. */
	if (forced || !list.n)
		return ERR_OK;
	return put_groups(ctx, form, &list, choice, name);
}

/* Groups for a client whose certificate names some: those offered, and its own. */
static enum err add_certificate_groups(TALLOC_CTX *ctx, const struct login *g,
				       const struct login_policy *policy, Form *form)
{
	enum err err = add_groups(ctx, g, policy, form);

	for (size_t i = 0; !err && i < g->cert_groups.n; i++) {
		bool there = false;

		for (size_t k = 0; k < form->n_group; k++)
			there |= strcmp(form->group[k]->value, g->cert_groups.item[i]) == 0;
		if (!there)
			err = add_entry(ctx, form, g->cert_groups.item[i], g->cert_groups.item[i]);
	}
	return err;
}

/* ---- forms ---------------------------------------------------------------- */

static void send_form(struct login *g, Form *form, enum err err)
{
	StepResult result = STEP_RESULT__INIT;

	if (err) {
		login_deny(g, "Internal error", NULL);
		return;
	}
	result.result_case = STEP_RESULT__RESULT_FORM;
	result.form = form;
	answer(g, &result);
}

void login_ask_user(struct login *g, const struct login_policy *policy)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	/* Ids and names stay as they are for ever: clients keep saved entries under them. */
	Form form = FORM__INIT;
	FormInput user = FORM_INPUT__INIT, password = FORM_INPUT__INIT;
	FormInput *input[] = { &user, &password };

	user.type = lend("text");
	user.name = lend("username");
	user.label = lend("Username:");
	password.type = lend("password");
	password.name = lend("password");
	password.label = lend("Password:");
	form.id = lend("main");
	form.message = lend("Please enter your username and password.");
	form.input = input;
	form.n_input = 2;
	send_form(g, &form, add_groups(tmp, g, policy, &form));
	talloc_free(tmp);
}

void login_ask_password(struct login *g, const struct login_policy *policy, const char *reason)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char message[MESSAGE];
	Form form = FORM__INIT;
	FormInput password = FORM_INPUT__INIT;
	FormInput *input[] = { &password };

	snprintf(message, sizeof message, "%.*s%sPlease enter your password.", BACKEND_TEXT_MAX,
		 reason ? reason : "", reason ? "\n" : "");
	password.type = lend("password");
	password.name = lend("password");
	password.label = lend("Password:");
	form.id = lend("main");
	form.message = message;
	form.error = lend(reason ? reason : "");
	form.input = input;
	form.n_input = 1;
	send_form(g, &form, add_groups(tmp, g, policy, &form));
	talloc_free(tmp);
}

void login_ask_challenge(struct login *g, const struct verdict *v)
{
	char name[INPUT_NAME], message[BACKEND_TEXT_MAX + 1];
	Form form = FORM__INIT;
	FormInput input = FORM_INPUT__INIT;
	FormInput *inputs[] = { &input };

	snprintf(name, sizeof name, "Password%u:", g->counter);
	str_copy(message, sizeof message, g->prompt);
	input.type = lend(v->echo ? "text" : "password");
	input.name = lend("secondary_password");
	input.label = name;
	form.id = lend(v->kind == VERDICT_CHALLENGE ? "challenge" : "main");
	form.message = message;
	form.input = inputs;
	form.n_input = 1;
	send_form(g, &form, ERR_OK);
}

void login_ask_group(struct login *g, const struct login_policy *policy)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	Form form = FORM__INIT;

	form.id = lend("main");
	form.message = lend("Please select your group.");
	send_form(g, &form, add_certificate_groups(tmp, g, policy, &form));
	talloc_free(tmp);
}

/* ---- other answers -------------------------------------------------------- */

/* A header's value; lines of texts become one. */
static void one_line(char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			*text = ' ';
}

void login_deny(struct login *g, const char *reason, const char *detail)
{
	char line[BACKEND_TEXT_MAX + 1];
	StepResult result = STEP_RESULT__INIT;
	Denied denied = DENIED__INIT;

	denied.status = 401;
	denied.reason = lend(reason);
	str_copy(line, sizeof line, detail ? detail : "");
	one_line(line);
	denied.detail = line;
	result.result_case = STEP_RESULT__RESULT_DENIED;
	result.denied = &denied;
	/* No context: the login is gone, and the client has to begin a new one. */
	if (g->waiting)
		g->all->ops->answer(g->all->arg, g->worker, &result);
	login_end(g);
}

void login_invite(struct login *g, const char *www_authenticate, bool fallback)
{
	StepResult result = STEP_RESULT__INIT;
	Denied denied = DENIED__INIT;

	denied.status = 401;
	denied.reason = lend("Unauthorized");
	denied.www_authenticate = lend(www_authenticate);
	denied.fallback = fallback;
	result.result_case = STEP_RESULT__RESULT_DENIED;
	result.denied = &denied;
	answer(g, &result);
}

void login_ask_second_cert(struct login *g)
{
	StepResult result = STEP_RESULT__INIT;

	result.result_case = STEP_RESULT__RESULT_SECOND_CERT;
	result.second_cert.data = g->second.nonce;
	result.second_cert.len = sizeof g->second.nonce;
	answer(g, &result);
}

void login_redirect(struct login *g, const char *url)
{
	StepResult result = STEP_RESULT__INIT;

	result.result_case = STEP_RESULT__RESULT_REDIRECT;
	result.redirect = lend(url);
	answer(g, &result);
}

void login_send_ticket(struct login *g, const char *group, const char *www_authenticate)
{
	StepResult result = STEP_RESULT__INIT;
	LoginTicket ticket = LOGIN_TICKET__INIT;

	ticket.cookie.data = g->cookie;
	ticket.cookie.len = sizeof g->cookie;
	ticket.user = lend(g->user);
	ticket.group = lend(group);
	ticket.www_authenticate = lend(www_authenticate ? www_authenticate : "");
	result.result_case = STEP_RESULT__RESULT_TICKET;
	result.ticket = &ticket;
	g->waiting = false;
	g->all->ops->answer(g->all->arg, g->worker, &result);
}
