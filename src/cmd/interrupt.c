// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught;

static void handler(int signum)
{
	caught = signum;
}

void interrupt_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM };
	/* Writes are retried, so they are not to fail with EINTR. */
	struct sigaction action = { .sa_flags = SA_RESETHAND | SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction old;
	size_t i;

	action.sa_handler = handler;
	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		/* A background job of a script ignores SIGINT. */
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	/* A closed pipe is an error to be reported as any other. */
	sigaction(SIGPIPE, &ignore, NULL);
}

bool interrupted(void)
{
	return caught;
}

void interrupt_die(void)
{
	if (!caught)
		return;
	signal(caught, SIG_DFL);
	raise(caught);
}
