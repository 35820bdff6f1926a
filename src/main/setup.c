/* setup.c - the parts of main, made in the order they need each other. */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "main/admin.h"
#include "main/ban.h"
#include "main/closer.h"
#include "main/control.h"
#include "main/hooks.h"
#include "main/lease.h"
#include "main/listen.h"
#include "main/netlink.h"
#include "main/netns.h"
#include "main/reload.h"
#include "main/restore.h"
#include "main/restrict.h"
#include "main/sessions.h"
#include "main/stats_journal.h"
#include "main/steer.h"
#include "main/workers.h"

void main_set_up_log(struct main_ctx *m)
{
	const struct main_args *a = m->args;

	log_sink_system(m->sink, "main",
			a->log_targets | (m->conf->log_format == CONF_LOG_JSON ? LOG_AS_JSON : 0u),
			a->facility >= 0 ? a->facility : m->conf->syslog_facility,
			a->verbosity >= 0 ? (unsigned)a->verbosity : m->conf->log_level);
	log_set_sink(m->sink);
}

static enum err set_up_journal(struct main_ctx *m)
{
	int fd = restore_take(m->restore, FD_KIND__FD_JOURNAL_MAIN);
	enum err err = journal_open(m, fd, &m->journal);

	if (err && fd >= 0) {
		log_err(NULL, "journal-lost", kv_err(err));
		err = journal_open(m, -1, &m->journal);
	}
	if (!err)
		main_keep_fd(m, FD_KIND__FD_JOURNAL_MAIN, 0, journal_fd(m->journal), NULL);
	return err;
}

static enum err set_up_bans(struct main_ctx *m)
{
	enum err err = ban_table_new(m, &m->bans);

	if (!err)
		reload_bans(m);
	return err;
}

/* The subnets that bans spare are those of the interfaces clients come in by. */
static void find_local_nets(struct main_ctx *m)
{
	const struct netns *ns = listen_netns(m);
	struct addr_net *nets = NULL;
	size_t n = 0;
	enum err err = netns_enter(ns);

	if (!err) {
		err = ban_read_interfaces(m, &nets, &n);
		netns_leave(ns);
	}
	if (err || ban_set_local(m->bans, nets, n))
		log_warn(NULL, "interfaces-unknown", kv_str("effect", "bans spare no subnet"));
}

/* run-as-user and run-as-group own the control socket (admin.md 5). */
static void owner_of(const struct conf *c, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw = c->run_as_user ? getpwnam(c->run_as_user) : NULL;
	const struct group *gr = c->run_as_group ? getgrnam(c->run_as_group) : NULL;

	*uid = pw ? pw->pw_uid : (uid_t)-1;
	*gid = gr ? gr->gr_gid : (gid_t)-1;
}

/* A server that occtl cannot reach still serves its users. */
static void set_up_control(struct main_ctx *m, int fd)
{
	const char *path = m->conf->occtl_socket_file;
	/* So that the supervisor removes the file if main cannot. */
	const ProtobufCBinaryData note = { strlen(path) + 1, (uint8_t *)(uintptr_t)path };
	enum err err = ERR_OK;
	uid_t uid;
	gid_t gid;

	if (fd < 0) {
		owner_of(m->conf, &uid, &gid);
		err = control_listen(path, uid, gid, &fd);
		if (!err)
			main_keep_fd(m, FD_KIND__FD_CTL, 0, fd, &note);
	}
	if (!err)
		err = control_new(m, m->loop, fd, path, admin_ops(), m, &m->control);
	if (err)
		log_err(NULL, "no-control-socket", kv_str("file", path), kv_err(err));
}

static enum err set_up_tables(struct main_ctx *m)
{
	enum err err = set_up_journal(m);

	if (!err)
		err = set_up_bans(m);
	if (!err)
		err = lease_table_new(m, &m->leases);
	if (!err)
		err = netlink_new(m, &m->nl);
	if (!err)
		err = closer_new(m, &m->closer);
	if (!err)
		err = hooks_new(m, m->loop, &m->hooks);
	if (!err)
		err = restrict_set_up(m);
	if (!err)
		err = workers_new(m, &m->workers);
	if (!err)
		err = sessions_new(m, &m->sessions);
	if (!err)
		err = steer_new(m, &m->steer);
	return err;
}

void main_update_control(struct main_ctx *m)
{
	bool open = m->control && control_is_open(m->control);

	if (open == m->conf->use_occtl || m->phase == MAIN_STOPPING)
		return;
	if (open) { /* who is connected still gets his answer */
		control_unlink(m->control);
		main_drop_fd(m, FD_KIND__FD_CTL, 0);
	} else {
		TALLOC_FREE(m->control);
		set_up_control(m, -1);
	}
}

bool main_set_up(struct main_ctx *m)
{
	enum err err;

	if (!reload_first(m, restore_take(m->restore, FD_KIND__FD_CONF)))
		return false;
	err = set_up_tables(m);
	if (err) {
		main_fail(m, err_text(err));
		return false;
	}
	if (!listen_open(m))
		return false;
	find_local_nets(m);
	restore_workers(m);
	ban_set_journal(m->bans, m->journal);
	stats_save(m);
	if (m->conf->use_occtl)
		set_up_control(m, restore_take(m->restore, FD_KIND__FD_CTL));
	/* Auth and the zygote may have come before Start. */
	reload_send_auth(m);
	return true;
}
