/* crlwatch.c - compares what revocation lists look like with what they looked like.
 *
 *	known	when auth read them last; what is in force unless that failed
 *	seen	at the last look
 *
 * A list is read again when it differs from `known`, and only once two looks have found the same:
 * somebody may be writing it. */
#include "main/crlwatch.h"

#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "conf/auth_rules.h"
#include "main/reload.h"

enum { LOOK_EVERY = 2 }; /* seconds */

/* What tells one version of a file from another; all zero: there is none. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed, modified;
};

struct file {
	const char *path;
	struct stamp known, seen;
};

struct crl_watch {
	struct main_ctx *m;
	struct file *file;
	size_t n;
	bool failed; /* auth did not like them: what is known is not in force */
	ev_timer timer;
};

static struct stamp stamp_of(const char *path)
{
	struct stat st;
	struct stamp s;

	/* Compared as bytes. */
	memset(&s, 0, sizeof s);
	if (stat(path, &st) == 0) {
		s.dev = st.st_dev;
		s.ino = st.st_ino;
		s.size = st.st_size;
		s.changed = st.st_ctim;
		s.modified = st.st_mtim;
	}
	return s;
}

static bool same(const struct stamp *a, const struct stamp *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

static void read_again(struct crl_watch *cw, const char *path)
{
	log_info(NULL, "crl-changed", kv_str("file", path));
	reload_files(cw->m);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct crl_watch *cw = timer->data;
	const char *changed = NULL;
	bool settled = true;

	(void)loop;
	(void)revents;
	for (size_t i = 0; i < cw->n; i++) {
		struct file *f = &cw->file[i];
		struct stamp now = stamp_of(f->path);

		if (!same(&now, &f->known))
			changed = f->path;
		settled = settled && same(&now, &f->seen);
		f->seen = now;
	}
	if (changed && settled)
		read_again(cw, changed);
}

static int watch_free(struct crl_watch *cw)
{
	ev_timer_stop(cw->m->loop, &cw->timer);
	return 0;
}

enum err crl_watch_new(struct main_ctx *m, struct crl_watch **out)
{
	struct crl_watch *cw = talloc_zero(m, struct crl_watch);

	if (!cw)
		return ERR_NOMEM;
	cw->m = m;
	ev_timer_init(&cw->timer, on_look, LOOK_EVERY, LOOK_EVERY);
	cw->timer.data = cw;
	talloc_set_destructor(cw, watch_free);
	*out = cw;
	return ERR_OK;
}

/* Adds PATH as it looks now, or as OLD knew it.  Without memory the list counts from the next
 * reload on. */
static void add_file(struct crl_watch *cw, const char *path, const struct file *old)
{
	struct file *file = talloc_realloc(cw, cw->file, struct file, (unsigned)cw->n + 1);

	if (!file)
		return;
	cw->file = file;
	file = &cw->file[cw->n];
	file->path = talloc_strdup(cw->file, path);
	if (!file->path)
		return;
	file->known = file->seen = old ? old->known : stamp_of(path);
	cw->n++;
}

static const struct file *find(const struct file *file, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(file[i].path, path) == 0)
			return &file[i];
	return NULL;
}

/* Watches the lists of CONF; what is known of the N old ones is kept. */
static void watch(struct crl_watch *cw, const struct conf *conf, struct file *old, size_t n)
{
	cw->file = NULL;
	cw->n = 0;
	for (size_t i = 0; i < conf->n_hosts; i++) {
		const struct host_conf *h = conf->host[i];

		if (h->crl && conf_wants_certificate(h) && !find(cw->file, cw->n, h->crl))
			add_file(cw, h->crl, find(old, n, h->crl));
	}
	ev_timer_stop(cw->m->loop, &cw->timer);
	if (cw->n)
		ev_timer_again(cw->m->loop, &cw->timer);
}

void crl_watch_begin(struct crl_watch *cw, const struct conf *conf)
{
	TALLOC_FREE(cw->file);
	watch(cw, conf, NULL, 0);
}

void crl_watch_done(struct crl_watch *cw, const struct conf *conf, bool ok)
{
	struct file *old = cw->file;

	cw->failed = !ok;
	if (ok)
		return;
	watch(cw, conf, old, cw->n);
	talloc_free(old);
}

void crl_watch_now(struct crl_watch *cw)
{
	for (size_t i = 0; i < cw->n; i++) {
		struct stamp now = stamp_of(cw->file[i].path);

		if (cw->failed || !same(&now, &cw->file[i].known)) {
			read_again(cw, cw->file[i].path);
			return;
		}
	}
}
