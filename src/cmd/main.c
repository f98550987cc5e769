// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/cmd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd/interrupt.h"
#include "cmd/message.h"

const struct command commands[] = {
	{ "leaks", "find memory that nothing holds (the default)",
	  "[OPTIONS] VMCORE... [VMLINUX]", cmd_leaks },
	{ "report", "the same: of a snapshot, say",
	  "[OPTIONS] VMCORE... [VMLINUX]", cmd_leaks },
	{ "caches", "show what was allocated, as /proc would have",
	  "[OPTIONS] VMCORE... [VMLINUX]", cmd_caches },
	{ "show", "show what lies at an address, its verdict, and who holds it",
	  "[OPTIONS] ADDRESS... VMCORE... [VMLINUX]", cmd_show },
	{ "top", "show who has most of what is live: caches, callers, holders",
	  "[OPTIONS] VMCORE... [VMLINUX]", cmd_top },
	{ "refs", "show everything that refers to an object",
	  "[OPTIONS] ADDRESS... VMCORE... [VMLINUX]", cmd_refs },
	{ "path", "show the best chain from a root to an object",
	  "[OPTIONS] ADDRESS... VMCORE... [VMLINUX]", cmd_path },
	{ "whatis", "say what addresses are, of '-' those on standard input",
	  "[OPTIONS] ADDRESS...|- VMCORE... [VMLINUX]", cmd_whatis },
	{ "profile", "write what is needed of a vmlinux to a file",
	  "[OPTIONS] VMLINUX -o FILE", cmd_profile },
	{ NULL, NULL, NULL, NULL },
};

static bool is_word(const char *argument, const char *word)
{
	return argument && !strcmp(argument, word);
}

/* The sub-command, if the first argument names one. */
static const struct command *find_command(const char *argument)
{
	const struct command *command;

	for (command = commands; command->name; command++) {
		if (is_word(argument, command->name))
			return command;
	}
	return NULL;
}

/* --help and --version are heeded wherever they stand. */
static bool print_about(int argc, char **argv)
{
	int i;

	if (is_word(argv[1], "help") || is_word(argv[1], "version")) {
		argv[1][0] == 'h' ? print_help() : print_version();
		return true;
	}
	for (i = 1; i < argc && !is_word(argv[i], "--"); i++) {
		if (is_word(argv[i], "--help") || is_word(argv[i], "-h")) {
			print_help();
			return true;
		}
		if (is_word(argv[i], "--version") || is_word(argv[i], "-V")) {
			print_version();
			return true;
		}
	}
	return false;
}

/* Where stdin, stdout or stderr is closed, a file that is opened later would
 * take its place, and be written to.  Writing to these fails instead, and so
 * does reading from stdin. */
static void occupy_standard_files(void)
{
	int fd;

	if (fcntl(STDIN_FILENO, F_GETFD) < 0)
		open("/dev/null", O_WRONLY);
	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct arguments arguments;
	int status;

	occupy_standard_files();
	if (argc < 2)
		return usage_error("no dump was named");
	if (print_about(argc, argv))
		return finish_stdout() ? EXIT_CLEAN : EXIT_INPUT;
	command = find_command(argv[1]);
	if (command) {
		argc--;
		argv++;
	} else {
		command = &commands[0];
	}
	if (!arguments_parse(command, argc, argv, &arguments))
		return EXIT_USAGE;
	interrupt_catch();
	status = command->run(&arguments);
	messages_end();
	interrupt_die();
	return status;
}
