/* TLS against real servers, with certificates that are made here and gone with the test. */
#include "config.h"

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live.h"
#include "net/link_private.h"
#include "net/resolver.h"
#include "net/tls.h"

#define DEADLINE_S 60.
#define TIMEOUT_MS 300
#define PATIENT_MS 20000 /* where a slow machine must not be taken for a late server */
#define STATES_MAX 64
#define PATH_BYTES 128
#define DAY_S      86400L

/* --- certificates ------------------------------------------------------------------------------ */

static char folder[64];
static char no_file[1];
static const char *const FILES[] = { "ca", "other", "server", "wrong", "expired", "alone", "client",
				     "stranger", "locked", "garbage", "hashed", "away" };
static char crt_paths[12][PATH_BYTES], key_paths[12][PATH_BYTES];

static unsigned file_index(const char *name)
{
	for (unsigned i = 0; i < 12; i++)
		if (strcmp(FILES[i], name) == 0)
			return i;
	fail();
	return 0;
}

static const char *crt(const char *name)
{
	return crt_paths[file_index(name)];
}

static const char *key(const char *name)
{
	return key_paths[file_index(name)];
}

struct identity {
	X509 *cert;
	EVP_PKEY *key;
};

static EVP_PKEY *new_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *pkey = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &pkey), 1);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static void write_files(const char *name, const struct identity *id, const EVP_CIPHER *cipher)
{
	FILE *file = fopen(crt(name), "w");

	assert_non_null(file);
	PEM_write_X509(file, id->cert);
	fclose(file);
	file = fopen(key(name), "w");
	assert_non_null(file);
	PEM_write_PrivateKey(file, id->key, cipher, cipher ? (unsigned char *)"pass" : NULL,
			     cipher ? 4 : 0, NULL, NULL);
	fclose(file);
}

