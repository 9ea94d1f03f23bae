/* The config file and the address map. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "app/configfile.h"
#include "base/mem.h"
#include "fuzz.h"
#include "net/address_map.h"

static void check_map(const struct address_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct address_pair *p = &map->pairs[i];
		struct endpoint ep = p->from, before;

		FUZZ_ASSERT(endpoint_is_set(&p->from) && endpoint_is_set(&p->to));
		FUZZ_CLEAN(p->from.host);
		FUZZ_CLEAN(p->to.host);
		FUZZ_ASSERT(p->from.port != 0 || p->to.port == 0);
		if (ep.port == 0)
			ep.port = 6379;
		before = ep;
		FUZZ_ASSERT(address_map_apply(map, &ep));
		FUZZ_ASSERT(endpoint_is_set(&ep) && ep.port != 0);
		if (map->count == 1)
			FUZZ_ASSERT(strcmp(ep.host, p->to.host) == 0 &&
				    ep.port == (p->to.port ? p->to.port : before.port));
	}
}

/* One pair a line; the ones that are refused leave the map as it was. */
void fuzz_address_map(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct address_map map = { 0 };
	struct endpoint nobody;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct buf err = BUF_INIT;
		size_t count = map.count;
		bool ok = address_map_add(&map, line, &err);

		FUZZ_ASSERT(ok == (err.len == 0) && map.count == count + ok);
		FUZZ_CLEAN_TEXT(buf_str(&err));
		buf_free(&err);
	}
	check_map(&map);
	FUZZ_ASSERT(endpoint_set(&nobody, "nobody.example", 14, 1));
	address_map_done(&map);
	FUZZ_ASSERT(!address_map_apply(&map, &nobody) && map.count == 0);
	free(text);
}

/* What is shown of the settings holds no password. One that is short, or also said elsewhere (perhaps
 * with %-escapes), would be found by chance. */
static void check_secret(const char *password, const char *shown, const uint8_t *data, size_t size)
{
	const uint8_t *first;

	if (!password || strlen(password) < 8 || memchr(data, '%', size))
		return;
	first = memmem(data, size, password, strlen(password));
	if (!first || memmem(first + 1, size - (size_t)(first + 1 - data), password, strlen(password)))
		return;
	FUZZ_ASSERT(strstr(shown, password) == NULL);
}

static void check_deployment(const struct settings *s, const uint8_t *data, size_t size)
{
	struct buf shown = BUF_INIT;

	FUZZ_CLEAN(s->name);
	FUZZ_ASSERT(s->tls <= TLS_USE_ALL && s->target_count <= s->target_cap);
	for (size_t i = 0; i < s->target_count; i++)
		FUZZ_ASSERT(endpoint_is_set(&s->targets[i].addr));
	for (size_t i = 0; i < s->map.count; i++)
		FUZZ_ASSERT(endpoint_is_set(&s->map.pairs[i].from));
	settings_print(s, &shown);
	check_secret(s->password, buf_str(&shown), data, size);
	check_secret(s->sentinel_password, buf_str(&shown), data, size);
	for (size_t i = 0; i < s->target_count; i++)
		check_secret(s->targets[i].password, buf_str(&shown), data, size);
	buf_free(&shown);
}

void fuzz_config(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	struct buf err = BUF_INIT;
	struct config c;
	bool ok;

	memset(&c, 0, sizeof(c));
	ok = config_parse(&c, text, size, "conf", &err);
	FUZZ_ASSERT(ok == (err.len == 0));
	FUZZ_CLEAN_TEXT(buf_str(&err));
	FUZZ_ASSERT(ok || strncmp(err.data, "conf", 4) == 0);
	if (ok) {
		FUZZ_ASSERT(c.deployment_count <= CONFIG_DEPLOYMENTS_MAX);
		FUZZ_ASSERT(c.interval_ms == -1 || (c.interval_ms >= 100 && c.interval_ms <= 60000));
		FUZZ_ASSERT(c.timeout_ms == -1 || c.timeout_ms > 0);
		for (size_t i = 0; i < c.deployment_count; i++) {
			check_deployment(&c.deployments[i], data, size);
			for (size_t k = 0; k < i; k++)
				FUZZ_ASSERT(strcmp(c.deployments[i].name, c.deployments[k].name) != 0);
		}
	}
	config_done(&c);
	buf_free(&err);
	free(text);
}
