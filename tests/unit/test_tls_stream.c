/* The stream of TLS alone, against OpenSSL as the server: new keys, what is held, broken ends. */
#include "config.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "secure.h"

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
	char *down = secure_pattern(BYTES, 1), *up = secure_pattern(BYTES, 2);
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
	char *sent = secure_pattern(3000, 3), got[3000];
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_keys_under_way),
		cmocka_unit_test(what_is_held_is_not_left),
		cmocka_unit_test(garbage_after_the_handshake),
		cmocka_unit_test(cut_off),
	};

	return cmocka_run_group_tests(tests, secure_make_all, secure_remove_all);
}