/* issuer NULL: signs itself. names NULL: an authority. */
static struct identity make(const char *name, const struct identity *issuer, const char *names,
			    long from_s, long until_s)
{
	static long serial;
	struct identity id = { X509_new(), new_key() };
	X509_NAME *subject = X509_get_subject_name(id.cert);

	X509_set_version(id.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), until_s);
	X509_set_pubkey(id.cert, id.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(id.cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
	add_extension(id.cert, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
	if (names)
		add_extension(id.cert, NID_subject_alt_name, names);
	assert_true(X509_sign(id.cert, issuer ? issuer->key : id.key, EVP_sha256()) > 0);
	write_files(name, &id, NULL);
	return id;
}

static void drop(struct identity id)
{
	X509_free(id.cert);
	EVP_PKEY_free(id.key);
}

static int make_all(void **state)
{
	static const char names[] = "IP:127.0.0.1,DNS:localhost";
	struct identity ca, other, id;
	FILE *file;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/redoubt-tls-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (unsigned i = 0; i < 12; i++) {
		snprintf(crt_paths[i], PATH_BYTES, "%s/%s.crt", folder, FILES[i]);
		snprintf(key_paths[i], PATH_BYTES, "%s/%s.key", folder, FILES[i]);
	}
	ca = make("ca", NULL, NULL, 0, 2 * DAY_S);
	other = make("other", NULL, NULL, 0, 2 * DAY_S);
	drop(make("server", &ca, names, 0, 2 * DAY_S));
	drop(make("wrong", &ca, "IP:127.0.0.9,DNS:elsewhere.example", 0, 2 * DAY_S));
	drop(make("expired", &ca, names, -2 * DAY_S, -DAY_S));
	drop(make("alone", NULL, names, 0, 2 * DAY_S));
	drop(make("client", &ca, "DNS:client", 0, 2 * DAY_S));
	drop(make("stranger", &other, "DNS:client", 0, 2 * DAY_S));
	id = make("locked", &ca, "DNS:client", 0, 2 * DAY_S);
	write_files("locked", &id, EVP_aes_128_cbc());
	drop(id);
	drop(ca);
	drop(other);
	file = fopen(crt("garbage"), "w");
	if (!file)
		return -1;
	fputs("-----BEGIN NOTHING-----\nx\n", file);
	fclose(file);
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		unlink(crt_paths[i]);
		unlink(key_paths[i]);
	}
	return rmdir(folder);
}

/* --- the owner of the link under test ---------------------------------------------------------- */

struct owner {
	struct ev_loop *loop;
	struct resolver *resolver;
	struct tls_context *tls;
	struct link *link;
	enum link_state states[STATES_MAX];
	unsigned state_count;
	enum server_error error;
	char reason[200];
	unsigned replies, failures, messages;
	uint32_t last_tag;
	char *last; /* owned */
	size_t last_len;
};

static void on_state(struct link *l, enum link_state state, enum server_error error,
		     const char *reason, void *arg)
{
	struct owner *o = arg;

	(void)l;
	assert_true(o->state_count < STATES_MAX);
	o->states[o->state_count++] = state;
	o->error = error;
	snprintf(o->reason, sizeof(o->reason), "%s", reason ? reason : "");
}

static void on_reply(struct link *l, enum question q, const char *arg, uint32_t tag,
		     const struct reply *reply, enum answer failure, int64_t sent_us, int64_t recv_us,
		     void *owner)
{
	struct owner *o = owner;

	(void)l;
	(void)q;
	(void)arg;
	(void)failure;
	if (!reply) {
		o->failures++;
		return;
	}
	assert_true(recv_us >= sent_us);
	o->replies++;
	assert_true(tag > o->last_tag); /* in order */
	o->last_tag = tag;
	free(o->last);
	o->last = NULL;
	o->last_len = reply->str ? reply->len : 0;
	if (reply->str)
		o->last = strndup(reply->str, reply->len);
}

static void on_message(struct link *l, const char *channel, size_t channel_len,
		       const char *payload, size_t payload_len, void *owner)
{
	(void)l;
	(void)channel;
	(void)channel_len;
	(void)payload;
	(void)payload_len;
	((struct owner *)owner)->messages++;
}

static void owner_init(struct owner *o, const struct tls_options *options)
{
	struct buf err = BUF_INIT;

	memset(o, 0, sizeof(*o));
	o->loop = ev_loop_new(0);
	o->resolver = resolver_new(o->loop);
	if (options) {
		o->tls = tls_context_new(options, &err);
		if (!o->tls)
			print_message("%s\n", buf_str(&err));
		assert_non_null(o->tls);
	}
	buf_free(&err);
}

static void owner_done(struct owner *o)
{
	link_free(o->link);
	tls_context_free(o->tls);
	resolver_free(o->resolver);
	ev_loop_destroy(o->loop);
	free(o->last);
}

static void dial(struct owner *o, const char *host, uint16_t port, int64_t timeout_ms,
		 bool subscribe)
{
	struct link_config config = {
		.loop = o->loop,
		.resolver = o->resolver,
		.credential_kind = CREDENTIAL_DATA,
		.timeout_ms = timeout_ms,
		.subscribe = subscribe,
		.tls = o->tls,
		.callbacks = { on_state, on_reply, on_message },
		.owner = o,
	};

	config.addr.port = port;
	snprintf(config.addr.host, sizeof(config.addr.host), "%s", host);
	o->state_count = 0;
	o->link = link_new(&config);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	*(bool *)w->data = true;
}

/* Runs the loop until the condition holds; fails at the deadline. */
#define RUN_UNTIL(o, condition)                                                                    \
	do {                                                                                       \
		bool late_ = false;                                                                \
		ev_timer deadline_;                                                                \
		ev_timer_init(&deadline_, on_deadline, DEADLINE_S, 0.);                            \
		deadline_.data = &late_;                                                           \
		ev_now_update((o)->loop);                                                          \
		ev_timer_start((o)->loop, &deadline_);                                             \
		while (!(condition) && !late_)                                                     \
			ev_run((o)->loop, EVRUN_ONCE);                                             \
		ev_timer_stop((o)->loop, &deadline_);                                              \
		if (late_)                                                                         \
			print_message("state %s: %s\n", (o)->state_count ?                         \
				link_state_name((o)->states[(o)->state_count - 1]) : "-", (o)->reason); \
		assert_true(condition);                                                            \
	} while (0)

static bool is_in(const struct owner *o, enum link_state state)
{
	return o->state_count > 0 && o->states[o->state_count - 1] == state;
}

static unsigned times_in(const struct owner *o, enum link_state state)
{
	unsigned times = 0;

	for (unsigned i = 0; i < o->state_count; i++)
		times += o->states[i] == state;
	return times;
}

/* --- real servers ------------------------------------------------------------------------------ */

struct secure {
	struct live_server server; /* its plain port tells that it is ready */
	uint16_t port;             /* TLS */
};

static void secure_start(struct secure *s, const char *identity, const char *auth_clients,
			 const char *protocols)
{
	char port[8];
	const char *args[] = { "--tls-port", port, "--tls-cert-file", crt(identity), "--tls-key-file",
			       key(identity), "--tls-ca-cert-file", crt("ca"), "--tls-auth-clients",
			       auth_clients, protocols ? "--tls-protocols" : NULL, protocols, NULL };

	if (s->port == 0)
		s->port = live_free_port();
	snprintf(port, sizeof(port), "%u", s->port);
	live_start(&s->server, args);
}

static bool tls_in_redis(void)
{
	return live_available() &&
	       system("ldd \"$(command -v redis-server)\" 2>/dev/null | grep -q libssl") == 0;
}

/* Not in a bare system folder without /etc/hosts. */
static bool localhost_is_known(void)
{
	struct addrinfo *list = NULL;
	bool known = getaddrinfo("localhost", "1", NULL, &list) == 0;

	if (known)
		freeaddrinfo(list);
	return known;
}

#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		(void)state;                                                                       \
		if (!tls_in_redis())                                                               \
			skip();                                                                    \
	} while (0)

