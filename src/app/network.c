#include "config.h"

#include "app/network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/credentials.h"
#include "net/tls.h"

#define PASSWORD_MAX 4096

/* --- passwords --------------------------------------------------------------------------------- */

static char *first_line(char *line, ssize_t len)
{
	line[len] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	char *password = mem_strdup(line);
	explicit_bzero(line, PASSWORD_MAX);
	return password;
}

/* The first line of a file; owned. NULL with the reason in err. */
static char *read_password_file(const char *path, struct buf *err)
{
	char line[PASSWORD_MAX] = "";
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		buf_addf(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	/* A pipe (<(...)) has no mode that says anything. */
	bool open_to_others = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0;
	ssize_t len = open_to_others ? -1 : read(fd, line, sizeof(line) - 1);
	int error = errno;
	close(fd);
	if (open_to_others)
		buf_addf(err, "%s: is readable by others: chmod 600", path);
	else if (len < 0)
		buf_addf(err, "%s: %s", path, strerror(error));
	else if (len == 0 || line[0] == '\n')
		buf_addf(err, "%s: is empty", path);
	return err->len == 0 ? first_line(line, len) : NULL;
}

/* Asks on the terminal without echo; owned. NULL with the reason in err. */
static char *ask_password(struct buf *err)
{
	static const char question[] = "Password: ";
	char line[PASSWORD_MAX] = "";
	struct termios before, quiet;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &before) != 0) {
		if (fd >= 0)
			close(fd);
		buf_addstr(err, "--askpass: no terminal to ask on");
		return NULL;
	}
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	tcsetattr(fd, TCSAFLUSH, &quiet);
	ssize_t len = write(fd, question, sizeof(question) - 1);
	len = len > 0 ? read(fd, line, sizeof(line) - 1) : len;
	tcsetattr(fd, TCSAFLUSH, &before);
	close(fd);
	if (len > 1)
		return first_line(line, len);
	buf_addstr(err, "--askpass: no password was given");
	return NULL;
}

/* Where one pair of a deployment comes from, first that is given. */
struct source {
	enum credential_kind kind;
	const char *user, *password, *file, *variable, *fallback_variable;
	const char *file_key;
	bool ask;
};

static char *from_environment(const char *name)
{
	const char *value = name != NULL ? getenv(name) : NULL;
	return value != NULL && value[0] != '\0' ? mem_strdup(value) : NULL;
}

/* NULL when there is none, or with the reason in err. */
static char *find_password(const struct source *s, struct buf *err)
{
	struct buf why = BUF_INIT;
	char *password = NULL;
	if (s->ask)
		return ask_password(err);
	if (s->password != NULL)
		return mem_strdup(s->password);
	if (s->file != NULL) {
		password = read_password_file(s->file, &why);
		if (password == NULL)
			buf_addf(err, "%s: %s", s->file_key, buf_str(&why));
		buf_free(&why);
		return password;
	}
	if (s->variable != NULL) {
		password = from_environment(s->variable);
		if (password == NULL)
			buf_addf(err, "%s: the environment has no %s", s->file_key, s->variable);
		return password;
	}
	return from_environment(s->fallback_variable);
}

static bool add_pair(struct credentials *c, const struct source *s, struct buf *err)
{
	char *password = find_password(s, err);
	/* Without a password the name would be ignored, and the server's NOAUTH would puzzle. */
	if (err->len == 0 && s->user != NULL && password == NULL)
		buf_addf(err, "%suser: needs a password as well (%s)",
			 s->kind == CREDENTIAL_SENTINEL ? "sentinel-" : "", s->file_key);
	if (err->len == 0 && password != NULL)
		credentials_set(c, s->kind, s->user, password);
	mem_wipe_free(password, password != NULL ? strlen(password) : 0);
	return err->len == 0;
}

/* A URI's password opens its own target. The members that it leads to are most often reached with
 * the same; but where several targets are named, one's secret is not shown to another. */
static void add_uri_passwords(struct credentials *c, const struct settings *s)
{
	for (size_t i = 0; i < s->target_count; i++) {
		const struct target *t = &s->targets[i];
		if (t->password == NULL)
			continue;
		credentials_set_for(c, &t->addr, t->user, t->password);
		if (s->target_count > 1)
			continue;
		if (!credentials_have(c, CREDENTIAL_DATA))
			credentials_set(c, CREDENTIAL_DATA, t->user, t->password);
		if (!credentials_have(c, CREDENTIAL_SENTINEL))
			credentials_set(c, CREDENTIAL_SENTINEL, t->user, t->password);
	}
}

