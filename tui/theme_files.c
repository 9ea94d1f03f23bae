/* Where themes come from: files of the user's, what is compiled in, the installed folder. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "tui/theme_private.h"

#ifndef THEME_DIR
#define THEME_DIR "/usr/local/share/redoubt/themes"
#endif

#define THEME_FILE_BYTES (64 * 1024)

#define FOLDERS 2 /* the user's, then what the system's administrator has put beside ours */

static bool theme_folder(int which, struct buf *path)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	buf_reset(path);
	if (which == 1)
		buf_addstr(path, THEME_DIR);
	else if (config && *config)
		buf_addf(path, "%s/redoubt/themes", config);
	else if (home && *home)
		buf_addf(path, "%s/.config/redoubt/themes", home);
	return path->len > 0;
}

static bool read_named(int folder, const char *name, struct buf *path, struct buf *text)
{
	if (!theme_folder(folder, path))
		return false;
	buf_addf(path, "/%s.theme", name);
	return file_read(buf_str(path), THEME_FILE_BYTES, text, NULL);
}

static void name_of_path(const char *path, char *out, size_t size)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strlen(base);

	if (len > 6 && strcmp(base + len - 6, ".theme") == 0)
		len -= 6;
	text_clean(out, size, base, len);
}

static void say_not_found(const char *name, struct buf *err)
{
	struct buf path = BUF_INIT;
	char clean[64], place[512];

	text_clean(clean, sizeof(clean), name, strlen(name));
	buf_addf(err, "theme '%s' not found; there are", clean);
	for (size_t i = 0; theme_builtin_names[i]; i++)
		buf_addf(err, "%s %s", i ? "," : "", theme_builtin_names[i]);
	buf_addstr(err, "; looked for a file of the name in");
	for (int i = 0; i < FOLDERS; i++)
		if (theme_folder(i, &path)) {
			text_clean(place, sizeof(place), path.data, path.len);
			buf_addf(err, "%s %s", i ? "," : "", place);
		}
	buf_free(&path);
}

static void say_unread(const char *path, int error, struct buf *err)
{
	char clean[512];

	text_clean(clean, sizeof(clean), path, strlen(path));
	buf_addf(err, "%s: %s", clean, file_reason(error));
}

static bool load_text(struct theme *t, const struct buf *path, const struct buf *text,
		      struct buf *err)
{
	char name[sizeof(t->name)], place[512]; /* both are shown on a terminal */

	name_of_path(path->data, name, sizeof(name));
	text_clean(place, sizeof(place), path->data, path->len);
	return theme_parse(t, name, buf_str(text), place, err);
}

bool theme_load(struct theme *t, const char *name_or_path, struct buf *err)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	bool ok = false;

	if (strcmp(name_or_path, "default") == 0) {
		theme_builtin(t);
		return true;
	}
	if (strchr(name_or_path, '/')) {
		buf_addstr(&path, name_or_path);
		if (file_read(name_or_path, THEME_FILE_BYTES, &text, NULL))
			ok = load_text(t, &path, &text, err);
		else
			say_unread(name_or_path, errno, err);
	} else if (read_named(0, name_or_path, &path, &text)) {
		ok = load_text(t, &path, &text, err);
	} else if (theme_compiled_in(t, name_or_path)) {
		ok = true;
	} else if (read_named(1, name_or_path, &path, &text)) {
		ok = load_text(t, &path, &text, err);
	} else if (strstr(name_or_path, ".theme") && file_read(name_or_path, THEME_FILE_BYTES, &text, NULL)) {
		buf_reset(&path); /* "my.theme" beside the caller */
		buf_addstr(&path, name_or_path);
		ok = load_text(t, &path, &text, err);
	} else {
		say_not_found(name_or_path, err);
	}
	buf_free(&path);
	buf_free(&text);
	return ok;
}

/* --- names -------------------------------------------------------------------------------- */

struct names { char (*names)[THEME_NAME_BYTES]; size_t count, max; };

