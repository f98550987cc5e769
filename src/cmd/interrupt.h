/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGINT and SIGTERM stop the program in good order, a second one at once. */
#ifndef KML_CMD_INTERRUPT_H
#define KML_CMD_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
bool interrupted(void);

/* If there was a signal, die of it: the shell has to see that.  Otherwise
 * return. */
void interrupt_die(void);

#endif
