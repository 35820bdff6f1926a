/* linger.c - looks now and then whether devices are gone. */
#include "main/linger.h"

#include <net/if.h>
#include <string.h>

/* Of a look at the devices that are about to go: their last close takes some 25 ms. */
static const double interval = 0.05;

struct lingerer {
	char *device;
	unsigned index; /* numbers are not used again soon, names are */
	struct lingerer *next;
};

struct linger_list {
	struct ev_loop *loop;
	struct firewall *fw;
	ev_timer timer;
	struct lingerer *first;
};

/* Takes the one at P out of the list. */
static void drop(struct linger_list *l, struct lingerer **p)
{
	struct lingerer *gone = *p;

	*p = gone->next;
	talloc_free(gone);
	if (!l->first)
		ev_timer_stop(l->loop, &l->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct linger_list *l = timer->data;
	struct lingerer **p = &l->first;
	char name[IF_NAMESIZE];

	(void)loop;
	(void)revents;
	while (*p) {
		if (if_indextoname((*p)->index, name)) {
			p = &(*p)->next;
		} else {
			firewall_del(l->fw, (*p)->device);
			drop(l, p);
		}
	}
}

static int linger_free(struct linger_list *l)
{
	ev_timer_stop(l->loop, &l->timer);
	return 0;
}

enum err linger_new(TALLOC_CTX *ctx, struct ev_loop *loop, struct firewall *fw,
		    struct linger_list **out)
{
	struct linger_list *l = talloc_zero(ctx, struct linger_list);

	if (!l)
		return ERR_NOMEM;
	l->loop = loop;
	l->fw = fw;
	ev_timer_init(&l->timer, on_timer, interval, interval);
	l->timer.data = l;
	talloc_set_destructor(l, linger_free);
	*out = l;
	return ERR_OK;
}

void linger_add(struct linger_list *l, const char *device, unsigned index)
{
	struct lingerer *new = index ? talloc_zero(l, struct lingerer) : NULL;

	if (new)
		new->device = talloc_strdup(new, device);
	if (!new || !new->device) {
		talloc_free(new);
		firewall_del(l->fw, device);
		return;
	}
	new->index = index;
	new->next = l->first;
	l->first = new;
	ev_timer_start(l->loop, &l->timer);
}

bool linger_take(struct linger_list *l, const char *device)
{
	for (struct lingerer **p = &l->first; *p; p = &(*p)->next) {
		if (!strcmp((*p)->device, device)) {
			drop(l, p);
			return true;
		}
	}
	return false;
}
