#include "config.h"

#include "secure.h"

#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#define DAY_S 86400L

/* --- certificates ------------------------------------------------------------------------------ */

static char folder[64];
static const char *const FILES[] = { "ca", "other", "server", "wrong", "expired", "alone", "client",
				     "stranger", "locked", "garbage", "hashed", "away" };
static char crt_paths[12][SECURE_PATH_BYTES], key_paths[12][SECURE_PATH_BYTES];

static unsigned file_index(const char *name)
{
	for (unsigned i = 0; i < 12; i++)
		if (strcmp(FILES[i], name) == 0)
			return i;
	fail();
	return 0;
}

const char *crt(const char *name)
{
	return crt_paths[file_index(name)];
}

const char *key(const char *name)
{
	return key_paths[file_index(name)];
}

const char *secure_folder(void)
{
	return folder;
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

int secure_make_all(void **state)
{
	static const char names[] = "IP:127.0.0.1,DNS:localhost";
	struct identity ca, other, id;
	FILE *file;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/redoubt-tls-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (unsigned i = 0; i < 12; i++) {
		snprintf(crt_paths[i], SECURE_PATH_BYTES, "%s/%s.crt", folder, FILES[i]);
		snprintf(key_paths[i], SECURE_PATH_BYTES, "%s/%s.key", folder, FILES[i]);
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

int secure_remove_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		unlink(crt_paths[i]);
		unlink(key_paths[i]);
	}
	return rmdir(folder);
}

/* --- real servers ------------------------------------------------------------------------------ */

void secure_start(struct live_server *s, const char *identity, const char *auth_clients,
		  const char *protocols)
{
	const char *args[] = { "--tls-cert-file", crt(identity), "--tls-key-file", key(identity),
			       "--tls-ca-cert-file", crt("ca"), "--tls-auth-clients", auth_clients,
			       protocols ? "--tls-protocols" : NULL, protocols, NULL };

	s->with_tls = true;
	live_start(s, args);
}

bool secure_available(void)
{
	return live_available() &&
	       system("ldd \"$(command -v redis-server || command -v valkey-server)\" 2>/dev/null | grep -q libssl") == 0;
}

bool localhost_is_known(void)
{
	struct addrinfo *list = NULL;
	bool known = getaddrinfo("localhost", "1", NULL, &list) == 0;

	if (known)
		freeaddrinfo(list);
	return known;
}

void assert_up(const struct live_server *s, const struct tls_options *options, const char *host)
{
	struct owner o;

	owner_init_tls(&o, options);
	dial_as(&o, &(struct dialling){ .host = host, .port = s->tls_port });
	RUN_UNTIL(&o, o.state_count > 2);
	if (!is_in(&o, LINK_UP))
		print_message("%s\n", o.reason);
	assert_true(is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_non_null(strstr(o.last_text, "# Server"));
	owner_done(&o);
}

void assert_refused(const struct live_server *s, const struct tls_options *options,
		    const char *host, const char *words)
{
	struct owner o;

	owner_init_tls(&o, options);
	dial_as(&o, &(struct dialling){ .host = host, .port = s->tls_port });
	RUN_UNTIL(&o, o.state_count > 2);
	if (!strstr(o.reason, words))
		print_message("\"%s\" is not in \"%s\"\n", words, o.reason);
	assert_non_null(strstr(o.reason, words));
	assert_true(is_in(&o, LINK_FAILED));
	assert_int_equal(o.error, ERROR_TLS);
	assert_int_equal(times_in(&o, LINK_UP), 0);
	owner_done(&o);
}

/* --- bytes ------------------------------------------------------------------------------------- */

char *secure_pattern(size_t len, unsigned seed)
{
	char *data = malloc(len + 1);

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)('a' + (i * 7 + i / 251 + seed) % 26);
	data[len] = '\0';
	return data;
}