static void add_name(struct names *n, const char *name, size_t len)
{
	char clean[THEME_NAME_BYTES];

	/* A name that is changed by cleaning or cut could not be loaded again. */
	if (len == 0 || len >= sizeof(clean) || text_clean(clean, sizeof(clean), name, len) != len ||
	    memcmp(clean, name, len) != 0)
		return;
	for (size_t i = 0; i < n->count && i < n->max; i++)
		if (strcmp(n->names[i], clean) == 0)
			return;
	if (n->count < n->max)
		memcpy(n->names[n->count], clean, len + 1);
	n->count++;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

size_t theme_names(char names[][THEME_NAME_BYTES], size_t max)
{
	struct names n = { .names = names, .max = max };
	struct buf path = BUF_INIT;
	size_t builtin;

	for (size_t i = 0; theme_builtin_names[i]; i++)
		add_name(&n, theme_builtin_names[i], strlen(theme_builtin_names[i]));
	builtin = n.count;
	for (int i = 0; i < FOLDERS; i++) {
		DIR *folder = theme_folder(i, &path) ? opendir(buf_str(&path)) : NULL;
		struct dirent *entry;
		while (folder && (entry = readdir(folder)) != NULL) {
			size_t len = strlen(entry->d_name);
			if (len > 6 && strcmp(entry->d_name + len - 6, ".theme") == 0)
				add_name(&n, entry->d_name, len - 6);
		}
		if (folder)
			closedir(folder);
	}
	buf_free(&path);
	if (n.count > builtin && builtin < max)
		qsort(names[builtin], (n.count < max ? n.count : max) - builtin, sizeof(*names),
		      compare_names);
	return n.count;
}

/* --- the library -------------------------------------------------------------------------- */

#define LIBRARY_NAMES 256

struct theme_entry {
	char *name; /* as it is asked for: a path is its own name */
	struct theme theme;
	struct buf error; /* why it can't be had; empty: it can */
};

struct theme_library {
	struct theme_entry *entries;
	size_t count, cap;
	size_t named; /* the first ones, which are offered by name */
};

static const struct theme_entry *find_entry(const struct theme_library *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->entries[i].name, name) == 0)
			return &l->entries[i];
	return NULL;
}

static void add_entry(struct theme_library *l, const char *name)
{
	struct theme_entry *e;

	if (find_entry(l, name))
		return;
	l->entries = mem_grow(l->entries, &l->cap, l->count + 1, sizeof(*l->entries));
	e = &l->entries[l->count++];
	memset(e, 0, sizeof(*e));
	e->name = mem_strdup(name);
	if (!theme_load(&e->theme, name, &e->error))
		memset(&e->theme, 0, sizeof(e->theme));
}

struct theme_library *theme_library_read(void)
{
	char (*names)[THEME_NAME_BYTES] = mem_alloc(LIBRARY_NAMES * sizeof(*names));
	struct theme_library *l = mem_alloc(sizeof(*l));
	size_t count = theme_names(names, LIBRARY_NAMES);

	for (size_t i = 0; i < count && i < LIBRARY_NAMES; i++)
		add_entry(l, names[i]);
	l->named = l->count;
	free(names);
	return l;
}

void theme_library_add(struct theme_library *l, const char *name_or_path)
{
	add_entry(l, name_or_path);
}

void theme_library_free(struct theme_library *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++) {
		free(l->entries[i].name);
		buf_free(&l->entries[i].error);
	}
	free(l->entries);
	free(l);
}

size_t theme_library_count(const struct theme_library *l)
{
	return l->named;
}

const char *theme_library_name(const struct theme_library *l, size_t index)
{
	return l->entries[index].name;
}

bool theme_library_get(const struct theme_library *l, const char *name, struct theme *out,
		       struct buf *err)
{
	const struct theme_entry *e = find_entry(l, name);

	if (!e)
		say_not_found(name, err);
	else if (e->error.len > 0)
		buf_addstr(err, e->error.data);
	else
		*out = e->theme;
	return e && e->error.len == 0;
}
