/* pmtu.c - search for the path MTU.  Used by the data path.
 *
 * States: idle (trial 0); searching (trial set, next is when its answer is overdue).  The search
 * begins with the largest size, goes down to 2/3 until one works, then halves the gap between the
 * best that worked and the worst that did not. */
#include "worker/path/pmtu.h"

#include <string.h>

#include "wire/mtu.h"

enum {
	ANSWER_MS = 1000, /* no answer for so long: lost */
	TRIES = 3,
	CLOSE_ENOUGH = 16, /* bytes between good and bad that are not worth a probe */
	IP4_UDP = 28,
	IP6_UDP = 48,
};

void pmtu_init(struct pmtu *m, const struct path_limits *limits)
{
	memset(m, 0, sizeof *m);
	m->min = limits->v6.addr.family ? MTU_LINK_MIN6 : MTU_LINK_MIN4;
	m->max = limits->link_mtu > m->min ? limits->link_mtu : m->min;
	m->link = m->max;
	m->outer_v6 = limits->outer_v6;
	m->search = limits->probe_mtu;
	m->next = UINT64_MAX;
}

static void search_end(struct pmtu *m)
{
	m->trial = 0;
	m->next = UINT64_MAX;
}

static void try_size(struct pmtu *m, unsigned link, uint64_t now)
{
	m->trial = link;
	m->tries = 0;
	m->next = now;
}

void pmtu_start(struct pmtu *m, bool outer_v6, uint64_t now)
{
	m->outer_v6 = outer_v6;
	m->link = m->max;
	m->good = m->bad = 0;
	search_end(m);
	if (m->search)
		try_size(m, m->link, now);
}

unsigned pmtu_payload(const struct pmtu *m, unsigned link)
{
	return link - (m->outer_v6 ? IP6_UDP : IP4_UDP);
}

unsigned pmtu_ceiling(const struct pmtu *m)
{
	return m->bad && m->bad <= m->max ? m->bad - 1 : m->max;
}

void pmtu_raised(struct pmtu *m, unsigned link)
{
	m->link = link;
	if (link > m->good)
		m->good = link;
}

/* The next size to try between what is known; 0: it is known well enough. */
static unsigned next_size(const struct pmtu *m)
{
	if (!m->good) {
		unsigned lower = m->bad * 2 / 3;
		if (m->bad <= m->min)
			return 0;
		return lower > m->min ? lower : m->min;
	}
	if (!m->bad || m->bad - m->good <= CLOSE_ENOUGH)
		return 0;
	return (m->good + m->bad) / 2;
}

static void search_on(struct pmtu *m, uint64_t now)
{
	unsigned size = next_size(m);
	if (size)
		try_size(m, size, now);
	else
		search_end(m);
}

bool pmtu_too_big(struct pmtu *m, unsigned kernel, uint64_t now)
{
	/* The refused one was of this size: nothing larger is ever sent. */
	unsigned refused = m->trial > m->link ? m->trial : m->link;
	if (m->trial <= m->link && m->link <= m->min)
		return false;
	m->bad = refused;
	if (m->good >= m->bad)
		m->good = 0;
	if (kernel >= m->min && kernel < refused) {
		m->good = kernel;
		m->bad = kernel + 1;
	}
	unsigned size = next_size(m);
	if (m->link >= m->bad)
		m->link = m->good ? m->good : size;
	search_end(m);
	if (m->search && size)
		try_size(m, size, now);
	return true;
}

void pmtu_answered(struct pmtu *m, uint64_t now)
{
	if (!m->trial || !m->tries)
		return;
	m->good = m->trial;
	m->link = m->trial;
	search_on(m, now);
}

/* The size under trial does not get through. */
static void trial_failed(struct pmtu *m, uint64_t now)
{
	m->bad = m->trial;
	search_on(m, now);
	if (!m->good && !m->trial)
		m->link = m->max; /* nothing is ever answered: that says nothing about sizes */
	else if (m->link >= m->bad)
		m->link = m->good ? m->good : m->trial;
}

bool pmtu_due(struct pmtu *m, uint64_t now)
{
	if (!m->trial || now < m->next)
		return false;
	if (m->tries == TRIES)
		trial_failed(m, now);
	if (!m->trial)
		return false;
	m->tries++;
	m->next = now + ANSWER_MS;
	return true;
}
