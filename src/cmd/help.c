// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/message.h"

static const char options[] =
	"Options of all but 'profile':\n"
	"  -s, --vmlinux FILE   vmlinux with debuginfo, or a profile; otherwise the last\n"
	"                       argument if it is one, otherwise found by build-id\n"
	"      --format FORMAT  text, json, or (leaks) kmemleak\n"
	"  -o, --output FILE    write there instead of to standard output; with 'leaks'\n"
	"                       -o NAME.kml keeps the whole result as a snapshot, which\n"
	"                       every command takes in place of VMCORE and VMLINUX\n"
	"  -v, --verbose        end with statistics of the run ('leaks', 'caches')\n"
	"  -q, --quiet          no warnings, no progress\n"
	"      --progress WHEN  auto, always or never\n"
	"      --threads N      0, the default: as many as there are CPUs\n"
	"      --force          accept a vmlinux of another build than the dump's\n"
	"      --cache-dir DIR  where layouts are kept between runs\n"
	"      --no-cache       keep nothing, use nothing that was kept\n"
	"\n"
	"Options of 'top':\n"
	"      --by WHAT        only these tables: cache,type,site,module,memcg,\n"
	"                       accumulation\n"
	"      --limit N        rows of each table; 0: all (10 unless told)\n"
	"\n"
	"Options of 'leaks', 'show', 'refs', 'path' and 'whatis'; --rules, --precise,\n"
	"--type, --no-types, --modules and --stack of 'top' as well:\n"
	"      --rules FILE     what you know of the kernel, see kmlanalyze(1); repeatable\n"
	"      --rules=list     print the built-in rules\n"
	"      --baseline FILE  report only what is not in this earlier JSON report\n"
	"      --type ADDR=TYPE what an object is, where you know it better; repeatable\n"
	"      --modules PATH   a module's file with debuginfo, or a folder of such: types of\n"
	"                       its structs and variables, source lines; repeatable\n"
	"      --no-types       do not find out of which type objects are, nor which count\n"
	"                       too many references: faster\n"
	"      --precise        where an object's type is known let only pointer members hold\n"
	"      --min-age SECS   do not report what is known to be younger\n"
	"      --stack WHICH    words of task stacks that hold objects: live (from the\n"
	"                       stack pointer up), whole, or off\n"
	"      --no-content     leave out the contents of memory ('leaks', 'show')\n"
	"      --no-lines       no source lines; symbol+offset instead ('leaks', 'path',\n"
	"                       'whatis')\n"
	"      --limit N        leaks listed per group, references of 'refs'; 0: all (text: 8\n"
	"                       unless told)\n"
	"\n"
	"Options of 'show':\n"
	"      --content        the contents of all objects, not only of leaked ones\n"
	"\n"
	"Options of 'leaks':\n"
	"      --held-by-stack  list what nothing but a task's stack holds, and who\n"
	"      --blind          list what looks like a reference to free objects, and would\n"
	"                       hide leaks as well\n"
	"\n"
	"Options of 'show':\n"
	"      --as-c           objects whose type is known as C as well\n"
	"\n"
	"Of a kernel with CONFIG_DEBUG_KMEMLEAK:\n"
	"      --kmemleak WHICH its own records: show, the report that it would print,\n"
	"                       or all\n"
	"      --compare kmemleak  its verdicts and ours, with the reason where they differ\n"
	"\n"
	"'whatis -' reads addresses from standard input, one a line.\n"
	"\n"
	"Exit status: 0 no leaks, 1 leaks, 2 usage, 3 input unusable or output not\n"
	"written, 4 result partial (leaks may be listed as well).\n";

void print_help(void)
{
	const struct command *command;

	puts("kmlanalyze: finds leaked memory in dumps of the Linux kernel\n");
	for (command = commands; command->name; command++)
		printf("  kmlanalyze %s %s\n      %s\n",
		       command == commands ? "[leaks]" : command->name,
		       command->usage, command->summary);
	puts("  kmlanalyze help | version\n");
	fputs(options, stdout);
}

void print_version(void)
{
	printf("kmlanalyze %s\n", kml_version());
}

bool finish_stdout(void)
{
	if (!ferror(stdout) && !fclose(stdout))
		return true;
	print_error("cannot write 'standard output': %s", strerror(errno));
	return false;
}