static void assert_up(const struct secure *s, const struct tls_options *options, const char *host)
{
	struct owner o;

	owner_init(&o, options);
	dial(&o, host, s->port, PATIENT_MS, false);
	RUN_UNTIL(&o, o.state_count > 2);
	if (!is_in(&o, LINK_UP))
		print_message("%s\n", o.reason);
	assert_true(is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_non_null(strstr(o.last, "# Server"));
	owner_done(&o);
}

static void assert_refused(const struct secure *s, const struct tls_options *options,
			   const char *host, const char *words)
{
	struct owner o;

	owner_init(&o, options);
	dial(&o, host, s->port, PATIENT_MS, false);
	RUN_UNTIL(&o, o.state_count > 2);
	if (!strstr(o.reason, words))
		print_message("\"%s\" is not in \"%s\"\n", words, o.reason);
	assert_non_null(strstr(o.reason, words));
	assert_true(is_in(&o, LINK_FAILED));
	assert_int_equal(o.error, ERROR_TLS);
	assert_int_equal(times_in(&o, LINK_UP), 0);
	owner_done(&o);
}

static void both_sides_are_known(void **state)
{
	const struct tls_options with = { .cacert = crt("ca"), .cert = crt("client"),
					  .key = key("client") };
	struct secure s = { 0 };

	NEEDS_SERVER();
	if (!localhost_is_known())
		skip();
	secure_start(&s, "server", "yes", NULL);
	assert_up(&s, &with, "127.0.0.1");
	assert_up(&s, &with, "localhost");
	live_stop(&s.server);
	secure_start(&s, "server", "yes", "TLSv1.2");
	assert_up(&s, &with, "127.0.0.1");
	live_stop(&s.server);
}

static void the_server_is_not_trusted(void **state)
{
	const struct tls_options other = { .cacert = crt("other") };
	const struct tls_options ca = { .cacert = crt("ca") };
	const struct tls_options alone = { .cacert = crt("alone") };
	const struct tls_options systems = { .cacert = NULL };
	const struct tls_options insecure = { .cacert = crt("other"), .insecure = true };
	struct secure s = { 0 };

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	assert_up(&s, &ca, "127.0.0.1");
	assert_refused(&s, &other, "127.0.0.1", "certificate refused: ");
	assert_refused(&s, &systems, "127.0.0.1", "certificate refused: ");
	assert_up(&s, &insecure, "127.0.0.1");
	live_stop(&s.server);
	secure_start(&s, "alone", "no", NULL);
	assert_refused(&s, &ca, "127.0.0.1", "certificate refused: self");
	assert_up(&s, &alone, "127.0.0.1");
	live_stop(&s.server);
	secure_start(&s, "expired", "no", NULL);
	assert_refused(&s, &ca, "127.0.0.1", "certificate refused: certificate has expired");
	assert_up(&s, &insecure, "127.0.0.1");
	live_stop(&s.server);
}

static void the_server_is_another(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	const struct tls_options named = { .cacert = crt("ca"), .sni = "elsewhere.example" };
	const struct tls_options misnamed = { .cacert = crt("ca"), .sni = "nowhere.example" };
	const struct tls_options insecure = { .insecure = true };
	struct secure s = { 0 };

	NEEDS_SERVER();
	if (!localhost_is_known())
		skip();
	secure_start(&s, "wrong", "no", NULL);
	assert_refused(&s, &ca, "127.0.0.1",
		       "certificate refused: IP address mismatch (asked for 127.0.0.1)");
	assert_refused(&s, &ca, "localhost",
		       "certificate refused: hostname mismatch (asked for localhost)");
	assert_refused(&s, &misnamed, "127.0.0.1", "hostname mismatch (asked for nowhere.example)");
	assert_up(&s, &named, "127.0.0.1");
	assert_up(&s, &insecure, "127.0.0.1");
	live_stop(&s.server);
}

static void the_client_is_not_known(void **state)
{
	const struct tls_options without = { .cacert = crt("ca") };
	const struct tls_options stranger = { .cacert = crt("ca"), .cert = crt("stranger"),
					      .key = key("stranger") };
	static const char *const protocols[] = { "TLSv1.2", "TLSv1.3" };
	struct secure s = { 0 };

	NEEDS_SERVER();
	for (unsigned i = 0; i < 2; i++) {
		secure_start(&s, "server", "yes", protocols[i]);
		assert_refused(&s, &without, "127.0.0.1", "client certificate");
		assert_refused(&s, &stranger, "127.0.0.1", "the server refuses our certificate: unknown");
		live_stop(&s.server);
		secure_start(&s, "server", "optional", protocols[i]);
		assert_up(&s, &without, "127.0.0.1");
		live_stop(&s.server);
	}
}

static void plain_and_tls_mixed_up(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct secure s = { 0 };
	struct owner o;

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init(&o, NULL);
	dial(&o, "127.0.0.1", s.port, PATIENT_MS, false);
	RUN_UNTIL(&o, o.state_count > 2);
	assert_true(is_in(&o, LINK_FAILED) || is_in(&o, LINK_PROTOCOL));
	assert_non_null(strstr(o.reason, "TLS"));
	owner_done(&o);
	/* What it takes for a command may have a line's end in it, or not. */
	owner_init(&o, &ca);
	dial(&o, "127.0.0.1", s.server.port, TIMEOUT_MS, false);
	RUN_UNTIL(&o, o.state_count > 2);
	assert_true(is_in(&o, LINK_FAILED));
	assert_non_null(strstr(o.reason, "speaks no TLS"));
	owner_done(&o);
	live_stop(&s.server);
}

static void a_server_that_hangs_is_silent(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct secure s = { 0 };
	struct owner o;

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init(&o, &ca);
	dial(&o, "127.0.0.1", s.port, TIMEOUT_MS, false);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	kill(s.server.pid, SIGSTOP);
	link_ask(o.link, ASK_INFO, NULL, 1);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	/* Through a whole new attempt, whose handshake hangs: nothing else is said. */
	RUN_UNTIL(&o, o.link->step == STEP_HANDSHAKE);
	RUN_UNTIL(&o, o.link->step == STEP_BACKOFF);
	assert_true(is_in(&o, LINK_SILENT));
	assert_int_equal(times_in(&o, LINK_FAILED), 0);
	kill(s.server.pid, SIGCONT);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s.server);
}

