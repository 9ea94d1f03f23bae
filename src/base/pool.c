#include "base/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BUCKETS_LEAST 64

struct pooled {
	struct pooled *next;
	uint32_t hash, holders;
	char text[];
};

struct pool {
	struct pooled **buckets; /* a power of two of them */
	size_t bucket_count, count;
};

struct pool *pool_new(void)
{
	struct pool *p = mem_alloc(sizeof(*p));
	p->bucket_count = BUCKETS_LEAST;
	p->buckets = mem_alloc(p->bucket_count * sizeof(struct pooled *));
	return p;
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->bucket_count; i++) {
		for (struct pooled *s = p->buckets[i], *next; s != NULL; s = next) {
			next = s->next;
			free(s);
		}
	}
	free(p->buckets);
	free(p);
}

/* FNV-1a. Who fills a bucket on purpose makes a list of what the log's ring holds, no more. */
static uint32_t hash_of(const char *s)
{
	uint32_t hash = 2166136261u;
	for (; *s != '\0'; s++)
		hash = (hash ^ (unsigned char)*s) * 16777619u;
	return hash;
}

static struct pooled **bucket(const struct pool *p, uint32_t hash)
{
	return &p->buckets[hash & (p->bucket_count - 1)];
}

static void grow(struct pool *p)
{
	struct pool old = *p;
	p->bucket_count *= 2;
	p->buckets = mem_alloc(p->bucket_count * sizeof(struct pooled *));
	for (size_t i = 0; i < old.bucket_count; i++) {
		for (struct pooled *s = old.buckets[i], *next; s != NULL; s = next) {
			struct pooled **at = bucket(p, s->hash);
			next = s->next;
			s->next = *at;
			*at = s;
		}
	}
	free(old.buckets);
}

const char *pool_take(struct pool *p, const char *s)
{
	uint32_t hash = hash_of(s);
	for (struct pooled *at = *bucket(p, hash); at != NULL; at = at->next) {
		if (at->hash == hash && strcmp(at->text, s) == 0) {
			at->holders++;
			return at->text;
		}
	}
	if (p->count == p->bucket_count)
		grow(p);
	size_t bytes = strlen(s) + 1;
	struct pooled *made = mem_alloc(sizeof(*made) + bytes);
	memcpy(made->text, s, bytes);
	made->hash = hash;
	made->holders = 1;
	made->next = *bucket(p, hash);
	*bucket(p, hash) = made;
	p->count++;
	return made->text;
}

void pool_drop(struct pool *p, const char *s)
{
	if (s == NULL)
		return;
	for (struct pooled **at = bucket(p, hash_of(s)); *at != NULL; at = &(*at)->next) {
		struct pooled *found = *at;
		if (found->text != s)
			continue;
		if (--found->holders == 0) {
			*at = found->next;
			free(found);
			p->count--;
		}
		return;
	}
}

size_t pool_count(const struct pool *p)
{
	return p->count;
}
