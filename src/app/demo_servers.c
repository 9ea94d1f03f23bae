#include "config.h"

#include "app/demo_servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/number.h"

#define CLUSTER_BUS_OFFSET 10000
#define VERSION_WAIT_MS    3000
/* When a usual port is taken the whole group moves by ten, so that its ports stay neighbours. */
#define PORT_STEP          10
#define PORT_TRIES         500
#define CONF_NAME          "server.conf"

struct node_pattern {
	enum demo_kind kind;
	enum demo_role role;
	uint16_t usual_port;
	int shard;
};

static const struct node_pattern NODE_PATTERNS[] = {
	{ DEMO_SENTINEL, DEMO_ROLE_MASTER,          6379,  -1 },
	{ DEMO_SENTINEL, DEMO_ROLE_REPLICA,         6380,  -1 },
	{ DEMO_SENTINEL, DEMO_ROLE_REPLICA,         6381,  -1 },
	{ DEMO_SENTINEL, DEMO_ROLE_REPLICA,         6382,  -1 },
	{ DEMO_SENTINEL, DEMO_ROLE_SENTINEL,        26379, -1 },
	{ DEMO_SENTINEL, DEMO_ROLE_SENTINEL,        26380, -1 },
	{ DEMO_SENTINEL, DEMO_ROLE_SENTINEL,        26381, -1 },
	{ DEMO_CLUSTER,  DEMO_ROLE_CLUSTER_MASTER,  7000,  0 },
	{ DEMO_CLUSTER,  DEMO_ROLE_CLUSTER_MASTER,  7001,  1 },
	{ DEMO_CLUSTER,  DEMO_ROLE_CLUSTER_MASTER,  7002,  2 },
	{ DEMO_CLUSTER,  DEMO_ROLE_CLUSTER_REPLICA, 7003,  0 },
	{ DEMO_CLUSTER,  DEMO_ROLE_CLUSTER_REPLICA, 7004,  1 },
	{ DEMO_CLUSTER,  DEMO_ROLE_CLUSTER_REPLICA, 7005,  2 },
};
#define NODE_PATTERN_COUNT (sizeof NODE_PATTERNS / sizeof NODE_PATTERNS[0])

const char *demo_role_name(enum demo_role role)
{
	static const char *const NAMES[] = {
		[DEMO_ROLE_NONE] = "none",
		[DEMO_ROLE_MASTER] = "master",
		[DEMO_ROLE_REPLICA] = "replica",
		[DEMO_ROLE_SENTINEL] = "sentinel",
		[DEMO_ROLE_CLUSTER_MASTER] = "cluster-master",
		[DEMO_ROLE_CLUSTER_REPLICA] = "cluster-replica",
	};
	return NAMES[role];
}

const char *demo_state_name(enum demo_state state)
{
	static const char *const NAMES[] = {
		[DEMO_STATE_DOWN] = "down",
		[DEMO_STATE_RUNNING] = "running",
		[DEMO_STATE_PAUSED] = "paused",
	};
	return NAMES[state];
}

const char *demo_node_password(const struct demo_plan *plan, const struct demo_node *node)
{
	return node->role == DEMO_ROLE_SENTINEL ? plan->sentinel_password : plan->data_password;
}

bool demo_role_is_cluster(enum demo_role role)
{
	return role == DEMO_ROLE_CLUSTER_MASTER || role == DEMO_ROLE_CLUSTER_REPLICA;
}

/* --- the server program --------------------------------------------------------------------- */

/* Either name in the folder that comes first, so that PATH says which where both are installed. */
static bool find_server(char *out, size_t size)
{
	static const char *const NAMES[] = { "redis-server", "valkey-server" };
	const char *path = getenv("PATH");
	const char *dir = path && *path ? path : "/usr/local/bin:/usr/bin:/bin";

	while (*dir) {
		size_t len = strcspn(dir, ":");

		/* A relative entry would stop working when the child changes its folder. */
		for (size_t i = 0; *dir == '/' && i < sizeof NAMES / sizeof NAMES[0]; i++) {
			int n = snprintf(out, size, "%.*s/%s", (int)len, dir, NAMES[i]);

			if (n > 0 && (size_t)n < size && access(out, X_OK) == 0)
				return true;
		}
		dir += len;
		dir += *dir == ':';
	}
	return false;
}

