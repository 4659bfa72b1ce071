/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns libfyaml's events into nodes with places. Events rather than its
 * documents, because a document expands aliases, and because here depth and
 * number of nodes can be bounded while they arrive. */
#include "config/node.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* A container that is still open: its children are those pending from `first`. */
struct frame {
	struct yaml_node *node;
	size_t first;
};

struct builder {
	struct yaml *y;
	struct yaml_node **pending; /* finished children of open containers */
	size_t pending_count, pending_room;
	struct frame frames[YAML_DEPTH_MOST];
	size_t depth, nodes, documents;
	unsigned line, column; /* of the newest token that had a place */
	bool refused;          /* a problem was noted that ends the reading */
	struct yaml_node *root;
};

static void refuse(struct builder *b, const char *text)
{
	problems_note(b->y->problems, b->y->file, b->line, b->column, "%s", text);
	b->refused = true;
}

static void run_short(struct builder *b)
{
	refuse(b, "there is no memory to read this file; free some and try again");
}

static struct yaml_node *make_node(struct builder *b, enum yaml_kind kind)
{
	struct yaml_node *n = NULL;

	if (b->nodes++ >= YAML_NODES_MOST) {
		refuse(b, "the file holds more than a million values; split it or make it smaller");
		return NULL;
	}
	n = arena_alloc(&b->y->memory, sizeof(*n));
	if (!n) {
		run_short(b);
		return NULL;
	}
	n->file = b->y;
	n->kind = kind;
	n->line = b->line;
	n->column = b->column;
	return n;
}

static void push_pending(struct builder *b, struct yaml_node *n)
{
	if (b->pending_count == b->pending_room) {
		size_t room = b->pending_room ? b->pending_room * 2 : 64;
		struct yaml_node **list = realloc(b->pending, room * sizeof(*list));
		if (!list) {
			run_short(b);
			return;
		}
		b->pending = list;
		b->pending_room = room;
	}
	b->pending[b->pending_count++] = n;
}

/* True when the next value in the open container is a map's key. */
static bool expects_key(const struct builder *b)
{
	if (!b->depth)
		return false;
	const struct frame *top = &b->frames[b->depth - 1];
	return top->node->kind == YAML_MAP && (b->pending_count - top->first) % 2 == 0;
}

static void place(struct builder *b, struct yaml_node *n)
{
	if (b->depth)
		push_pending(b, n);
	else if (!b->root)
		b->root = n;
}

static void open_container(struct builder *b, enum yaml_kind kind)
{
	if (expects_key(b)) {
		refuse(b,
		       "a list or map stands where a key belongs; write a plain word as the key");
		return;
	}
	if (b->depth == YAML_DEPTH_MOST) {
		refuse(b, "values are nested more than 64 deep; write them flatter");
		return;
	}
	struct yaml_node *n = make_node(b, kind);
	if (!n)
		return;
	place(b, n);
	b->frames[b->depth++] = (struct frame){ n, b->pending_count };
}

static void close_container(struct builder *b)
{
	struct frame top = b->frames[--b->depth];
	size_t count = b->pending_count - top.first;

	if (count) {
		struct yaml_node **children = arena_alloc(&b->y->memory, count * sizeof(*children));
		if (!children) {
			run_short(b);
			return;
		}
		memcpy(children, b->pending + top.first, count * sizeof(*children));
		top.node->children = (const struct yaml_node *const *)children;
		top.node->count = count;
	}
	b->pending_count = top.first;
}

static bool is_null(struct fy_token *token, const char *text, size_t n)
{
	if (!token)
		return true;
	if (fy_token_scalar_style(token) != FYSS_PLAIN)
		return false;
	return n == 0 || (n == 1 && *text == '~') || (n == 4 && !memcmp(text, "null", 4));
}

static void add_scalar(struct builder *b, struct fy_token *token)
{
	size_t n = 0;
	const char *text = token ? fy_token_get_text(token, &n) : "";
	bool key = expects_key(b);

	if (!text) {
		run_short(b);
		return;
	}
	if (memchr(text, '\0', n)) {
		refuse(b, "a text holds a NUL character; leave it out");
		return;
	}
	struct yaml_node *node =
		make_node(b, !key && is_null(token, text, n) ? YAML_ABSENT : YAML_TEXT);
	if (!node)
		return;
	node->text = arena_text(&b->y->memory, text, n);
	if (!node->text)
		run_short(b);
	else
		place(b, node);
}

static void stand_at(struct builder *b, struct fy_token *token)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

	if (!mark)
		return;
	enum fy_scalar_style style = fy_token_scalar_style(token);
	bool quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
	b->line = (unsigned)mark->line + 1;
	/* The library's mark is behind the opening quote. */
	b->column = (unsigned)mark->column + 1 - (quoted && mark->column);
}

static void refuse_anchor(struct builder *b, struct fy_token *anchor)
{
	if (!anchor)
		return;
	stand_at(b, anchor);
	if (b->column > 1)
		b->column--; /* the sign itself */
	refuse(b, "anchors and aliases (& and *) are not read; write the value out, "
		  "or in quotes when it is a text");
}

static void take_event(struct builder *b, const struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START:
		stand_at(b, event->document_start.document_start);
		if (b->documents++)
			refuse(b, "a second document starts here; one file holds one");
		break;
	case FYET_MAPPING_START:
		stand_at(b, event->mapping_start.mapping_start);
		refuse_anchor(b, event->mapping_start.anchor);
		open_container(b, YAML_MAP);
		break;
	case FYET_SEQUENCE_START:
		stand_at(b, event->sequence_start.sequence_start);
		refuse_anchor(b, event->sequence_start.anchor);
		open_container(b, YAML_LIST);
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		close_container(b);
		break;
	case FYET_ALIAS:
		refuse_anchor(b, event->alias.anchor);
		break;
	case FYET_SCALAR:
		stand_at(b, event->scalar.value);
		refuse_anchor(b, event->scalar.anchor);
		add_scalar(b, event->scalar.value);
		break;
	default:
		break;
	}
}

