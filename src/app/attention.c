#include "config.h"

#include "app/attention.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* A deployment is pieced together from the answers of many: until then anything may look wrong. */
#define GRACE_MS   5000
#define GAP_MS     10000 /* between two pieces of news */
#define REPEAT_MS  60000 /* between two of one subject, which may be flapping */

struct attention_subject {
	uint32_t id;
	bool whole;      /* a deployment; else a group */
	bool calm;       /* was seen well enough, after the grace, since it was told of */
	int64_t seen_ms, told_ms;
	uint64_t round;  /* of the look that found it last */
};

void attention_done(struct attention *a)
{
	free(a->subjects);
	*a = (struct attention){ .subjects = NULL };
}

static struct attention_subject *subject_of(struct attention *a, uint32_t id, bool whole, int64_t now_ms)
{
	size_t i = a->next < a->count ? a->next : 0; /* they come in the same order each time */

	for (size_t tried = 0; tried < a->count; tried++, i = i + 1 < a->count ? i + 1 : 0) {
		if (a->subjects[i].id != id || a->subjects[i].whole != whole)
			continue;
		a->next = i + 1;
		return &a->subjects[i];
	}
	a->subjects = mem_grow(a->subjects, &a->cap, a->count + 1, sizeof(*a->subjects));
	a->subjects[a->count] =
	    (struct attention_subject){ .id = id, .whole = whole, .seen_ms = now_ms };
	return &a->subjects[a->count++];
}

static bool is_number(const char *word)
{
	size_t len = strspn(word, "0123456789.");

	return len > 0 && (word[len] == ' ' || word[len] == '\0');
}

/* Without what changes from second to second: "mymaster objectively down 7 s (3/3 Sentinels)" is
 * mymaster objectively down. */
static void short_words(char *out, size_t size, const char *text)
{
	const char *end = text + strcspn(text, " ");

	for (; *end; end++)
		if (*end == ' ' && (end[1] == '(' || end[1] == ' ' || is_number(end + 1)))
			break;
	text_format(out, size, "%.*s", (int)(end - text), text);
}

/* A name that the words begin with is not said twice. */
static void name_words(char *out, size_t size, const char *name, const char *text)
{
	char words[ATTENTION_BYTES];

	short_words(words, sizeof(words), text);
	if (name[0] == '\0' || strncmp(words, name, strlen(name)) == 0)
		text_format(out, size, "%s", words);
	else
		text_format(out, size, "%.40s%s%s", name, words[0] ? " " : "", words);
}

static bool is_news(const struct attention *a, struct attention_subject *s, enum health health,
		    int64_t now_ms)
{
	bool settled = now_ms - s->seen_ms >= GRACE_MS;

	s->round = a->round;
	if (health != HEALTH_CRITICAL) {
		/* Unknown is no all-clear: what was critical may be so all the while. */
		s->calm |= settled && health != HEALTH_UNKNOWN;
		return false;
	}
	return s->calm && (s->told_ms == 0 || now_ms - s->told_ms >= REPEAT_MS);
}

static void look_at(struct attention *a, uint32_t id, bool whole, const char *name,
		    const struct verdict *verdict, int64_t now_ms, struct attention_news *out)
{
	struct attention_subject *s = subject_of(a, id, whole, now_ms);

	if (!is_news(a, s, verdict->health, now_ms))
		return;
	/* A deployment is critical because of one of its masters: that has been told. */
	if (whole && out->text[0] != '\0') {
		s->calm = false;
		s->told_ms = now_ms;
		return;
	}
	if (out->text[0] != '\0' || (a->told_ms != 0 && now_ms - a->told_ms < GAP_MS))
		return;
	name_words(out->text, sizeof(out->text), name, verdict->text);
	s->calm = false;
	s->told_ms = now_ms;
}

static void forget_gone(struct attention *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->count; i++)
		if (a->subjects[i].round == a->round)
			a->subjects[kept++] = a->subjects[i];
	a->count = kept;
}

static void make_title(char *out, size_t size, size_t count, const char *name,
		       const struct verdict *worst)
{
	static const char *const words[] = { [HEALTH_OK] = "ok", [HEALTH_UNKNOWN] = "unknown",
					     [HEALTH_WARNING] = "WARNING",
					     [HEALTH_CRITICAL] = "CRITICAL" };
	char text[ATTENTION_BYTES];

	if (count == 0) {
		text_format(out, size, "redoubt");
		return;
	}
	/* All well with several: no one of them is meant. */
	name_words(text, sizeof(text), worst->health == HEALTH_OK && count > 1 ? "" : name, worst->text);
	text_format(out, size, "redoubt: %s%s%s", words[worst->health], text[0] ? " " : "", text);
}

void attention_look(struct attention *a, const struct model *m, int64_t now_ms,
		    struct attention_news *out)
{
	const struct deployment *d;
	struct verdict worst = { .health = HEALTH_OK }, verdict;
	const char *name = "";
	size_t cursor = 0, count = 0;

	out->text[0] = '\0';
	a->round++;
	while ((d = model_next_deployment(m, &cursor)) != NULL) {
		for (size_t i = 0; i < d->group_count; i++) {
			health_group(m, d->groups[i], now_ms, &verdict);
			look_at(a, d->groups[i]->id, false, d->groups[i]->name, &verdict, now_ms, out);
		}
		health_deployment(m, d, now_ms, &verdict);
		look_at(a, d->id, true, d->name, &verdict, now_ms, out);
		if (count == 0 || verdict.health > worst.health) {
			worst = verdict;
			name = d->name;
		}
		count++;
	}
	if (out->text[0] != '\0')
		a->told_ms = now_ms;
	forget_gone(a);
	make_title(out->title, sizeof(out->title), count, name, &worst);
}
