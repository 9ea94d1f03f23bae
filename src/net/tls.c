/* The way of the bytes: SSL_read and SSL_write work on a BIO of our own, since OpenSSL's socket BIO
 * writes without MSG_NOSIGNAL. That BIO also
 * - remembers how the socket failed, which OpenSSL 1.1.1 and 3 report in different ways;
 * - keeps the first bytes, which tell a server that speaks no TLS;
 * - knows when the socket is empty (a read came back short), so that a reply of one segment costs
 *   one system call, as it does without TLS. */
#include "config.h"
#include "net/tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define WORDS_BYTES 160
#define NAME_BYTES  256
#define HEAD_BYTES  3   /* of a TLS record: type, and 3.x */

struct tls_context {
	SSL_CTX *ssl_ctx;
	BIO_METHOD *bio_method;
	char *sni; /* owned; or NULL */
};

struct session {
	SSL *ssl;
	struct stream *stream;
	char asked_for[NAME_BYTES];
	unsigned char head[HEAD_BYTES];
	size_t head_len;
	bool held;          /* the socket is not to be read now */
	bool drained;       /* it was empty a moment ago */
	int err;            /* errno of the socket */
	bool broken;        /* no word of goodbye any more */
	bool cert_wanted;   /* the server asked for ours, and there is none */
	bool got_data;      /* some bytes of the server's own have come */
	enum stream_status verdict; /* the end, kept: OpenSSL tells the reason only once */
};

static char words[WORDS_BYTES]; /* of the last failure */

/* --- the BIO ----------------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *data, int size)
{
	struct session *t = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (t->held || t->drained) {
		BIO_set_retry_read(bio);
		return -1;
	}
	do
		n = recv(t->stream->fd, data, (size_t)size, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		BIO_set_retry_read(bio);
		return -1;
	}
	t->drained = n < size;
	if (n < 0)
		t->err = errno;
	for (ssize_t i = 0; i < n && t->head_len < HEAD_BYTES; i++)
		t->head[t->head_len++] = (unsigned char)data[i];
	return (int)n;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct session *t = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do
		n = send(t->stream->fd, data, (size_t)len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		BIO_set_retry_write(bio);
	else
		t->err = errno;
	return -1;
}

/* OpenSSL 3 asks for BIO_CTRL_EOF and would make an error of its own of it: 0, as 1.1.1 has it. */
static long bio_ctrl(BIO *bio, int command, long number, void *arg)
{
	(void)bio;
	(void)number;
	(void)arg;
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *bio_method_new(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");

	if (!m)
		return NULL;
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_ctrl(m, bio_ctrl);
	BIO_meth_set_create(m, bio_create);
	return m;
}

/* --- failures in words ------------------------------------------------------------------------- */

static const struct { int reason; const char *text; } SERVER_SAYS[] = {
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the server wants a client certificate" },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA,
	  "the server refuses our certificate: unknown certificate authority" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the server refuses our certificate: expired" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "the server refuses our certificate: revoked" },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the server refuses our certificate" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the server refuses our certificate" },
	{ SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
	  "the server refuses our certificate: not for this use" },
	{ SSL_R_TLSV1_ALERT_ACCESS_DENIED, "the server refuses our certificate: access denied" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
	  "the server refuses the TLS handshake (no cipher in common?)" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "TLS version not supported by the server" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "TLS version not supported: the server's is older than 1.2" },
	{ SSL_R_TLSV1_UNRECOGNIZED_NAME, "the server does not know the name it was asked for" },
};

static bool speaks_tls(const struct session *t)
{
	/* Of all records a server sends only an alert or its hello first: types 21 and 22. */
	if (t->head_len > 0 && t->head[0] != 0x15 && t->head[0] != 0x16)
		return false;
	return t->head_len < 2 || t->head[1] == 0x03;
}

static void say_certificate(const struct session *t)
{
	long result = SSL_get_verify_result(t->ssl);

	if (result == X509_V_ERR_HOSTNAME_MISMATCH)
		snprintf(words, sizeof(words),
			 "certificate refused: hostname mismatch (asked for %.100s)", t->asked_for);
	else if (result == X509_V_ERR_IP_ADDRESS_MISMATCH)
		snprintf(words, sizeof(words),
			 "certificate refused: IP address mismatch (asked for %.100s)", t->asked_for);
	else
		snprintf(words, sizeof(words), "certificate refused: %s",
			 X509_verify_cert_error_string(result));
}

static void say_reason(const struct session *t, unsigned long error)
{
	int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
	const char *text = ERR_reason_error_string(error);

	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		say_certificate(t);
		return;
	}
	/* TLS 1.2 has no word of its own for a certificate that is missing. */
	if (t->cert_wanted && reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)
		reason = SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED;
	for (size_t i = 0; i < sizeof(SERVER_SAYS) / sizeof(SERVER_SAYS[0]); i++) {
		if (SERVER_SAYS[i].reason != reason)
			continue;
		snprintf(words, sizeof(words), "%s", SERVER_SAYS[i].text);
		return;
	}
	snprintf(words, sizeof(words), "TLS: %s", text ? text : "unknown error");
}

