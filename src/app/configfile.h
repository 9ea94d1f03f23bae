/* The config file: INI, read with inih. [ui], [alerts], and one [deployment NAME] section each. */
#ifndef APP_CONFIGFILE_H
#define APP_CONFIGFILE_H

#include <stdint.h>

#include "app/settings.h"
#include "model/alerts.h"

#define CONFIG_DEPLOYMENTS_MAX 256
#define CONFIG_FILE_BYTES_MAX  (1024 * 1024)

struct config {
	/* [ui]: -1 or NULL where the file says nothing */
	int64_t interval_ms, timeout_ms;
	int read_only, ascii, no_color;
	char *theme, *log_file;
	struct alerts alerts;
	struct settings *deployments; /* owned, in the file's order */
	size_t deployment_count, deployment_cap;
};

/* $XDG_CONFIG_HOME/redoubt/redoubt.conf, else under $HOME/.config; owned, NULL when neither is set. */
char *config_default_path(void);
/* False with "FILE:LINE: key: why" in err. A file with a password in it that others can read is
 * refused. missing_is_fine: the default file need not exist. */
bool config_load(struct config *c, const char *path, bool missing_is_fine, struct buf *err);
/* The same on text, for the fuzzer and tests: name stands for the file in messages. */
bool config_parse(struct config *c, const char *text, size_t len, const char *name, struct buf *err);
void config_done(struct config *c);

#endif