static void sessions_end(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct secure s = { 0 };
	struct owner o;
	char reply[64];

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init(&o, &ca);
	dial(&o, "127.0.0.1", s.port, PATIENT_MS, false);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	live_command(s.server.port, "CLIENT KILL TYPE normal SKIPME yes", reply, sizeof(reply));
	assert_string_equal(reply, ":1\r\n");
	RUN_UNTIL(&o, is_in(&o, LINK_LOST));
	assert_string_equal(o.reason, "connection closed by the server");
	assert_int_equal(o.error, ERROR_OTHER);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	live_stop(&s.server); /* killed: no goodbye */
	RUN_UNTIL(&o, times_in(&o, LINK_LOST) == 2);
	secure_start(&s, "server", "no", NULL);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s.server);
}

static char *pattern(size_t len, unsigned seed)
{
	char *data = malloc(len + 1);

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)('a' + (i * 7 + i / 251 + seed) % 26);
	data[len] = '\0';
	return data;
}

static void large_in_both_directions(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	/* Around the sizes of a record, of our reads, and of all reads of a turn. */
	static const size_t sizes[] = { 1, 16383, 16384, 16385, 65530, 65536, 262144, 262200,
					5 * 1024 * 1024, 12 * 1024 * 1024 + 3 };
	struct secure s = { 0 };
	struct owner o;
	uint32_t tag = 0;

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init(&o, &ca);
	dial(&o, "127.0.0.1", s.port, PATIENT_MS, false);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *value = pattern(sizes[i], i);
		const char *set[] = { "SET", "key", value }, *get[] = { "GET", "key" };

		assert_true(link_ask_argv(o.link, 3, set, ++tag));
		assert_true(link_ask_argv(o.link, 2, get, ++tag));
		RUN_UNTIL(&o, o.last_tag == tag || o.failures > 0);
		assert_int_equal(o.failures, 0);
		assert_true(o.last_len == sizes[i]);
		assert_memory_equal(o.last, value, sizes[i]);
		free(value);
	}
	owner_done(&o);
	live_stop(&s.server);
}

static void many_small_pipelined(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct secure s = { 0 };
	struct owner o;
	uint32_t tag = 0;

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init(&o, &ca);
	dial(&o, "127.0.0.1", s.port, PATIENT_MS, false);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	for (unsigned round = 0; round < 50; round++) {
		while (link_ask(o.link, tag % 3 ? ASK_ROLE : ASK_INFO, NULL, tag + 1))
			tag++;
		assert_true(tag >= LINK_MAX_PENDING * (round + 1) / 2);
		RUN_UNTIL(&o, o.last_tag == tag || o.failures > 0);
	}
	assert_int_equal(o.replies, tag);
	assert_int_equal(o.failures, 0);
	owner_done(&o);
	live_stop(&s.server);
}

static void messages_come(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct secure s = { 0 };
	struct owner o;
	char reply[64];

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init(&o, &ca);
	dial(&o, "127.0.0.1", s.port, PATIENT_MS, true);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	for (unsigned i = 1; i <= 100; i++)
		live_command(s.server.port, "PUBLISH channel payload", reply, sizeof(reply));
	RUN_UNTIL(&o, o.messages == 100);
	owner_done(&o);
	live_stop(&s.server);
}

/* --- a server that behaves as told, in the same loop ------------------------------------------- */