static enum stream_status refuse(struct session *t)
{
	t->broken = true;
	t->stream->words = words;
	t->stream->refused = true;
	return STREAM_ERROR;
}

/* The connection ended, and OpenSSL has nothing to say about it. */
static enum stream_status end_of_stream(struct session *t)
{
	t->broken = true;
	/* With TLS 1.3 our side of the handshake is over when the server looks at the certificate,
	 * and its word on that may be lost with the connection. */
	if (t->cert_wanted && !t->got_data) {
		snprintf(words, sizeof(words),
			 "connection closed by the server, which asked for a client certificate");
		return refuse(t);
	}
	if (!SSL_is_init_finished(t->ssl)) {
		snprintf(words, sizeof(words),
			 "connection closed by the server during the TLS handshake%s%s",
			 t->err ? ": " : "", t->err ? strerror(t->err) : "");
		t->stream->words = words;
		return STREAM_ERROR;
	}
	if (t->err == 0)
		return STREAM_CLOSED;
	t->stream->err = t->err;
	t->stream->words = NULL;
	return STREAM_ERROR;
}

/* What a call that did not succeed is about. */
static enum stream_status outcome(struct session *t, int result)
{
	unsigned long error;

	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return STREAM_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return STREAM_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return STREAM_CLOSED;
	default:
		break;
	}
	error = ERR_peek_error();
	if (!speaks_tls(t)) {
		snprintf(words, sizeof(words), "the server speaks no TLS%s",
			 t->head[0] == '-' || t->head[0] == '+' ? " (plain Redis?)" : "");
		return refuse(t);
	}
	if (error == 0 || ERR_GET_LIB(error) == ERR_LIB_SYS)
		return end_of_stream(t);
	say_reason(t, error);
	return refuse(t);
}

/* --- the table --------------------------------------------------------------------------------- */

static void begin_call(struct session *t, bool held)
{
	ERR_clear_error(); /* or SSL_get_error takes what another stream left for this one's */
	t->held = held;
	t->drained = false;
}

static enum stream_status tls_handshake(struct stream *s)
{
	struct session *t = s->tls;
	int result;

	begin_call(t, false);
	result = SSL_connect(t->ssl);
	return result == 1 ? STREAM_OK : outcome(t, result);
}

static enum stream_status tls_read(struct stream *s, char *data, size_t size, size_t *got,
				   bool held)
{
	struct session *t = s->tls;

	*got = 0;
	begin_call(t, held);
	while (t->verdict == STREAM_OK && *got < size) {
		size_t room = size - *got;
		enum stream_status status;
		int n = SSL_read(t->ssl, data + *got, room < INT_MAX ? (int)room : INT_MAX);

		if (n > 0) {
			*got += (size_t)n;
			t->got_data = true;
			continue;
		}
		status = outcome(t, n);
		if (status == STREAM_WANT_READ || status == STREAM_WANT_WRITE)
			return status;
		t->verdict = status;
	}
	/* The bytes first; the next call has the verdict. */
	return *got > 0 ? STREAM_OK : t->verdict;
}

static enum stream_status tls_write(struct stream *s, const char *data, size_t len, size_t *put)
{
	struct session *t = s->tls;
	int n;