static bool add_credentials(struct credentials *c, const struct settings *s, bool ask,
			    struct buf *err)
{
	/* The environment's variables are the command line's; a section names its own. */
	bool section = s->name[0] != '\0';
	const struct source data = { .kind = CREDENTIAL_DATA,
				     .user = s->user,
				     .password = s->password,
				     .file = s->pass_file,
				     .variable = s->pass_env,
				     .fallback_variable = section ? NULL : "REDISCLI_AUTH",
				     .file_key = s->pass_env != NULL ? "pass-env" : "pass-file",
				     .ask = ask };
	const struct source sentinel = { .kind = CREDENTIAL_SENTINEL,
					 .user = s->sentinel_user,
					 .password = s->sentinel_password,
					 .file = s->sentinel_pass_file,
					 .variable = s->sentinel_pass_env,
					 .fallback_variable = section ? NULL : "REDOUBT_SENTINEL_AUTH",
					 .file_key = s->sentinel_pass_env != NULL ? "sentinel-pass-env"
										  : "sentinel-pass-file" };
	if (!add_pair(c, &data, err) || !add_pair(c, &sentinel, err))
		return false;
	add_uri_passwords(c, s);
	return true;
}

/* --- TLS --------------------------------------------------------------------------------------- */

static enum tls_use wanted_tls(const struct settings *s)
{
	enum tls_use use = s->tls;
	for (size_t i = 0; i < s->target_count; i++)
		if (s->targets[i].tls)
			use = TLS_USE_ALL;
	return use;
}

static bool add_tls(struct net_profile *p, const struct settings *s, struct buf *err)
{
	const struct tls_options o = { .cacert = s->cacert, .cacertdir = s->cacertdir, .cert = s->cert,
				       .key = s->key, .sni = s->sni, .insecure = s->insecure };
	enum tls_use use = wanted_tls(s);
	bool has_tls_keys = s->cacert != NULL || s->cacertdir != NULL || s->cert != NULL ||
			    s->key != NULL || s->sni != NULL || s->insecure;
	if (use == TLS_USE_NONE) {
		if (has_tls_keys)
			buf_addstr(err, "tls: is needed for cacert, cacertdir, cert, key, sni and insecure");
		return !has_tls_keys;
	}
	struct tls_context *c = tls_context_new(&o, err);
	p->tls_data = use & TLS_USE_DATA ? c : NULL;
	p->tls_sentinel = use & TLS_USE_SENTINEL ? c : NULL;
	return c != NULL;
}

/* --- all of it --------------------------------------------------------------------------------- */

static bool add_profile(struct network *n, const struct settings *s, bool ask, struct buf *err)
{
	struct buf why = BUF_INIT;
	struct net_profile *p = &n->profiles[n->count];
	struct credentials *c = credentials_new();
	n->settings[n->count++] = s;
	*p = (struct net_profile){ .credentials = c, .map = &s->map };
	bool ok = add_credentials(c, s, ask, &why) && add_tls(p, s, &why);
	if (!ok && s->name[0] != '\0')
		buf_addf(err, "[deployment %s]: ", s->name);
	else if (!ok && buf_str(&why)[0] != '-')
		buf_addstr(err, "--");
	buf_addstr(err, buf_str(&why));
	buf_free(&why);
	return ok;
}

static void add_demo(struct network *n, const struct demo *demo)
{
	/* The profile is ours; it is const for the watch only. */
	struct credentials *c = (struct credentials *)n->profiles[0].credentials;
	credentials_set(c, CREDENTIAL_DATA, NULL, demo->data_password);
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, demo->sentinel_password);
}

bool network_build(struct network *n, const struct options *o, const struct demo *demo,
		   struct buf *err)
{
	const struct config *c = &o->config;
	bool use_file = demo == NULL && o->cli.target_count == 0 && c->deployment_count > 0;
	size_t count = use_file ? c->deployment_count : 1;
	bool ok = true;
	*n = (struct network){ 0 };
	n->settings = mem_alloc(count * sizeof(*n->settings));
	n->profiles = mem_alloc(count * sizeof(*n->profiles));
	for (size_t i = 0; ok && i < count; i++)
		ok = add_profile(n, use_file ? &c->deployments[i] : &o->cli, !use_file && o->askpass, err);
	if (ok && demo != NULL)
		add_demo(n, demo);
	unsetenv("REDISCLI_AUTH");
	unsetenv("REDOUBT_SENTINEL_AUTH");
	return ok;
}

void network_free(struct network *n)
{
	for (size_t i = 0; i < n->count; i++) {
		struct net_profile *p = &n->profiles[i];
		const struct tls_context *tls = p->tls_data != NULL ? p->tls_data : p->tls_sentinel;
		tls_context_free((struct tls_context *)tls);
		credentials_free((struct credentials *)p->credentials);
	}
	free(n->profiles);
	free(n->settings);
	*n = (struct network){ 0 };
}
