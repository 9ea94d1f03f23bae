/* Completions for bash, zsh and fish from the table of options. */
#include "config.h"

#include "app/docs.h"

#include <string.h>

/* What the words of a value come to: choices with blanks between them, and kinds of files. */
struct offer {
	struct buf words;
	bool files, folders;
};

static struct offer offer_of(const struct option_doc *o, const char *themes)
{
	struct offer f = { BUF_INIT, false, false };
	const char *rest = o->value_name, *word;
	size_t len;
	while (rest != NULL) {
		enum docs_value value = docs_next_word(&rest, &word, &len);
		if (value == DOCS_WORD || value == DOCS_THEME) {
			buf_addstr(&f.words, f.words.len > 0 ? " " : "");
			buf_add(&f.words, value == DOCS_THEME ? themes : word,
				value == DOCS_THEME ? strlen(themes) : len);
		}
		f.files |= value == DOCS_FILE;
		f.folders |= value == DOCS_FOLDER;
	}
	return f;
}

/* --- bash -------------------------------------------------------------------------------------- */

static const char bash_head[] =
	"# bash completion of redoubt. Made by `make docs` from the table of options.\n"
	"_redoubt() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} equals='' i\n"
	"\tCOMPREPLY=()\n"
	"\t# bash takes --option=value apart at the equals sign.\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\tcur='' equals='='\n"
	"\telif [[ $prev == = ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD - 2]} equals='='\n"
	"\tfi\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} != -- ]] || return 0\n"
	"\tdone\n"
	"\tcase $prev$equals in\n";

static void bash_option(const struct option_doc *o, const char *themes, struct buf *out)
{
	if (o->value_name == NULL)
		return;
	struct offer f = offer_of(o, themes);
	buf_addch(out, '\t');
	if (!o->value_optional && o->short_name != 0)
		buf_addf(out, "-%c | ", o->short_name);
	if (!o->value_optional)
		buf_addf(out, "--%s | ", o->name);
	buf_addf(out, "--%s=)\n", o->name);
	if (f.files || f.folders)
		buf_addstr(out, "\t\tcompopt -o filenames 2>/dev/null\n");
	if (f.files || f.folders || f.words.len > 0) {
		buf_addf(out, "\t\tmapfile -t COMPREPLY < <(compgen%s", f.files ? " -f" : f.folders ? " -d" : "");
		if (f.words.len > 0)
			buf_addf(out, " -W '%s'", f.words.data);
		buf_addstr(out, " -- \"$cur\")\n");
	}
	buf_addstr(out, "\t\treturn 0\n\t\t;;\n");
	buf_free(&f.words);
}

static void make_bash(const char *themes, struct buf *out)
{
	struct option_doc o;
	buf_addstr(out, bash_head);
	for (size_t i = 0; option_at(i, &o); i++)
		bash_option(&o, themes, out);
	buf_addstr(out, "\tesac\n\t[[ $cur == -* ]] || return 0\n\tmapfile -t COMPREPLY < <(compgen -W '");
	for (size_t i = 0; option_at(i, &o); i++) {
		if (o.short_name != 0)
			buf_addf(out, "%s-%c", i > 0 ? " " : "", o.short_name);
		buf_addf(out, "%s--%s", i > 0 || o.short_name != 0 ? " " : "", o.name);
	}
	buf_addstr(out, "' -- \"$cur\")\n}\ncomplete -F _redoubt redoubt\n");
}

/* --- zsh --------------------------------------------------------------------------------------- */

/* Within '...': brackets and colons would end what they stand in. */
static void zsh_text(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			buf_addstr(out, "'\\'");
		else if (strchr("[]:\\", *s) != NULL)
			buf_addch(out, '\\');
		buf_addch(out, *s);
	}
}

static void zsh_action(const struct offer *f, struct buf *out)
{
	const char *files = f->files ? "_files" : "_files -/";
	if (f->words.len > 0 && (f->files || f->folders))
		buf_addf(out, "{_alternative \"words\\:word\\:(%s)\" \"files\\:file\\:%s\"}", f->words.data, files);
	else if (f->words.len > 0)
		buf_addf(out, "(%s)", f->words.data);
	else
		buf_addstr(out, f->files || f->folders ? files : " ");
}

static void zsh_option(const struct option_doc *o, const char *themes, struct buf *out)
{
	bool repeats = strstr(o->help, "repeatable") != NULL;
	const char *sign = o->value_name == NULL ? "" : o->value_optional ? "=-" : "=";
	buf_addstr(out, " \\\n\t");
	if (repeats)
		buf_addf(out, "'*--%s%s", o->name, sign);
	else if (o->short_name != 0)
		buf_addf(out, "'(-%c --%s)'{-%c%s,--%s%s}'", o->short_name, o->name, o->short_name,
			 o->value_name != NULL ? "+" : "", o->name, sign);
	else
		buf_addf(out, "'--%s%s", o->name, sign);
	buf_addch(out, '[');
	zsh_text(out, o->help);
	buf_addch(out, ']');
	if (o->value_name != NULL) {
		struct offer f = offer_of(o, themes);
		buf_addstr(out, o->value_optional ? "::" : ":");
		zsh_text(out, o->value_name);
		buf_addch(out, ':');
		zsh_action(&f, out);
		buf_free(&f.words);
	}
	buf_addch(out, '\'');
}

static void make_zsh(const char *themes, struct buf *out)
{
	struct option_doc o;
	buf_addstr(out, "#compdef redoubt\n"
			"# zsh completion of redoubt. Made by `make docs` from the table of options.\n"
			"_arguments -s -S");
	for (size_t i = 0; option_at(i, &o); i++)
		zsh_option(&o, themes, out);
	buf_addstr(out, " \\\n\t'*:target: '\n");
}

/* --- fish -------------------------------------------------------------------------------------- */

static void fish_text(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			buf_addch(out, '\\');
		buf_addch(out, *s);
	}
}

static void fish_option(const struct option_doc *o, const char *themes, struct buf *out)
{
	struct offer f = offer_of(o, themes);
	buf_addstr(out, "complete -c redoubt");
	if (o->short_name != 0)
		buf_addf(out, " -s %c", o->short_name);
	buf_addf(out, " -l %s", o->name);
	if (o->value_name != NULL && !o->value_optional)
		buf_addstr(out, f.files ? " -r -F" : " -x");
	if (f.folders)
		buf_addstr(out, " -a '(__fish_complete_directories)'");
	else if (f.words.len > 0)
		buf_addf(out, " -a '%s'", f.words.data);
	buf_addstr(out, " -d '");
	fish_text(out, o->help);
	buf_addstr(out, "'\n");
	buf_free(&f.words);
}

static void make_fish(const char *themes, struct buf *out)
{
	struct option_doc o;
	buf_addstr(out, "# fish completion of redoubt. Made by `make docs` from the table of options.\n"
			"complete -c redoubt -f\n");
	for (size_t i = 0; option_at(i, &o); i++)
		fish_option(&o, themes, out);
}

bool docs_completion(const char *shell, const char *themes, struct buf *out)
{
	static const struct {
		const char *name;
		void (*make)(const char *themes, struct buf *out);
	} shells[] = { { "bash", make_bash }, { "zsh", make_zsh }, { "fish", make_fish } };
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, shell) != 0)
			continue;
		shells[i].make(themes, out);
		return true;
	}
	return false;
}
