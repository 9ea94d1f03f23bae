#include "config.h"

#include "app/ui_theme.h"

#include <string.h>

#include "app/ui_private.h"

static bool load(struct theme *theme, const char *name, struct buf *err)
{
	if (name != NULL && strcmp(name, "default") != 0)
		return theme_load(theme, name, err);
	theme_builtin(theme);
	return true;
}

/* The command line's or the file's, unless the deployment has one of its own. */
static const char *wanted(const struct ui *ui)
{
	const char *own = app_settings(ui->app, ui->deployment_id)->theme;
	return own != NULL ? own : ui->app->options->theme;
}

bool ui_theme_open(struct ui *ui, struct buf *err)
{
	ui->theme_name = wanted(ui);
	return load(&ui->theme, ui->theme_name, err);
}

void ui_theme_follow(struct ui *ui)
{
	const char *name = wanted(ui);
	struct buf err = BUF_INIT;
	if (name == ui->theme_name)
		return;
	ui->theme_name = name;
	if (load(&ui->theme, name, &err))
		screen_set_theme(ui->screen, &ui->theme);
	else
		app_notice(ui->app, HEALTH_WARNING, "theme: %s", buf_str(&err));
	buf_free(&err);
}

bool ui_theme_set(struct ui *ui, const char *name, struct buf *err)
{
	struct theme theme;
	if (!load(&theme, name, err))
		return false;
	ui->theme = theme;
	screen_set_theme(ui->screen, &ui->theme);
	return true;
}

void ui_theme_close(struct ui *ui)
{
	(void)ui;
}

void ui_theme_pick(struct ui *ui)
{
	(void)ui;
}

bool ui_theme_picking(const struct ui *ui)
{
	(void)ui;
	return false;
}

void ui_theme_key(struct ui *ui, uint32_t key)
{
	(void)ui, (void)key;
}

void ui_theme_draw(struct ui *ui, const struct pane *whole)
{
	(void)ui, (void)whole;
}