/* "Redis server v=7.0.15 sha=..." or "Valkey server v=8.0.1 sha=..." */
static int parse_version(const char *text)
{
	const char *v = strstr(text, " v=");
	int64_t major, minor;
	size_t major_len, minor_len;

	if (!v)
		return 0;
	v += 3;
	major_len = strspn(v, "0123456789");
	if (v[major_len] != '.')
		return 0;
	minor_len = strspn(v + major_len + 1, "0123456789");
	if (!number_parse(v, major_len, 0, 999, &major) ||
	    !number_parse(v + major_len + 1, minor_len, 0, 99, &minor))
		return 0;
	return (int)(major * 100 + minor);
}

static void read_bounded(int fd, char *out, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	while (len + 1 < size && poll(&pfd, 1, VERSION_WAIT_MS) > 0) {
		ssize_t n = read(fd, out + len, size - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	out[len] = '\0';
}

/* The names that a server is started with. The rest of the user's environment is none of its
 * business: passwords for other servers may be in it. */
static const char *const KEPT_VARIABLES[] = { "PATH", "HOME", "TMPDIR",
					      "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
#define KEPT_COUNT (sizeof KEPT_VARIABLES / sizeof KEPT_VARIABLES[0])

/* Points into environ; out ends with NULL. */
static void small_environment(char *out[KEPT_COUNT + 2])
{
	/* 7.2 and later refuse to start with a locale that is not installed. */
	static char locale[] = "LC_ALL=C";
	size_t count = 0;

	out[count++] = locale;
	for (size_t i = 0; i < KEPT_COUNT; i++) {
		size_t len = strlen(KEPT_VARIABLES[i]);
		char **entry = environ;

		while (*entry && (strncmp(*entry, KEPT_VARIABLES[i], len) != 0 || (*entry)[len] != '='))
			entry++;
		if (*entry)
			out[count++] = *entry;
	}
	out[count] = NULL;
}

static int ask_version(const char *server_path)
{
	char text[256];
	char *env[KEPT_COUNT + 2];
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		small_environment(env);
		execle(server_path, server_path, "--version", (char *)NULL, env);
		_exit(127);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return 0;
	}
	read_bounded(fds[0], text, sizeof text);
	close(fds[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return parse_version(text);
}

static bool plan_server(struct demo_plan *plan, struct buf *err)
{
	if (!find_server(plan->server_path, sizeof plan->server_path)) {
		buf_addstr(err, "redis-server or valkey-server is needed, and neither is in PATH");
		return false;
	}
	plan->server_version = ask_version(plan->server_path);
	return true;
}

/* --- passwords and ids ---------------------------------------------------------------------- */

/* Fills out with 2 * bytes hexadecimal digits. */
static bool random_hex(char *out, size_t bytes)
{
	static const char DIGITS[] = "0123456789abcdef";
	unsigned char raw[20];

	if (bytes > sizeof raw || getrandom(raw, bytes, 0) != (ssize_t)bytes)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		out[2 * i] = DIGITS[raw[i] >> 4];
		out[2 * i + 1] = DIGITS[raw[i] & 15];
	}
	out[2 * bytes] = '\0';
	return true;
}

static bool make_secrets(struct demo_plan *plan, struct buf *err)
{
	bool ok = random_hex(plan->data_password, 16) && random_hex(plan->sentinel_password, 16);

	for (size_t i = 0; ok && i < plan->node_count; i++) {
		if (plan->nodes[i].role == DEMO_ROLE_SENTINEL)
			ok = random_hex(plan->nodes[i].sentinel_id, 20);
	}
	if (!ok)
		buf_addf(err, "no random numbers for the demo's passwords: %s", strerror(errno));
	return ok;
}

/* --- ports ---------------------------------------------------------------------------------- */

/* SO_REUSEADDR as the servers do, or the TIME_WAIT of a demo that just ended would look taken;
 * listen, because two sockets that only bind may share a port then. */
static bool port_is_free(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	bool ok;

	if (fd < 0)
		return false;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	ok = bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(fd, 1) == 0;
	close(fd);
	return ok;
}

static bool port_is_planned(const struct demo_plan *plan, int port)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		int own = plan->nodes[i].port;

		if (own == port)
			return true;
		if (demo_role_is_cluster(plan->nodes[i].role) && own + CLUSTER_BUS_OFFSET == port)
			return true;
	}
	return false;
}

static bool port_is_usable(const struct demo_plan *plan, int port)
{
	return !port_is_planned(plan, port) && port_is_free(port);
}

static bool group_fits(const struct demo_plan *plan, enum demo_kind kind, int shift)
{
	for (size_t i = 0; i < NODE_PATTERN_COUNT; i++) {
		int port = NODE_PATTERNS[i].usual_port + shift;

		if (NODE_PATTERNS[i].kind != kind)
			continue;
		if (!port_is_usable(plan, port))
			return false;
		if (kind == DEMO_CLUSTER && !port_is_usable(plan, port + CLUSTER_BUS_OFFSET))
			return false;
	}
	return true;
}

static bool plan_group(struct demo_plan *plan, enum demo_kind kind, struct buf *err)
{
	int tries = 0;

	while (tries < PORT_TRIES && !group_fits(plan, kind, tries * PORT_STEP))
		tries++;
	if (tries == PORT_TRIES) {
		buf_addstr(err, "no free ports on 127.0.0.1 for the demo");
		return false;
	}
	for (size_t i = 0; i < NODE_PATTERN_COUNT; i++) {
		const struct node_pattern *pattern = &NODE_PATTERNS[i];

		if (pattern->kind != kind)
			continue;
		plan->nodes[plan->node_count++] = (struct demo_node){
			.role = pattern->role,
			.port = (uint16_t)(pattern->usual_port + tries * PORT_STEP),
			.shard = pattern->shard,
		};
	}
	return true;
}

bool demo_plan_make(struct demo_plan *plan, enum demo_kind kind, struct buf *err)
{
	memset(plan, 0, sizeof *plan);
	if (!plan_server(plan, err))
		return false;
	if ((kind & DEMO_SENTINEL) && !plan_group(plan, DEMO_SENTINEL, err))
		return false;
	if ((kind & DEMO_CLUSTER) && !plan_group(plan, DEMO_CLUSTER, err))
		return false;
	return make_secrets(plan, err);
}

struct demo_node *demo_plan_find(struct demo_plan *plan, uint16_t port)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		if (plan->nodes[i].port == port)
			return &plan->nodes[i];
	}
	return NULL;
}