struct fake {
	struct ev_loop *loop;
	int fd, peer;
	uint16_t port;
	ev_io accepting, reading;
	const char *answer; /* to the first bytes; NULL: none */
	size_t answer_len;
	bool hang_up;       /* after the first bytes */
	bool plain;         /* answers +PONG to each read */
};

static void on_peer(struct ev_loop *loop, ev_io *w, int events)
{
	struct fake *f = w->data;
	char data[4096];
	ssize_t n = recv(w->fd, data, sizeof(data), 0);

	(void)events;
	if (n > 0 && f->answer)
		send(w->fd, f->answer, f->answer_len, MSG_NOSIGNAL);
	if (n > 0 && f->plain)
		send(w->fd, "+PONG\r\n", 7, MSG_NOSIGNAL);
	if (n > 0 && !f->hang_up)
		return;
	ev_io_stop(loop, w);
	close(f->peer);
	f->peer = -1;
}

static void on_accept(struct ev_loop *loop, ev_io *w, int events)
{
	struct fake *f = w->data;

	(void)events;
	if (f->peer >= 0) {
		ev_io_stop(loop, &f->reading);
		close(f->peer);
	}
	f->peer = accept(w->fd, NULL, NULL);
	ev_io_init(&f->reading, on_peer, f->peer, EV_READ);
	f->reading.data = f;
	ev_io_start(loop, &f->reading);
}

static void fake_init(struct fake *f, struct ev_loop *loop)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	memset(f, 0, sizeof(*f));
	f->loop = loop;
	f->peer = -1;
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(f->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(f->fd, 16), 0);
	getsockname(f->fd, (struct sockaddr *)&addr, &len);
	f->port = ntohs(addr.sin_port);
	ev_io_init(&f->accepting, on_accept, f->fd, EV_READ);
	f->accepting.data = f;
	ev_io_start(loop, &f->accepting);
}

static void fake_done(struct fake *f)
{
	ev_io_stop(f->loop, &f->accepting);
	if (f->peer >= 0) {
		ev_io_stop(f->loop, &f->reading);
		close(f->peer);
	}
	close(f->fd);
}

static void assert_no_tls(const char *answer, size_t len, bool hang_up, const char *words,
			  enum server_error error)
{
	const struct tls_options insecure = { .insecure = true };
	struct owner o;
	struct fake f;

	owner_init(&o, &insecure);
	fake_init(&f, o.loop);
	f.answer = answer;
	f.answer_len = len;
	f.hang_up = hang_up;
	dial(&o, "127.0.0.1", f.port, answer || hang_up ? PATIENT_MS : TIMEOUT_MS, false);
	RUN_UNTIL(&o, o.state_count > 2);
	if (!strstr(o.reason, words))
		print_message("\"%s\" is not in \"%s\"\n", words, o.reason);
	assert_non_null(strstr(o.reason, words));
	assert_true(is_in(&o, LINK_FAILED));
	assert_int_equal(o.error, error);
	fake_done(&f);
	owner_done(&o);
}

#define ANSWER(bytes) bytes, sizeof(bytes) - 1

static void no_tls_at_the_other_end(void **state)
{
	(void)state;
	assert_no_tls(ANSWER("-ERR unknown command\r\n"), false,
		      "the server speaks no TLS (plain Redis?)", ERROR_TLS);
	assert_no_tls(ANSWER("-"), true, "the server speaks no TLS (plain Redis?)", ERROR_TLS);
	assert_no_tls(ANSWER("SSH-2.0-OpenSSH_9.2p1\r\n"), true, "the server speaks no TLS", ERROR_TLS);
	assert_no_tls(ANSWER("HTTP/1.1 400 Bad Request\r\n\r\n"), false, "the server speaks no TLS",
		      ERROR_TLS);
	assert_no_tls(ANSWER("\x15\x03\x03\x00\x02\x02\x46"), true, "TLS version not supported",
		      ERROR_TLS);
	assert_no_tls(ANSWER("\x15\x03\x03\x00\x02\x02\x28"), true, "refuses the TLS handshake",
		      ERROR_TLS);
	assert_no_tls(ANSWER("\x15\x03\x03\x00\x02\x02\x70"), true, "does not know the name", ERROR_TLS);
	assert_no_tls(ANSWER("\x16\x03\x03\xff\xff\x02\x46..."), false, "TLS: ", ERROR_TLS);
	assert_no_tls(NULL, 0, false, "no TLS handshake within 0.3 s: the server hangs, or speaks no TLS",
		      ERROR_OTHER);
	assert_no_tls(NULL, 0, true, "connection closed by the server during the TLS handshake",
		      ERROR_OTHER);
	/* The head of a record, and then the end. */
	assert_no_tls(ANSWER("\x16\x03\x03\x00\x7a\x02"), true, "during the TLS handshake", ERROR_OTHER);
}

