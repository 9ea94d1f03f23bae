#include "config.h"

#include "app/network.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/credentials.h"
#include "net/tls.h"

#define PASSWORD_MAX 4096

/* --- passwords --------------------------------------------------------------------------------- */

/* Up to a newline, the end or a full line; bytes, -1 with errno set. */
static ssize_t read_line(int fd, char *line, size_t size)
{
	size_t len = 0;
	while (len < size && memchr(line, '\n', len) == NULL) {
		ssize_t n = read(fd, line + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* The first of the bytes' lines; owned. NULL with the reason in err. */
static char *first_line(const char *line, size_t len, struct buf *err)
{
	const char *newline = memchr(line, '\n', len);
	size_t end = newline != NULL ? (size_t)(newline - line) : len;
	while (end > 0 && line[end - 1] == '\r')
		end--;
	if (end >= PASSWORD_MAX)
		buf_addf(err, "is longer than %d bytes", PASSWORD_MAX - 1);
	else if (end == 0)
		buf_addstr(err, "is empty");
	else if (memchr(line, '\0', end) != NULL)
		buf_addstr(err, "holds a NUL byte");
	if (err->len > 0)
		return NULL;
	char *password = mem_alloc(end + 1);
	memcpy(password, line, end);
	return password;
}

/* The first line of a file; owned. NULL with the reason in err. */
static char *read_password_file(const char *path, struct buf *err)
{
	char line[PASSWORD_MAX + 2]; /* the longest, and its CR and LF */
	char name[1024];             /* for messages: they go to a terminal */
	struct buf why = BUF_INIT;
	struct stat st;
	text_clean(name, sizeof(name), path, strlen(path));
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		buf_addf(err, "%s: %s", name, strerror(errno));
		return NULL;
	}
	char *password = NULL;
	ssize_t len;
	/* A pipe (<(...)) has no mode that says anything. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		buf_addstr(&why, "is readable by others: chmod 600");
	else if ((len = read_line(fd, line, sizeof(line))) < 0)
		buf_addstr(&why, strerror(errno));
	else
		password = first_line(line, (size_t)len, &why);
	close(fd);
	explicit_bzero(line, sizeof(line));
	if (password == NULL)
		buf_addf(err, "%s: %s", name, buf_str(&why));
	buf_free(&why);
	return password;
}

static volatile sig_atomic_t asking_signal;

static void on_asking_signal(int number)
{
	asking_signal = number;
}

static const int ASKING_SIGNALS[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
#define ASKING_SIGNAL_COUNT (sizeof(ASKING_SIGNALS) / sizeof(ASKING_SIGNALS[0]))

static void set_terminal(int fd, const struct termios *to)
{
	while (tcsetattr(fd, TCSAFLUSH, to) != 0 && errno == EINTR)
		;
}

/* No echo, and ^C and ^\ end the line instead of the program: it would die without restoring. */
static struct termios quiet_terminal(const struct termios *before)
{
	struct termios quiet = *before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_lflag |= ECHONL | ICANON;
	quiet.c_cc[VEOL] = before->c_cc[VINTR];
	quiet.c_cc[VEOL2] = before->c_cc[VQUIT];
	return quiet;
}

/* The bytes of a line that ended with Enter; 0 when it ended otherwise. */
static size_t read_answer(int fd, char *line, size_t size)
{
	ssize_t n;
	do
		n = read(fd, line, size);
	while (n < 0 && errno == EINTR && asking_signal == 0);
	return n > 0 && line[n - 1] == '\n' ? (size_t)n : 0;
}

/* Without echo, whatever ends it: the terminal is as before when this returns. */
static size_t ask_on(int fd, const struct termios *before, char *line, size_t size)
{
	static const char question[] = "Password: ";
	const struct termios quiet = quiet_terminal(before);
	struct sigaction old[ASKING_SIGNAL_COUNT];
	const struct sigaction action = { .sa_handler = on_asking_signal };
	size_t len = 0;
	asking_signal = 0;
	for (size_t i = 0; i < ASKING_SIGNAL_COUNT; i++)
		sigaction(ASKING_SIGNALS[i], &action, &old[i]);
	set_terminal(fd, &quiet);
	if (write(fd, question, sizeof(question) - 1) > 0)
		len = read_answer(fd, line, size);
	if (len == 0)
		(void)!write(fd, "\n", 1);
	set_terminal(fd, before);
	for (size_t i = 0; i < ASKING_SIGNAL_COUNT; i++)
		sigaction(ASKING_SIGNALS[i], &old[i], NULL);
	if (asking_signal != 0)
		raise(asking_signal);
	return len;
}

/* Asks on the terminal; owned. NULL with the reason in err. */
static char *ask_password(struct buf *err)
{
	char line[PASSWORD_MAX];
	struct termios before;
	struct buf why = BUF_INIT;
	char *password = NULL;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &before) != 0) {
		if (fd >= 0)
			close(fd);
		buf_addstr(err, "--askpass: no terminal to ask on");
		return NULL;
	}
	size_t len = ask_on(fd, &before, line, sizeof(line));
	close(fd);
	if (len == 0)
		buf_addstr(err, "--askpass: cancelled");
	else if (len == 1)
		buf_addstr(err, "--askpass: no password was given");
	else if ((password = first_line(line, len, &why)) == NULL)
		buf_addf(err, "--askpass: the password %s", buf_str(&why));
	explicit_bzero(line, sizeof(line));
	buf_free(&why);
	return password;
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

static void add_missing_variable(const struct source *s, struct buf *err)
{
	char name[128];
	text_clean(name, sizeof(name), s->variable, strlen(s->variable));
	buf_addf(err, "%s: the environment has no %s", s->file_key, name);
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
			add_missing_variable(s, err);
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

/* "FILE:LINE: key: why" for what the file says, "--key: why" for the command line. why begins with
 * the name of the setting. */
static void say_where(const struct settings *s, const char *file, const char *why, struct buf *err)
{
	const char *key = why + strspn(why, "-");
	size_t key_len = strspn(key, "abcdefghijklmnopqrstuvwxyz-");
	if (s->line > 0)
		buf_addf(err, "%s:%d: %s", file, settings_line(s, key, key_len), key);
	else
		buf_addf(err, "--%s", key);
}

static bool add_profile(struct network *n, const struct settings *s, const char *file, bool ask,
			struct buf *err)
{
	struct buf why = BUF_INIT;
	struct net_profile *p = &n->profiles[n->count];
	struct credentials *c = credentials_new();
	n->settings[n->count++] = s;
	*p = (struct net_profile){ .credentials = c, .map = &s->map };
	bool ok = add_credentials(c, s, ask, &why) && add_tls(p, s, &why);
	if (!ok)
		say_where(s, file, buf_str(&why), err);
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

static void forget_variable(const char *name)
{
	if (name != NULL)
		unsetenv(name);
}

/* After all have been read: two deployments may name the same. */
static void forget_variables(const struct options *o)
{
	forget_variable("REDISCLI_AUTH");
	forget_variable("REDOUBT_SENTINEL_AUTH");
	forget_variable(o->cli.pass_env);
	forget_variable(o->cli.sentinel_pass_env);
	for (size_t i = 0; i < o->config.deployment_count; i++) {
		forget_variable(o->config.deployments[i].pass_env);
		forget_variable(o->config.deployments[i].sentinel_pass_env);
	}
}

bool network_build(struct network *n, const struct options *o, const struct demo *demo,
		   struct buf *err)
{
	const struct config *c = &o->config;
	bool use_file = demo == NULL && o->replay_file == NULL && o->cli.target_count == 0 &&
			c->deployment_count > 0;
	size_t count = use_file ? c->deployment_count : 1;
	bool ok = true;
	*n = (struct network){ 0 };
	n->settings = mem_alloc(count * sizeof(*n->settings));
	n->profiles = mem_alloc(count * sizeof(*n->profiles));
	for (size_t i = 0; ok && i < count; i++)
		ok = add_profile(n, use_file ? &c->deployments[i] : &o->cli, c->file,
				 !use_file && o->askpass, err);
	if (ok && demo != NULL)
		add_demo(n, demo);
	forget_variables(o);
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
