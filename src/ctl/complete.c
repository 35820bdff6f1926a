/* complete.c - candidates for the word under the cursor. */
#include "ctl/complete.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/client.h"
#include "ctl/session.h"
#include "ctl/text.h"

/* Asks without a word on failure: TAB must not write into the line. */
static const struct answer *ask(TALLOC_CTX *ctx, const struct ctl *ctl, CtlRequest__MsgCase kind)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	CtlWho all = CTL_WHO__INIT;
	CtlRequest req = CTL_REQUEST__INIT;
	struct answer *a;

	req.msg_case = kind;
	if (kind == CTL_REQUEST__MSG_USERS)
		req.users = &all;
	else
		req.status = &nothing;
	return client_ask(ctx, ctl->socket, true, &req, &a) ? NULL : a;
}

/* A name with characters that would act on the terminal cannot be put into the line. */
static bool is_harmless(TALLOC_CTX *ctx, const char *text)
{
	char *safe = text_safe(ctx, text);
	bool same = strcmp(safe, text) == 0;

	talloc_free(safe);
	return same;
}

static enum err add(TALLOC_CTX *ctx, struct strv *out, const char *text, const char *word)
{
	if (!*text || strncmp(text, word, strlen(word)) != 0 || strv_has(out, text) ||
	    !is_harmless(ctx, text))
		return ERR_OK;
	return strv_add(ctx, out, text);
}

static enum err add_users(TALLOC_CTX *ctx, const struct ctl *ctl, bool ids, const char *word,
			  struct strv *out)
{
	const struct answer *a = ask(ctx, ctl, CTL_REQUEST__MSG_USERS);
	enum err err = ERR_OK;

	for (size_t i = 0; a && !err && i < a->n_user; i++) {
		char id[16];
		snprintf(id, sizeof id, "%u", a->user[i]->id);
		err = add(ctx, out, ids ? id : a->user[i]->username, word);
	}
	return err;
}

static enum err add_sessions(TALLOC_CTX *ctx, const struct ctl *ctl, const char *word,
			     struct strv *out)
{
	const struct answer *a = ask(ctx, ctl, CTL_REQUEST__MSG_SESSIONS);
	enum err err = ERR_OK;

	for (size_t i = 0; a && !err && i < a->n_session; i++) {
		char sid[SESSION_SHORT_ID + 1];
		if (!a->session[i]->session)
			continue;
		str_copy(sid, sizeof sid, a->session[i]->session->sid);
		err = add(ctx, out, sid, word);
	}
	return err;
}

static enum err add_bans(TALLOC_CTX *ctx, const struct ctl *ctl, const char *word, struct strv *out)
{
	const struct answer *a = ask(ctx, ctl, CTL_REQUEST__MSG_BANS);
	enum err err = ERR_OK;

	for (size_t i = 0; a && !err && i < a->n_ban; i++)
		if (a->ban[i]->banned)
			err = add(ctx, out, a->ban[i]->ip, word);
	return err;
}

enum err complete_line(TALLOC_CTX *ctx, const struct ctl *ctl, const char *line,
		       struct cmd_next *next)
{
	enum err err = cmd_complete(ctx, line, next);

	if (err)
		return err;
	switch (next->arg) {
	case ARG_NONE:
		return ERR_OK;
	case ARG_USER:
	case ARG_ID:
		return add_users(ctx, ctl, next->arg == ARG_ID, next->word, &next->words);
	case ARG_SID:
		return add_sessions(ctx, ctl, next->word, &next->words);
	case ARG_IP:
		return add_bans(ctx, ctl, next->word, &next->words);
	}
	return ERR_OK;
}

size_t complete_common(const struct strv *words)
{
	size_t n = words->n ? strlen(words->item[0]) : 0;

	for (size_t i = 1; i < words->n; i++) {
		size_t same = 0;
		while (same < n && words->item[i][same] == words->item[0][same])
			same++;
		n = same;
	}
	return n;
}