	*put = 0;
	if (len == 0)
		return STREAM_OK;
	begin_call(t, false);
	n = SSL_write(t->ssl, data, len < INT_MAX ? (int)len : INT_MAX);
	if (n <= 0)
		return outcome(t, n);
	*put = (size_t)n;
	return STREAM_OK;
}

/* Says goodbye if that can be done without waiting; does not wait for the answer. */
static void tls_close(struct stream *s)
{
	struct session *t = s->tls;

	s->tls = NULL;
	if (SSL_is_init_finished(t->ssl) && !t->broken) {
		begin_call(t, true);
		SSL_shutdown(t->ssl);
	}
	SSL_free(t->ssl); /* and the BIO */
	ERR_clear_error();
	free(t);
}

static const struct stream_ops tls_ops = {
	.handshake = tls_handshake,
	.read = tls_read,
	.write = tls_write,
	.close = tls_close,
};

/* --- a stream ---------------------------------------------------------------------------------- */

static bool is_numeric(const char *host)
{
	unsigned char binary[16];

	return inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1;
}

/* As certificates have it: no dot at the end of a name, no zone behind an address. */
static void set_asked_for(struct session *t, const char *host)
{
	size_t len;

	snprintf(t->asked_for, sizeof(t->asked_for), "%s", host);
	if (strchr(t->asked_for, ':'))
		t->asked_for[strcspn(t->asked_for, "%")] = '\0';
	len = strlen(t->asked_for);
	if (len > 1 && t->asked_for[len - 1] == '.')
		t->asked_for[len - 1] = '\0';
}

static bool set_name(struct session *t)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);

	if (is_numeric(t->asked_for))
		return X509_VERIFY_PARAM_set1_ip_asc(param, t->asked_for) == 1;
	SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(t->ssl, t->asked_for) == 1 &&
	       SSL_set_tlsext_host_name(t->ssl, t->asked_for) == 1;
}

static enum stream_status start_failed(struct stream *s, struct session *t)
{
	unsigned long error = ERR_peek_error();
	const char *text = ERR_reason_error_string(error);

	snprintf(words, sizeof(words), "TLS for %.80s: %s", t->asked_for,
		 text ? text : "cannot be set up");
	SSL_free(t->ssl);
	free(t);
	s->words = words;
	s->refused = true;
	return STREAM_ERROR;
}

enum stream_status tls_start(struct stream *s, const struct tls_context *c, const char *host)
{
	struct session *t = mem_alloc(sizeof(*t));
	BIO *bio;

	ERR_clear_error();
	t->stream = s;
	set_asked_for(t, c->sni ? c->sni : host);
	t->ssl = SSL_new(c->ssl_ctx);
	bio = t->ssl ? BIO_new(c->bio_method) : NULL;
	if (!bio)
		return start_failed(s, t);
	BIO_set_data(bio, t);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	if (!set_name(t))
		return start_failed(s, t);
	s->tls = t;
	s->ops = &tls_ops;
	return STREAM_OK;
}

/* --- the context ------------------------------------------------------------------------------- */

/* Called when the server asks for a certificate and none was given with --cert. */
static int on_cert_wanted(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct session *t = SSL_get_app_data(ssl);

	(void)cert;
	(void)key;
	t->cert_wanted = true;
	return 0;
}

/* OpenSSL would ask at the terminal. */
static int on_passphrase(char *data, int size, int writing, void *arg)
{
	(void)data;
	(void)size;
	(void)writing;
	*(bool *)arg = true;
	return -1;
}

static bool fail(struct buf *err, const char *option, const char *name, const char *why)
{
	buf_addf(err, "%s %s: %s", option, name, why);
	return false;
}

/* OpenSSL's own words for a file that is not there are many and vague. */
static bool check_file(const char *option, const char *name, struct buf *err)
{
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), status;

	if (fd < 0)
		return fail(err, option, name, errno == ENOENT ? "no such file" : strerror(errno));
	status = fstat(fd, &st);
	close(fd);
	if (status == 0 && S_ISDIR(st.st_mode))
		return fail(err, option, name, "is a folder");
	return true;
}

static bool is_hashed_name(const char *name)
{
	for (int i = 0; i < 8; i++)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	return name[8] == '.' && isdigit((unsigned char)name[9]);
}

