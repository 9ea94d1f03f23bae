/* The tables of key frames: each member of the model is in one, or there is a reason why not. */
#include "config.h"

#include "captured.h"

#include "model/model.h"
#include "model/state_private.h"

static struct buf headers(void)
{
	static const char *const names[] = { "base/endpoint.h", "model/facts.h", "model/model.h",
					     "model/event.h", "model/failovers.h", "model/probe.h", "model/series.h",
					     "model/model_private.h" };
	const char *srcdir = getenv("REDOUBT_SRCDIR");
	struct buf text = BUF_INIT;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf path = BUF_INIT;
		char block[4096];
		size_t got;
		buf_addf(&path, "%s/src/%s", srcdir != NULL ? srcdir : ".", names[i]);
		FILE *f = fopen(path.data, "r");
		if (f == NULL)
			fail_msg("%s cannot be read", path.data);
		while ((got = fread(block, 1, sizeof(block), f)) > 0)
			buf_add(&text, block, got);
		fclose(f);
		buf_free(&path);
	}
	for (char *from; (from = strstr(text.data, "/*")) != NULL;)
		for (char *end = strstr(from, "*/") + 2; from < end; from++)
			*from = ' ';
	return text;
}

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool covers(const struct state_record *record, const char *name, size_t len)
{
	for (size_t i = 0; i < record->field_count; i++) {
		const char *at = record->fields[i].members;
		for (; (at = strstr(at, name)) != NULL; at += len)
			if (strncmp(at, name, len) == 0 && !is_word(at[len]) &&
			    (at == record->fields[i].members || at[-1] == ' '))
				return true;
	}
	return false;
}

/* The name before each comma and semicolon, without its array bounds. */
static size_t check_members(const struct state_record *record, char *body)
{
	size_t count = 0;
	for (char *end; (end = strpbrk(body, ",;")) != NULL; body = end + 1) {
		char name[64];
		char *bracket = memchr(body, '[', (size_t)(end - body));
		char *last = bracket != NULL ? bracket : end, *first;
		while (last > body && !is_word(last[-1]))
			last--;
		for (first = last; first > body && is_word(first[-1]);)
			first--;
		assert_true(last > first && (size_t)(last - first) < sizeof(name));
		snprintf(name, sizeof(name), "%.*s", (int)(last - first), first);
		if (!covers(record, name, strlen(name)))
			fail_msg("struct %s has a member %s that src/model/state_fields.c does not "
				 "know: say there how it is saved, or why not",
				 record->name, name);
		count++;
	}
	return count;
}

/* Who adds a member to the model and forgets the tables would lose it in each recording. */
static void test_each_member_is_in_a_table(void **state)
{
	struct buf text = headers();
	(void)state;
	for (size_t i = 0; i < state_record_count; i++) {
		const struct state_record *record = state_records[i];
		struct buf begin = BUF_INIT;
		/* Made by the same macro as its table; one of its own. */
		if (strcmp(record->name, "alerts") == 0 || strcmp(record->name, "event_changes") == 0)
			continue;
		buf_addf(&begin, "struct %s {", record->name);
		char *body = strstr(text.data, begin.data);
		if (body == NULL)
			fail_msg("no %s in the headers", begin.data);
		body = strdup(body + begin.len);
		*strchr(body, '}') = '\0';
		assert_true(check_members(record, body) > 0);
		free(body);
		buf_free(&begin);
	}
	buf_free(&text);
}

static void test_tables_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < state_record_count; i++) {
		const struct state_record *record = state_records[i];
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(state_records[k]->name, record->name);
		for (size_t k = 0; k < record->field_count; k++) {
			const struct state_field *f = &record->fields[k];
			assert_true(f->offset + f->size <= record->size);
			for (size_t j = 0; j < k; j++)
				assert_true(f->name[0] == '\0' ||
					    strcmp(record->fields[j].name, f->name) != 0);
			if (f->type == STATE_NOT_SAVED)
				assert_non_null(f->why);
		}
	}
	/* Events are known by their names. */
	for (unsigned kind = EVENT_UNKNOWN + 1; kind < EVENT_KIND_COUNT; kind++)
		assert_int_equal(event_kind_find(event_kind_info((enum event_kind)kind)->name), kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_member_is_in_a_table),
		cmocka_unit_test(test_tables_are_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
