#include "config.h"

#include "model/permission.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Commands whose permission is given by subcommand. */
static bool has_subcommands(const char *command, size_t len)
{
	static const char *const names[] = { "sentinel", "cluster", "pubsub" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && strncasecmp(command, names[i], len) == 0)
			return true;
	return false;
}

/* acl.c: "access one of the channels used as arguments", later "access a channel". No shorter words:
 * the user's name is among them, which may be "channels" but has no spaces. */
static bool is_about_channel(const char *words)
{
	return strstr(words, "access one of the channels") != NULL ||
	       strstr(words, "access a channel") != NULL;
}

const char *permission_name(const char *command, const char *words, char out[PERMISSION_BYTES])
{
	size_t len = strcspn(command, " "), sub = 0;
	if (is_about_channel(words)) {
		snprintf(out, PERMISSION_BYTES, "&*");
		return out;
	}
	if (has_subcommands(command, len) && command[len] == ' ')
		sub = strcspn(command + len + 1, " ");
	snprintf(out, PERMISSION_BYTES, "+%.*s%s%.*s", (int)len, command, sub > 0 ? "|" : "", (int)sub,
		 command + len + (sub > 0));
	for (char *p = out; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return out;
}

void permission_format(char *out, size_t size, const char *command, const char *words)
{
	char name[PERMISSION_BYTES];
	text_format(out, size, "the user lacks %s: %s", permission_name(command, words, name), words);
}
