// SPDX-License-Identifier: GPL-2.0-only
/* The heat map in a terminal, as SVG and as HTML: see heat.h. */
#include <inttypes.h>
#include <string.h>

#include "heat.h"

#define LABEL		28	/* characters */
#define CELL_WIDTH	8
#define CELL_HEIGHT	12
#define LEFT		250
#define TOP		34

/* What refuses is a letter and not a shade, for those who see no colours. */
#define REFUSED		'X'

static const char shades[] = " .:-=+*#%@";

/* Of 256 colours, dark to light; red for what was refused. */
static const int colors[] = { 0, 17, 18, 19, 26, 32, 38, 44, 50, 123 };

static char mark(const struct heat *heat, const struct heat_cell *cell)
{
	return cell->refused ? REFUSED : shades[heat_level(heat, cell->accesses)];
}

static void text_cell(const struct heat *heat, const struct heat_cell *cell,
		      FILE *file, bool color)
{
	char c = mark(heat, cell);

	if (!color || c == ' ')
		fputc(c, file);
	else if (cell->refused)
		fprintf(file, "\033[48;5;160;38;5;15m%c\033[0m", c);
	else
		fprintf(file, "\033[48;5;%d;38;5;250m%c\033[0m",
			colors[heat_level(heat, cell->accesses)], c);
}

unsigned int heat_text(const struct heat *heat, FILE *file, bool color,
		       heat_name *name, void *arg)
{
	unsigned int row, column;
	char label[128];

	for (row = 0; row < heat->rows; row++) {
		name(arg, heat_address(heat, row), label, sizeof(label));
		fprintf(file, "%*.*s |", LABEL, LABEL, label);
		for (column = 0; column < heat->columns; column++)
			text_cell(heat, &heat->cell[row][column], file, color);
		fputs("|\n", file);
	}
	fprintf(file, "%*s  %u columns of %g s; few to many: \"%s\", refused: %c\n",
		LABEL, "", heat->columns, heat->seconds, shades, REFUSED);
	return heat->rows + 1;
}

/* Names come from a file: none of them may end the text it is in. */
static void put_escaped(const char *text, FILE *file)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text))
			fprintf(file, "&#%d;", *text);
		else if ((unsigned char)*text < 0x20)
			fputc('?', file);
		else
			fputc(*text, file);
	}
}

static void svg_cell(const struct heat *heat, unsigned int row,
		     unsigned int column, FILE *file)
{
	const struct heat_cell *cell = &heat->cell[row][column];
	int x = LEFT + column * CELL_WIDTH, y = TOP + row * CELL_HEIGHT;

	if (!cell->accesses)
		return;
	fprintf(file, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", x, y,
		CELL_WIDTH, CELL_HEIGHT);
	fprintf(file, " class=\"%s\" fill-opacity=\"%.2f\"><title>",
		cell->refused ? "r" : "a",
		cell->refused ? 1 : heat_level(heat, cell->accesses) / 9.0);
	fprintf(file, "%g s: %u accesses", column * heat->seconds,
		cell->accesses);
	if (cell->refused)
		fprintf(file, ", %u refused", cell->refused);
	fputs("</title></rect>\n", file);
}

static void svg_row(const struct heat *heat, unsigned int row, FILE *file,
		    heat_name *name, void *arg)
{
	unsigned int column;
	char label[128];

	name(arg, heat_address(heat, row), label, sizeof(label));
	fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 6,
		TOP + row * CELL_HEIGHT + CELL_HEIGHT - 3);
	put_escaped(label, file);
	fputs("</text>\n", file);
	for (column = 0; column < heat->columns; column++)
		svg_cell(heat, row, column, file);
}

static void svg_axis(const struct heat *heat, FILE *file, int bottom)
{
	unsigned int column;

	for (column = 0; column <= heat->columns; column += 12)
		fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%g s</text>\n",
			LEFT + column * CELL_WIDTH, bottom + 14,
			column * heat->seconds);
	fprintf(file, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"f\"/>\n",
		LEFT, TOP, (int)heat->columns * CELL_WIDTH, bottom - TOP);
}

void heat_svg(const struct heat *heat, FILE *file, const char *title,
	      heat_name *name, void *arg)
{
	int bottom = TOP + heat->rows * CELL_HEIGHT;
	int width = LEFT + heat->columns * CELL_WIDTH + 40;
	unsigned int row;

	if (width < 640)
		width = 640;
	fputs("<svg xmlns=\"http://www.w3.org/2000/svg\"", file);
	fprintf(file, " viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n", width,
		bottom + 40, width, bottom + 40);
	/* Greys that can be read on white and on black. */
	fputs("<style>text{font:10px monospace;fill:#808080}\n", file);
	fputs(".t{font:bold 12px sans-serif}.f{fill:none;stroke:#808080}\n", file);
	fputs(".a{fill:#1f77b4}.r{fill:#d62728}</style>\n", file);
	fputs("<text x=\"8\" y=\"18\" class=\"t\">", file);
	put_escaped(title, file);
	fputs("</text>\n", file);
	for (row = 0; row < heat->rows; row++)
		svg_row(heat, row, file, name, arg);
	svg_axis(heat, file, bottom);
	fprintf(file, "<text x=\"%d\" y=\"%d\">", LEFT, bottom + 30);
	fputs("blue: accesses, the more the stronger; red: refused</text>\n", file);
	fputs("</svg>\n", file);
}

static void html_row(const struct heat *heat, unsigned int row, FILE *file,
		     heat_name *name, void *arg)
{
	uint64_t accesses = 0, refused = 0;
	unsigned int column;
	char label[128];

	for (column = 0; column < heat->columns; column++) {
		accesses += heat->cell[row][column].accesses;
		refused += heat->cell[row][column].refused;
	}
	if (!accesses)
		return;
	name(arg, heat_address(heat, row), label, sizeof(label));
	fputs("<tr><td>", file);
	put_escaped(label, file);
	fprintf(file, "</td><td>0x%" PRIx64 "</td><td>%" PRIu64, heat_address(heat, row),
		accesses);
	fprintf(file, "</td><td>%" PRIu64 "</td></tr>\n", refused);
}

void heat_html(const struct heat *heat, FILE *file, const char *title,
	       heat_name *name, void *arg)
{
	unsigned int row;

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>",
	      file);
	put_escaped(title, file);
	fputs("</title>\n<style>:root{color-scheme:light dark}\n", file);
	fputs("body{font:14px sans-serif;margin:1em}table{border-collapse:collapse}\n",
	      file);
	fputs("td,th{padding:2px 12px;text-align:right}\n", file);
	fputs("td:first-child,th:first-child{text-align:left}</style></head><body>\n",
	      file);
	heat_svg(heat, file, title, name, arg);
	fputs("<table><tr><th>from</th><th>guest physical</th>", file);
	fputs("<th>accesses</th><th>refused</th></tr>\n", file);
	for (row = 0; row < heat->rows; row++)
		html_row(heat, row, file, name, arg);
	fputs("</table></body></html>\n", file);
}