static void note_errors(struct builder *b, struct fy_diag *diag)
{
	void *at = NULL;
	bool any = false;

	for (struct fy_diag_error *e; (e = fy_diag_errors_iterate(diag, &at)); any = true)
		problems_note(b->y->problems, b->y->file, e->line > 0 ? (unsigned)e->line : 0,
			      e->column > 0 ? (unsigned)e->column : 0,
			      "this is not YAML: %s; mend or quote what stands here", e->msg);
	if (!any)
		refuse(b, "this is not YAML from here on; mend or quote what stands here");
	b->refused = true;
}

static void take_events(struct builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
	while (!b->refused) {
		struct fy_event *event = fy_parser_parse(parser);
		if (!event)
			break;
		take_event(b, event);
		fy_parser_event_free(parser, event);
	}
	if (!b->refused && fy_parser_get_stream_error(parser))
		note_errors(b, diag);
}

static void read_events(struct builder *b, const char *text, size_t n)
{
	struct fy_diag_cfg quiet;

	fy_diag_cfg_default(&quiet);
	quiet.fp = NULL;
	quiet.level = FYET_ERROR;
	struct fy_diag *diag = fy_diag_create(&quiet);
	if (!diag) {
		run_short(b);
		return;
	}
	fy_diag_set_collect_errors(diag, true);
	struct fy_parse_cfg how = {
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
			 FYPCF_JSON_NONE,
		.diag = diag,
	};
	struct fy_parser *parser = fy_parser_create(&how);
	if (parser && !fy_parser_set_string(parser, text, n))
		take_events(b, parser, diag);
	else
		run_short(b);
	if (parser)
		fy_parser_destroy(parser);
	fy_diag_destroy(diag);
}

/* Length of the UTF-8 character at `p` (RFC 3629), or 0 when there is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	size_t n = *p < 0x80   ? 1
		   : *p < 0xc2 ? 0
		   : *p < 0xe0 ? 2
		   : *p < 0xf0 ? 3
		   : *p < 0xf5 ? 4
			       : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xf0 && p[1] < 0x90);
	bool beyond = (*p == 0xed && p[1] > 0x9f) || (*p == 0xf4 && p[1] > 0x8f);
	return overlong || beyond ? 0 : n;
}

/* libfyaml takes a stray byte for the end of the file, and says nothing. */
static bool is_text(struct builder *b, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + n;

	b->line = b->column = 1;
	while (p < end) {
		size_t length = utf8_length(p, (size_t)(end - p));
		bool control = (*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r') ||
			       *p == 0x7f || (*p == 0xc2 && length && p[1] < 0xa0);
		if (!length || control) {
			refuse(b, "this is no text file: a byte here is neither UTF-8 nor a "
				  "printable character; save the file as UTF-8");
			return false;
		}
		b->column++;
		if (*p == '\n') {
			b->line++;
			b->column = 1;
		}
		p += length;
	}
	b->line = b->column = 1;
	return true;
}

static struct yaml *start(const char *name, struct problems *problems)
{
	struct yaml *y = calloc(1, sizeof(*y));

	if (!y)
		return NULL;
	y->problems = problems;
	y->file = arena_text(&problems->memory, name, strlen(name));
	if (!y->file)
		y->file = "a file";
	return y;
}

static struct yaml *build(struct yaml *y, const char *text, size_t n)
{
	struct builder b = { .y = y, .line = 1, .column = 1 };

	if (is_text(&b, text, n))
		read_events(&b, text, n);
	if (!b.refused && !b.root)
		b.root = make_node(&b, YAML_ABSENT);
	free(b.pending);
	if (b.refused) {
		yaml_close(y);
		return NULL;
	}
	y->root = b.root;
	return y;
}

struct yaml *yaml_parse(const char *name, const void *bytes, size_t n, struct problems *problems)
{
	struct yaml *y = start(name, problems);

	if (!y) {
		problems_note(problems, "memory", 0, 0, "there is none left to read a file");
		return NULL;
	}
	if (n > YAML_FILE_MOST) {
		problems_note(problems, y->file, 0, 0,
			      "the file is larger than 16 MiB; make it smaller");
		yaml_close(y);
		return NULL;
	}
	return build(y, n ? bytes : "", n);
}

static const char *remedy(int error)
{
	switch (error) {
	case ENOENT:
		return "name a file that exists";
	case EACCES:
	case EPERM:
		return "give this program's user the right to read it";
	case EISDIR:
		return "name a file, not a folder";
	case EFBIG:
		return "make it smaller than 16 MiB";
	default:
		return "mend the cause and try again";
	}
}

struct yaml *yaml_open(const char *path, struct problems *problems)
{
	struct buf text = { 0 };
	struct yaml *y = NULL;
	int error = file_read(path, YAML_FILE_MOST, &text);

	if (!error) {
		y = yaml_parse(path, text.data, text.len, problems);
	} else {
		const char *file = arena_text(&problems->memory, path, strlen(path));
		problems_note(problems, file ? file : "the file", 0, 0, "cannot be read: %s; %s",
			      strerror(-error), remedy(-error));
	}
	buf_finish(&text);
	return y;
}

void yaml_close(struct yaml *y)
{
	if (!y)
		return;
	arena_finish(&y->memory);
	free(y);
}

const struct yaml_node *yaml_root(const struct yaml *y)
{
	return y->root;
}
