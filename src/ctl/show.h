/* show.h - the commands of occtl, one function a row of the table in commands.c.  Each returns the
 * exit code of admin.md 6.2. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include "ctl/client.h"
#include "ctl/cmd.h"

/* Asks the server; NULL after a failure, which was told.  With show_try "failed" is an answer too.
 */
struct answer *show_try(TALLOC_CTX *ctx, const struct ctl *ctl, CtlRequest__MsgCase kind,
			void *field);
struct answer *show_ask(TALLOC_CTX *ctx, const struct ctl *ctl, CtlRequest__MsgCase kind,
			void *field);

int show_status(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_users(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_user(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_id(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_iroutes(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_bans(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_ban_points(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_sessions_all(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_sessions_valid(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_session(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_config(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int show_events(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);

int act_disconnect_user(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int act_disconnect_id(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int act_terminate_user(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int act_terminate_id(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int act_terminate_session(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int act_unban(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int act_reload(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);
int act_stop(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v);

#endif /* CTL_SHOW_H */