static void a_plain_client_is_hung_up_on(void **state)
{
	struct owner o;
	struct fake f;

	(void)state;
	owner_init(&o, NULL);
	fake_init(&f, o.loop);
	f.hang_up = true;
	dial(&o, "127.0.0.1", f.port, PATIENT_MS, false);
	RUN_UNTIL(&o, o.state_count > 2);
	assert_true(is_in(&o, LINK_FAILED));
	assert_string_equal(o.reason,
			    "connection closed by the server before any reply: the port may want TLS");
	fake_done(&f);
	owner_done(&o);
}

/* --- reading that waits to write, and writing that waits to read ------------------------------- */

static const struct stream_ops *plain_ops;
static unsigned odd_reads, odd_writes;
static bool a_byte_a_read, some_read;
static char stash[64]; /* taken from the socket, as TLS does: it is not readable for that again */
static size_t stash_len;

static enum stream_status odd_read(struct stream *s, char *data, size_t size, size_t *got,
				   bool held)
{
	size_t n;

	*got = 0;
	if (!held && stash_len == 0)
		plain_ops->read(s, stash, sizeof(stash), &stash_len, false);
	if (!held && odd_reads > 0) {
		odd_reads--;
		return STREAM_WANT_WRITE;
	}
	n = a_byte_a_read && stash_len > 0 ? 1 : stash_len;
	assert_true(n <= size);
	memcpy(data, stash, n);
	memmove(stash, stash + n, stash_len - n);
	stash_len -= n;
	*got = n;
	some_read = some_read || n > 0;
	return stash_len > 0 ? STREAM_OK : STREAM_WANT_READ;
}

static enum stream_status odd_write(struct stream *s, const char *data, size_t len, size_t *put)
{
	*put = 0;
	if (odd_writes > 0) {
		odd_writes--;
		return STREAM_WANT_READ;
	}
	return plain_ops->write(s, data, len, put);
}