/* --- configuration -------------------------------------------------------------------------- */

/* The first node of the Sentinel set, which all of it begins with as the master. */
static uint16_t first_master_port(const struct demo_plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		if (plan->nodes[i].role == DEMO_ROLE_MASTER)
			return plan->nodes[i].port;
	}
	return 0;
}

static void conf_common(struct buf *conf, const struct demo_node *node)
{
	/* Paths are relative, since the server is started in its folder: nothing to quote then. */
	buf_addf(conf,
		 "bind 127.0.0.1\n"
		 "port %u\n"
		 "protected-mode yes\n"
		 "daemonize no\n"
		 "loglevel notice\n"
		 "logfile server.log\n"
		 "dir .\n",
		 (unsigned)node->port);
}

static void conf_data(struct buf *conf, const struct demo_plan *plan, const struct demo_node *node)
{
	buf_addf(conf,
		 "requirepass %s\n"
		 "masterauth %s\n"
		 "save \"\"\n"
		 "appendonly yes\n"
		 "appendfsync everysec\n"
		 "auto-aof-rewrite-min-size 4mb\n"
		 "maxmemory 64mb\n"
		 "maxmemory-policy allkeys-lru\n"
		 "repl-diskless-sync yes\n"
		 "repl-diskless-sync-delay 0\n",
		 plan->data_password, plan->data_password);
	if (node->role == DEMO_ROLE_REPLICA)
		buf_addf(conf, "replicaof 127.0.0.1 %u\n", (unsigned)first_master_port(plan));
	if (demo_role_is_cluster(node->role))
		buf_addstr(conf, "cluster-enabled yes\n"
				 "cluster-config-file nodes.conf\n"
				 "cluster-node-timeout 5000\n");
}

/* Sentinels learn of replicas and of each other by asking and listening for seconds; these are the
 * lines that they would write themselves after that. */
static void conf_known(struct buf *conf, const struct demo_plan *plan, const struct demo_node *self)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct demo_node *node = &plan->nodes[i];

		if (node->role == DEMO_ROLE_REPLICA)
			buf_addf(conf, "sentinel known-replica " DEMO_MASTER_NAME " 127.0.0.1 %u\n",
				 (unsigned)node->port);
		else if (node->role == DEMO_ROLE_SENTINEL && node != self)
			buf_addf(conf,
				 "sentinel known-sentinel " DEMO_MASTER_NAME " 127.0.0.1 %u %s\n",
				 (unsigned)node->port, node->sentinel_id);
	}
}

