// SPDX-License-Identifier: GPL-2.0-only
/* The command line of `bulkhead watch`: see options.h. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#define TEXT_GPA	0x1000000ULL	/* of a kernel that is not moved */

enum {
	PROTECT_TEXT = 256, STOP, ALLOW, KASLR, TEXT_AT, VM, LOG, REGISTERS,
	TIMEOUT, HEAT, SVG, HTML, INTERVAL, COLOR,
};

static const struct option longs[] = {
	{ "map", required_argument, NULL, 'm' },
	{ "range", required_argument, NULL, 'r' },
	{ "protect", required_argument, NULL, 'p' },
	{ "protect-text", no_argument, NULL, PROTECT_TEXT },
	{ "stop", no_argument, NULL, STOP },
	{ "allow", required_argument, NULL, ALLOW },
	{ "kaslr-offset", required_argument, NULL, KASLR },
	{ "text-gpa", required_argument, NULL, TEXT_AT },
	{ "vm", required_argument, NULL, VM },
	{ "log", no_argument, NULL, LOG },
	{ "registers", no_argument, NULL, REGISTERS },
	{ "timeout", required_argument, NULL, TIMEOUT },
	{ "json", no_argument, NULL, 'j' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "heat", no_argument, NULL, HEAT },
	{ "svg", required_argument, NULL, SVG },
	{ "html", required_argument, NULL, HTML },
	{ "interval", required_argument, NULL, INTERVAL },
	{ "color", required_argument, NULL, COLOR },
	{ "time", required_argument, NULL, 't' },
	{ "events", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const char help[] =
	"Usage: bulkhead watch [OPTION]... PID\n"
	"Tell who reads, writes or executes memory of a guest of the process PID, and\n"
	"refuse writes to what is protected.\n\n"
	"  -m, --map FILE          System.map of the guest's kernel\n"
	"  -r, --range RANGE[=rwWxp]  watch it: before reads, before writes (the default),\n"
	"                          after writes, before execution; p tells page walks too\n"
	"  -p, --protect RANGE     refuse writes to it\n"
	"      --protect-text      the same as --protect _text.._etext\n"
	"      --stop              a write to what is protected stops the VM\n"
	"      --allow SYMBOL      let instructions of this function write to it\n"
	"      --kaslr-offset N    added to addresses of the map; or SYMBOL=ADDRESS\n"
	"      --text-gpa ADDRESS  guest physical address of _text (default 0x1000000)\n"
	"      --vm N              which VM of the process, from 0\n"
	"      --log               do not make the guest wait; events may be lost\n"
	"      --timeout SECONDS   a watcher silent for so long has failed (default 10)\n"
	"      --registers         put the guest's registers into JSON\n"
	"  -j, --json              one JSON object per line\n"
	"  -q, --quiet             tell refused writes only\n"
	"      --heat              a heat map in the terminal instead of lines\n"
	"      --svg FILE, --html FILE  write the heat map there at the end\n"
	"      --interval SECONDS  of a column of the heat map (default 1)\n"
	"      --color WHEN        auto, always or never\n"
	"  -t, --time SECONDS      end after that time\n"
	"  -n, --events N          end after that many accesses\n"
	"  -h, --help              this text\n\n"
	"RANGE is A, A..B or A..+BYTES; A and B are SYMBOL, SYMBOL+OFFSET, an address in\n"
	"the kernel image, or gpa:ADDRESS.\n\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage, 3 a write was refused.\n";

void complain(const char *fmt, ...)
{
	va_list args;

	fputs("bulkhead: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static bool integer(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool seconds(const char *text, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end != text && !*end && isfinite(*number) && *number > 0 &&
	       *number < 1e6;
}

static bool want(struct options *o, const char *text, bool protect)
{
	if (o->nr_wanted == MAX_RANGES)
		return false;
	o->wanted[o->nr_wanted++] = (struct wanted){ text, protect };
	return true;
}

static bool allow(struct options *o, const char *symbol)
{
	if (o->nr_allowed == MAX_ALLOWED)
		return false;
	o->allowed[o->nr_allowed++] = symbol;
	return true;
}

static bool set_color(struct options *o, const char *when)
{
	o->color = !strcmp(when, "always") ||
		   (!strcmp(when, "auto") && isatty(STDOUT_FILENO));
	return o->color || !strcmp(when, "never") || !strcmp(when, "auto");
}

static bool set_text_gpa(struct options *o, const char *value)
{
	o->has_text_gpa = true;
	return integer(value, &o->text_gpa) && !(o->text_gpa & 0xfff) &&
	       o->text_gpa < 1ULL << 52;
}

static bool set_vm(struct options *o, const char *value)
{
	uint64_t number = 0;
	bool good = integer(value, &number) && number < 64;

	o->vm = number;
	return good;
}

/* Where an option that is a text or a duration goes, or NULL. */
static const char **text_of(struct options *o, int option)
{
	switch (option) {
	case 'm':
		return &o->map;
	case KASLR:
		return &o->kaslr;
	case SVG:
		return &o->svg;
	case HTML:
		return &o->html;
	default:
		return NULL;
	}
}

static double *duration_of(struct options *o, int option)
{
	switch (option) {
	case TIMEOUT:
		return &o->timeout;
	case INTERVAL:
		return &o->interval;
	case 't':
		return &o->seconds;
	default:
		return NULL;
	}
}

static bool set_value(struct options *o, int option, const char *value)
{
	const char **text = text_of(o, option);
	double *duration = duration_of(o, option);

	if (text)
		*text = value;
	if (text || duration)
		return text || seconds(value, duration);
	switch (option) {
	case 'r':
		return want(o, value, false);
	case 'p':
		return want(o, value, true);
	case ALLOW:
		return allow(o, value);
	case COLOR:
		return set_color(o, value);
	case TEXT_AT:
		return set_text_gpa(o, value);
	case VM:
		return set_vm(o, value);
	default:
		return integer(value, &o->events) && o->events;
	}
}

static bool *flag_of(struct options *o, int option)
{
	switch (option) {
	case STOP:
		return &o->stop;
	case LOG:
		return &o->log;
	case REGISTERS:
		return &o->registers;
	case 'j':
		return &o->json;
	case 'q':
		return &o->quiet;
	case HEAT:
		return &o->heat;
	default:
		return NULL;
	}
}

static bool set_flag(struct options *o, int option)
{
	if (option == PROTECT_TEXT)
		return want(o, "_text.._etext", true);
	*flag_of(o, option) = true;
	return true;
}

static int usage(const char *fmt, const char *what)
{
	complain(fmt, what);
	fputs("Try 'bulkhead watch --help'.\n", stderr);
	return STATUS_USAGE;
}

/* -1: go on. */
static int set_option(struct options *o, int option)
{
	if (option == '?') {
		fputs("Try 'bulkhead watch --help'.\n", stderr);
		return STATUS_USAGE;
	}
	if (option == 'h') {
		fputs(help, stdout);
		return STATUS_DONE;
	}
	if (optarg ? set_value(o, option, optarg) : set_flag(o, option))
		return -1;
	return usage("'%s' is no good value there, or one too many",
		     optarg ? optarg : "--protect-text");
}

static const char *inconsistent(const struct options *o)
{
	bool protects = false;
	size_t i;

	for (i = 0; i < o->nr_wanted; i++)
		protects |= o->wanted[i].protect;
	if (!o->nr_wanted)
		return "nothing to watch: name it with --range or --protect";
	if (!protects && (o->stop || o->nr_allowed))
		return "--stop and --allow mean nothing without --protect";
	if (o->nr_allowed && !o->map)
		return "--allow needs the names of --map FILE";
	if (o->kaslr && !o->map)
		return "--kaslr-offset moves the symbols of --map FILE";
	if (o->json && o->heat)
		return "--heat and --json both want the output: take --svg or --html";
	return NULL;
}

static int parse_pid(struct options *o, int argc, char **argv)
{
	uint64_t pid;

	if (optind == argc)
		return usage("which process? It is the PID of QEMU%s", "");
	if (optind + 1 < argc)
		return usage("one PID is enough: '%s'", argv[optind + 1]);
	if (!integer(argv[optind], &pid) || !pid || pid > INT_MAX)
		return usage("'%s' is no PID", argv[optind]);
	o->pid = pid;
	return -1;
}

int options_parse(struct options *o, int argc, char **argv)
{
	const char *wrong;
	int c, at, status;

	*o = (struct options){ .text_gpa = TEXT_GPA, .interval = 1,
		.timeout = 10, .color = isatty(STDOUT_FILENO) };
	optind = 1;
	while ((c = getopt_long(argc, argv, "m:r:p:jqt:n:h", longs, &at)) != -1) {
		status = set_option(o, c);
		if (status >= 0)
			return status;
	}
	status = parse_pid(o, argc, argv);
	if (status >= 0)
		return status;
	wrong = inconsistent(o);
	return wrong ? usage("%s", wrong) : -1;
}