static void wants_of_the_other_direction(void **state)
{
	static struct stream_ops odd_ops;
	struct owner o;
	struct fake f;

	(void)state;
	owner_init(&o, NULL);
	fake_init(&f, o.loop);
	f.plain = true;
	dial(&o, "127.0.0.1", f.port, PATIENT_MS, false);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	plain_ops = o.link->stream.ops;
	odd_ops = *plain_ops;
	odd_ops.read = odd_read;
	odd_ops.write = odd_write;
	o.link->stream.ops = &odd_ops;
	odd_reads = 3;
	assert_true(link_ask(o.link, ASK_ROLE, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_int_equal(odd_reads, 0);
	/* More in hand than the reads of a turn, and nothing in the socket. */
	a_byte_a_read = true;
	some_read = false;
	assert_true(link_ask(o.link, ASK_ROLE, NULL, 2));
	RUN_UNTIL(&o, some_read);
	assert_int_equal(o.replies, 2);
	a_byte_a_read = false;
	/* Two replies: the bytes of the first are what the write of the second waits for. */
	odd_writes = 1;
	assert_true(link_ask(o.link, ASK_ROLE, NULL, 3));
	ev_run(o.loop, EVRUN_NOWAIT);
	assert_int_equal(odd_writes, 0);
	assert_false(ev_is_active(&o.link->writer)); /* the socket is writable: it would spin */
	assert_int_equal(o.replies, 2);
	send(f.peer, "+ROLE\r\n", 7, MSG_NOSIGNAL);
	RUN_UNTIL(&o, o.replies == 3);
	assert_int_equal(o.link->out.len, 0); /* it was written then */
	link_free(o.link);
	o.link = NULL;
	fake_done(&f);
	owner_done(&o);
}

/* --- the stream alone, against OpenSSL as the server ------------------------------------------- */

struct pair {
	struct tls_context *context;
	struct stream client;
	SSL_CTX *server_ctx;
	SSL *server;
	int fd;
};

static void pair_init(struct pair *p)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	const int small = 4096;
	struct buf err = BUF_INIT;
	int fds[2];

	memset(p, 0, sizeof(*p));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	for (unsigned i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	p->context = tls_context_new(&ca, &err);
	p->client = (struct stream)STREAM_INIT;
	p->client.fd = fds[0];
	p->fd = fds[1];
	assert_int_equal(tls_start(&p->client, p->context, "localhost"), STREAM_OK);
	p->server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_mode(p->server_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
						SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	assert_int_equal(SSL_CTX_use_certificate_file(p->server_ctx, crt("server"), SSL_FILETYPE_PEM), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(p->server_ctx, key("server"), SSL_FILETYPE_PEM), 1);
	p->server = SSL_new(p->server_ctx);
	SSL_set_fd(p->server, p->fd);
	SSL_set_accept_state(p->server);
}

static void pair_shake_hands(struct pair *p)
{
	bool client = false, server = false;

	for (unsigned i = 0; i < 1000 && !(client && server); i++) {
		if (!client)
			client = stream_handshake(&p->client) == STREAM_OK;
		if (!server)
			server = SSL_do_handshake(p->server) == 1;
	}
	assert_true(client && server);
}

static void pair_done(struct pair *p)
{
	stream_close(&p->client);
	stream_close(&p->client);
	tls_context_free(p->context);
	SSL_free(p->server);
	SSL_CTX_free(p->server_ctx);
	close(p->fd);
}

/* OpenSSL cannot answer a request for new keys while a record of ours is half written: it then
 * ends the session. No server that is known asks for them on its own. */
static void exchange_with_new_keys(int update, size_t up_bytes)
{
	enum { BYTES = 2 * 1024 * 1024 };
	char *down = pattern(BYTES, 1), *up = pattern(BYTES, 2);
	char *down_got = malloc(BYTES), *up_got = malloc(BYTES);
	size_t down_put = 0, down_have = 0, up_put = 0, up_have = 0, next_keys = 100000;
	unsigned changes = 0;
	struct pair p;

	pair_init(&p);
	pair_shake_hands(&p);
	for (unsigned turn = 0; turn < 1000000 && (down_have < BYTES || up_have < up_bytes); turn++) {
		size_t n;
		int done;
		enum stream_status status;

		n = BYTES - down_put < 5000 ? BYTES - down_put : 5000;
		if (n > 0 && (done = SSL_write(p.server, down + down_put, (int)n)) > 0)
			down_put += (size_t)done;
		if (down_put >= next_keys && down_put < BYTES &&
		    SSL_key_update(p.server, update) == 1) {
			next_keys += 100000;
			changes++;
		}
		status = stream_read(&p.client, down_got + down_have, BYTES - down_have, &n);
		assert_true(status != STREAM_ERROR && status != STREAM_CLOSED);
		down_have += n;
		if (up_put < up_bytes) {
			status = stream_write(&p.client, up + up_put, up_bytes - up_put, &n);
			assert_true(status != STREAM_ERROR && status != STREAM_CLOSED);
			up_put += n;
		}
		done = SSL_read(p.server, up_got + up_have, (int)(BYTES - up_have));
		if (done > 0)
			up_have += (size_t)done;
	}
	assert_true(changes > 5);
	assert_true(down_have == BYTES && up_have == up_bytes);
	assert_memory_equal(down_got, down, BYTES);
	assert_true(memcmp(up_got, up, up_bytes) == 0);
	free(down);
	free(up);
	free(down_got);
	free(up_got);
	pair_done(&p);
}

static void new_keys_under_way(void **state)
{
	(void)state;
	exchange_with_new_keys(SSL_KEY_UPDATE_NOT_REQUESTED, 2000000);
	exchange_with_new_keys(SSL_KEY_UPDATE_REQUESTED, 0);
}

/* The socket is empty, and still there is more: what a poll of it would never tell. */
static void what_is_held_is_not_left(void **state)
{
	char *sent = pattern(3000, 3), got[3000];
	struct pollfd poll_client = { .events = POLLIN };
	size_t n;
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_shake_hands(&p);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(SSL_write(p.server, sent + i * 1000, 1000), 1000);
	assert_int_equal(stream_read(&p.client, got, 100, &n), STREAM_OK);
	assert_int_equal(n, 100);
	poll_client.fd = p.client.fd;
	assert_int_equal(poll(&poll_client, 1, 0), 0);
	assert_int_equal(SSL_write(p.server, "not yet", 7), 7);
	assert_int_equal(stream_read_held(&p.client, got + 100, 2900, &n), STREAM_OK);
	assert_int_equal(n, 2900);
	assert_memory_equal(got, sent, 3000);
	assert_int_equal(stream_read_held(&p.client, got, sizeof(got), &n), STREAM_WANT_READ);
	assert_int_equal(n, 0);
	assert_int_equal(stream_read(&p.client, got, sizeof(got), &n), STREAM_WANT_READ);
	assert_int_equal(n, 7);
	/* Bytes and the goodbye behind them: both are told, and the end more than once. */
	assert_int_equal(SSL_write(p.server, "last", 4), 4);
	SSL_shutdown(p.server);
	assert_int_equal(stream_read(&p.client, got, sizeof(got), &n), STREAM_OK);
	assert_int_equal(n, 4);
	assert_int_equal(stream_read(&p.client, got, sizeof(got), &n), STREAM_CLOSED);
	assert_int_equal(stream_read_held(&p.client, got, sizeof(got), &n), STREAM_CLOSED);
	stream_close(&p.client);
	assert_int_equal(SSL_read(p.server, got, 1), 0);
	assert_int_equal(SSL_get_shutdown(p.server) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	free(sent);
	pair_done(&p);
}

static void garbage_after_the_handshake(void **state)
{
	char data[64];
	size_t n;
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_shake_hands(&p);
	while (stream_read(&p.client, data, sizeof(data), &n) == STREAM_OK)
		;
	assert_int_equal(send(p.fd, "\x17\x03\x03\x00\x20................................", 37,
			      MSG_NOSIGNAL), 37);
	assert_int_equal(stream_read(&p.client, data, sizeof(data), &n), STREAM_ERROR);
	assert_non_null(strstr(stream_error(&p.client), "TLS: "));
	assert_true(p.client.refused);
	assert_int_equal(stream_read(&p.client, data, sizeof(data), &n), STREAM_ERROR);
	pair_done(&p);
}

/* The end of the connection without the goodbye. */
static void cut_off(void **state)
{
	char data[64];
	size_t n;
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_shake_hands(&p);
	assert_int_equal(SSL_write(p.server, "last", 4), 4);
	shutdown(p.fd, SHUT_RDWR);
	assert_int_equal(stream_read(&p.client, data, sizeof(data), &n), STREAM_WANT_READ);
	assert_int_equal(n, 4);
	assert_int_equal(stream_read(&p.client, data, sizeof(data), &n), STREAM_CLOSED);
	/* SIGPIPE would end this test. */
	assert_int_equal(stream_write(&p.client, "x", 1, &n), STREAM_ERROR);
	assert_string_equal(stream_error(&p.client), strerror(EPIPE));
	pair_done(&p);
}

/* --- what is read at start --------------------------------------------------------------------- */

static void assert_options(struct tls_options options, const char *words)
{
	struct buf err = BUF_INIT;

	assert_null(tls_context_new(&options, &err));
	if (!strstr(buf_str(&err), words))
		print_message("\"%s\" is not in \"%s\"\n", words, buf_str(&err));
	assert_non_null(strstr(buf_str(&err), words));
	assert_int_equal(ERR_peek_error(), 0);
	buf_free(&err);
}

static void files_that_are_wrong(void **state)
{
	char text[PATH_BYTES + 64];

	(void)state;
	snprintf(text, sizeof(text), "--cert %s: no such file", crt("away"));
	assert_options((struct tls_options){ .cert = crt("away"), .key = key("client") }, text);
	snprintf(text, sizeof(text), "--key %s: no such file", key("away"));
	assert_options((struct tls_options){ .cert = crt("client"), .key = key("away") }, text);
	snprintf(text, sizeof(text), "--key %s: does not match the certificate", key("server"));
	assert_options((struct tls_options){ .cert = crt("client"), .key = key("server") }, text);
	assert_options((struct tls_options){ .cert = crt("client"), .key = crt("client") },
		       "no private key in PEM form");
	assert_options((struct tls_options){ .cert = crt("locked"), .key = key("locked") },
		       "has a passphrase");
	assert_options((struct tls_options){ .cert = crt("garbage"), .key = key("client") },
		       "no usable certificate");
	assert_options((struct tls_options){ .cert = crt("client") }, "--cert needs --key");
	assert_options((struct tls_options){ .key = key("client") }, "--key needs --cert");
	assert_options((struct tls_options){ .cacert = crt("away") }, "--cacert");
	assert_options((struct tls_options){ .cacert = folder }, "is a folder");
	assert_options((struct tls_options){ .cacert = no_file }, "no such file");
	assert_options((struct tls_options){ .cacert = crt("garbage") }, "no certificate in PEM form");
	assert_options((struct tls_options){ .cacertdir = crt("away") }, "no such folder");
	assert_options((struct tls_options){ .cacertdir = folder }, "no certificate with a hashed name");
	tls_context_free(NULL);
}

static void a_folder_of_authorities(void **state)
{
	const struct tls_options options = { .cacertdir = folder };
	struct secure s = { 0 };
	char path[PATH_BYTES];
	FILE *file = fopen(crt("ca"), "r");
	X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);

	NEEDS_SERVER();
	fclose(file);
	snprintf(path, sizeof(path), "%s/%08lx.0", folder, X509_subject_name_hash(cert));
	X509_free(cert);
	assert_int_equal(symlink(crt("ca"), path), 0);
	secure_start(&s, "server", "no", NULL);
	assert_up(&s, &options, "127.0.0.1");
	live_stop(&s.server);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_are_wrong),
		cmocka_unit_test(wants_of_the_other_direction),
		cmocka_unit_test(new_keys_under_way),
		cmocka_unit_test(what_is_held_is_not_left),
		cmocka_unit_test(garbage_after_the_handshake),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(no_tls_at_the_other_end),
		cmocka_unit_test(a_plain_client_is_hung_up_on),
		cmocka_unit_test(both_sides_are_known),
		cmocka_unit_test(the_server_is_not_trusted),
		cmocka_unit_test(the_server_is_another),
		cmocka_unit_test(the_client_is_not_known),
		cmocka_unit_test(plain_and_tls_mixed_up),
		cmocka_unit_test(a_server_that_hangs_is_silent),
		cmocka_unit_test(sessions_end),
		cmocka_unit_test(large_in_both_directions),
		cmocka_unit_test(many_small_pipelined),
		cmocka_unit_test(messages_come),
		cmocka_unit_test(a_folder_of_authorities),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
