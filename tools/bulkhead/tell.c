// SPDX-License-Identifier: GPL-2.0-only
/* Accesses as text and as JSON lines: see tell.h. */
#include <inttypes.h>
#include <string.h>

#include "tell.h"

#define UNKNOWN	UINT64_MAX

static const char *const outcomes[] = {
	[OUTCOME_DONE] = "done",
	[OUTCOME_SKIPPED] = "skipped",
	[OUTCOME_STOPPED] = "stopped",
	[OUTCOME_ALLOWED] = "allowed",
	[OUTCOME_RELEASED] = "released",
	[OUTCOME_UNHANDLED] = "unhandled",
};

static const char *access_name(uint32_t access)
{
	switch (access) {
	case BULKHEAD_TRACK_READ:
		return "read";
	case BULKHEAD_TRACK_WRITE:
		return "write";
	case BULKHEAD_TRACK_WRITTEN:
		return "written";
	case BULKHEAD_TRACK_EXEC:
		return "exec";
	case BULKHEAD_TRACK_WALK:
		return "walk";
	default:
		return "?";
	}
}

static bool refused(enum outcome outcome)
{
	return outcome == OUTCOME_SKIPPED || outcome == OUTCOME_STOPPED ||
	       outcome == OUTCOME_UNHANDLED;
}

static bool in_image(const struct image *image, uint64_t gpa, char *text,
		     size_t size)
{
	uint64_t address;

	return image->symbols && image_address(image, gpa, &address) &&
	       symbols_spell(image->symbols, address, text, size);
}

void tell_place(const struct image *image, uint64_t gpa, char *text, size_t size)
{
	if (!in_image(image, gpa, text, size))
		snprintf(text, size, "gpa:0x%" PRIx64, gpa);
}

static bool spell_code(const struct image *image, uint64_t rip, char *text,
		       size_t size)
{
	if (image->symbols)
		return symbols_spell(image->symbols, rip, text, size);
	snprintf(text, size, "0x%" PRIx64, rip);
	return false;
}

static bool has_data(const struct bulkhead_track_event *event)
{
	return event->access & (BULKHEAD_TRACK_WRITE | BULKHEAD_TRACK_WRITTEN);
}

static void put_data(FILE *out, const struct bulkhead_track_event *event)
{
	uint32_t i, len = event->len;

	if (len > sizeof(event->data))
		len = sizeof(event->data);
	for (i = 0; i < len; i++)
		fprintf(out, "%02x", event->data[i]);
}

void tell_text(const struct teller *t, double when,
	       const struct bulkhead_track_event *event, enum outcome outcome)
{
	bool red = t->color && refused(outcome);
	char target[160], code[160];

	tell_place(t->image, event->gpa, target, sizeof(target));
	spell_code(t->image, event->rip, code, sizeof(code));
	fprintf(t->out, "%s%12.6f vCPU %u %-7s %s", red ? "\033[1;31m" : "",
		when, event->vcpu, access_name(event->access), target);
	if (strncmp(target, "gpa:", 4))
		fprintf(t->out, " (gpa:0x%" PRIx64 ")", event->gpa);
	if (event->len)
		fprintf(t->out, " %u byte%s", event->len,
			event->len == 1 ? "" : "s");
	if (event->len && has_data(event)) {
		fputs(": ", t->out);
		put_data(t->out, event);
	}
	if (event->access != BULKHEAD_TRACK_EXEC)
		fprintf(t->out, " by %s (0x%" PRIx64 ")", code, event->rip);
	if (outcome != OUTCOME_DONE)
		fprintf(t->out, " -> %s", outcomes[outcome]);
	fputs(red ? "\033[0m\n" : "\n", t->out);
}

void tell_json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void put_registers(FILE *out, const struct bulkhead_track_registers *r)
{
	static const char *const names[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8",
		"r9", "r10", "r11", "r12", "r13", "r14", "r15", "rflags", "cr3",
	};
	uint64_t values[sizeof(names) / sizeof(*names)];
	size_t i;

	_Static_assert(sizeof(values) == sizeof(*r), "a name for each");
	memcpy(values, r, sizeof(values));
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		fprintf(out, "%s\"%s\": \"0x%" PRIx64 "\"", i ? ", " : "",
			names[i], values[i]);
}

static void put_symbol(FILE *out, const char *key, const char *symbol)
{
	fprintf(out, ", \"%s\": ", key);
	tell_json_string(out, symbol);
}

void tell_json(const struct teller *t, double when,
	       const struct bulkhead_track_event *event, enum outcome outcome)
{
	char symbol[160];

	fprintf(t->out, "{\"type\": \"access\", \"time\": %.6f, \"vcpu\": %u", when,
		event->vcpu);
	fprintf(t->out, ", \"access\": \"%s\", \"gpa\": \"0x%" PRIx64 "\"",
		access_name(event->access), event->gpa);
	if (event->gva != UNKNOWN)
		fprintf(t->out, ", \"gva\": \"0x%" PRIx64 "\"", event->gva);
	fprintf(t->out, ", \"rip\": \"0x%" PRIx64 "\"", event->rip);
	if (in_image(t->image, event->gpa, symbol, sizeof(symbol)))
		put_symbol(t->out, "target", symbol);
	if (spell_code(t->image, event->rip, symbol, sizeof(symbol)))
		put_symbol(t->out, "code", symbol);
	fprintf(t->out, ", \"bytes\": %u", event->len);
	if (event->len && has_data(event)) {
		fputs(", \"data\": \"", t->out);
		put_data(t->out, event);
		fputc('"', t->out);
	}
	if (t->registers) {
		fputs(", \"registers\": {", t->out);
		put_registers(t->out, &event->regs);
		fputc('}', t->out);
	}
	fprintf(t->out, ", \"outcome\": \"%s\"}\n", outcomes[outcome]);
}