static void conf_sentinel(struct buf *conf, const struct demo_plan *plan,
			  const struct demo_node *node)
{
	buf_addf(conf, "requirepass %s\n", plan->sentinel_password);
	/* Older ones take requirepass for their peers too and refuse the directive. */
	if (plan->server_version == 0 || plan->server_version >= 602)
		buf_addf(conf, "sentinel sentinel-pass %s\n", plan->sentinel_password);
	buf_addf(conf,
		 "sentinel myid %s\n"
		 "sentinel monitor " DEMO_MASTER_NAME " 127.0.0.1 %u 2\n"
		 "sentinel auth-pass " DEMO_MASTER_NAME " %s\n"
		 "sentinel down-after-milliseconds " DEMO_MASTER_NAME " 5000\n"
		 "sentinel failover-timeout " DEMO_MASTER_NAME " 10000\n"
		 "sentinel parallel-syncs " DEMO_MASTER_NAME " 1\n",
		 node->sentinel_id, (unsigned)first_master_port(plan), plan->data_password);
	conf_known(conf, plan, node);
}

static bool write_file(int dir_fd, const char *name, const struct buf *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text->data, text->len) == (ssize_t)text->len;
	return close(fd) == 0 && ok;
}

static int open_node_folder(int folder_fd, const struct demo_node *node)
{
	char path[32];

	snprintf(path, sizeof path, "nodes/%u", (unsigned)node->port);
	return openat(folder_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool write_node(const struct demo_plan *plan, const struct demo_node *node, int folder_fd)
{
	struct buf conf = BUF_INIT;
	char path[32];
	bool ok = false;
	int fd;

	snprintf(path, sizeof path, "nodes/%u", (unsigned)node->port);
	if (mkdirat(folder_fd, path, 0700) < 0)
		return false;
	fd = open_node_folder(folder_fd, node);
	if (fd < 0)
		return false;
	conf_common(&conf, node);
	if (node->role == DEMO_ROLE_SENTINEL)
		conf_sentinel(&conf, plan, node);
	else
		conf_data(&conf, plan, node);
	ok = write_file(fd, CONF_NAME, &conf);
	buf_free(&conf);
	close(fd);
	return ok;
}

bool demo_plan_write(const struct demo_plan *plan, int folder_fd, struct buf *err)
{
	bool ok = mkdirat(folder_fd, "nodes", 0700) == 0;

	for (size_t i = 0; ok && i < plan->node_count; i++)
		ok = write_node(plan, &plan->nodes[i], folder_fd);
	if (!ok)
		buf_addf(err, "can't write the demo's configuration: %s", strerror(errno));
	return ok;
}

/* --- starting ------------------------------------------------------------------------------- */

_Noreturn static void exec_server(const struct demo_plan *plan, const struct demo_node *node,
				  int dir_fd, pid_t guard)
{
	char conf[] = CONF_NAME, option[] = "--sentinel";
	char name[sizeof plan->server_path];
	char *argv[] = { name, conf, NULL, NULL };
	char *env[KEPT_COUNT + 2];
	sigset_t none;
	int null_fd;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The guard may have died before the line above: no signal would come any more. */
	if (getppid() != guard)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(null_fd, 2) < 0)
		_exit(1);
	if (fchdir(dir_fd) < 0)
		_exit(1);
	small_environment(env);
	snprintf(name, sizeof name, "%s", plan->server_path);
	if (node->role == DEMO_ROLE_SENTINEL)
		argv[2] = option;
	execve(plan->server_path, argv, env);
	_exit(127);
}

bool demo_node_spawn(const struct demo_plan *plan, struct demo_node *node, int folder_fd,
		     struct buf *err)
{
	pid_t guard = getpid();
	int dir_fd = open_node_folder(folder_fd, node);
	pid_t pid = dir_fd < 0 ? -1 : fork();

	if (pid == 0)
		exec_server(plan, node, dir_fd, guard);
	if (pid < 0) {
		buf_addf(err, "can't start the server of port %u: %s", (unsigned)node->port,
			 strerror(errno));
		if (dir_fd >= 0)
			close(dir_fd);
		return false;
	}
	/* Here as well as in the child: whichever runs first, the group exists before a kill. */
	setpgid(pid, pid);
	close(dir_fd);
	node->pid = pid;
	node->state = DEMO_STATE_RUNNING;
	return true;
}