/* Without hashed names OpenSSL would find nothing there, and say so at each handshake only. */
static bool check_folder(const char *name, struct buf *err)
{
	DIR *dir = opendir(name);
	const struct dirent *d;
	bool found = false;

	if (!dir)
		return fail(err, "--cacertdir", name,
			    errno == ENOENT ? "no such folder" : strerror(errno));
	while (!found && (d = readdir(dir)))
		found = is_hashed_name(d->d_name);
	closedir(dir);
	return found || fail(err, "--cacertdir", name,
			     "no certificate with a hashed name (openssl rehash makes them)");
}

static bool load_trust(SSL_CTX *ctx, const struct tls_options *o, struct buf *err)
{
	if (o->insecure)
		return true;
	if (!o->cacert && !o->cacertdir && SSL_CTX_set_default_verify_paths(ctx) != 1) {
		buf_addstr(err, "tls: the system's trusted certificates cannot be read");
		return false;
	}
	if (o->cacert && !check_file("--cacert", o->cacert, err))
		return false;
	if (o->cacert && SSL_CTX_load_verify_locations(ctx, o->cacert, NULL) != 1)
		return fail(err, "--cacert", o->cacert, "no certificate in PEM form in it");
	if (o->cacertdir && !check_folder(o->cacertdir, err))
		return false;
	if (o->cacertdir && SSL_CTX_load_verify_locations(ctx, NULL, o->cacertdir) != 1)
		return fail(err, "--cacertdir", o->cacertdir, "cannot be used");
	return true;
}

static bool load_key(SSL_CTX *ctx, const char *name, struct buf *err)
{
	bool locked = false;
	unsigned long error;
	int status;

	if (!check_file("--key", name, err))
		return false;
	SSL_CTX_set_default_passwd_cb(ctx, on_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, &locked);
	status = SSL_CTX_use_PrivateKey_file(ctx, name, SSL_FILETYPE_PEM);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	if (status == 1)
		return true;
	if (locked)
		return fail(err, "--key", name, "has a passphrase, which is not supported");
	/* With a certificate there, a key that is another's is refused at once. */
	error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) == ERR_LIB_X509 &&
	    (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
	     ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH))
		return fail(err, "--key", name, "does not match the certificate");
	return fail(err, "--key", name, "no private key in PEM form in it");
}

static bool load_identity(SSL_CTX *ctx, const struct tls_options *o, struct buf *err)
{
	if (!o->cert && !o->key)
		return true;
	if (!o->cert || !o->key) {
		buf_addstr(err, o->cert ? "--cert: needs a key as well" : "--key: needs a cert as well");
		return false;
	}
	if (!check_file("--cert", o->cert, err))
		return false;
	if (SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1)
		return fail(err, "--cert", o->cert, "no usable certificate in PEM form in it");
	if (!load_key(ctx, o->key, err))
		return false;
	return SSL_CTX_check_private_key(ctx) == 1 ||
	       fail(err, "--key", o->key, "does not match the certificate");
}

static bool context_set_up(struct tls_context *c, const struct tls_options *o, struct buf *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	c->ssl_ctx = ctx;
	c->bio_method = bio_method_new();
	if (!ctx || !c->bio_method || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		buf_addstr(err, "tls: cannot be set up");
		return false;
	}
	/* Commands are appended behind what is on its way, so the buffer may move; and many links
	 * are idle most of the time. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_client_cert_cb(ctx, on_cert_wanted);
	SSL_CTX_set_verify(ctx, o->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	return load_trust(ctx, o, err) && load_identity(ctx, o, err);
}

struct tls_context *tls_context_new(const struct tls_options *o, struct buf *err)
{
	struct tls_context *c = mem_alloc(sizeof(*c));
	bool ok;

	ERR_clear_error();
	c->sni = o->sni && o->sni[0] ? mem_strdup(o->sni) : NULL;
	ok = context_set_up(c, o, err);
	ERR_clear_error();
	if (ok)
		return c;
	tls_context_free(c);
	return NULL;
}

void tls_context_free(struct tls_context *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->ssl_ctx);
	BIO_meth_free(c->bio_method);
	free(c->sni);
	free(c);
}

const char *tls_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
