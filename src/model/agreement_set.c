#include "model/agreement_set.h"

#include <stdio.h>
#include <string.h>

#include "model/health.h"

static const struct {
	const char *title, *help;
} fields[] = {
#define X(id, title_, help_) [id] = { .title = title_, .help = help_ },
	SET_AGREEMENT_FIELDS(X)
#undef X
};

const char *agreement_set_title(enum set_agreement_field f)
{
	return fields[f].title;
}

const char *agreement_set_help(enum set_agreement_field f)
{
	return fields[f].help;
}

static bool number(int64_t value, char *out, size_t size)
{
	if (value != FACT_UNKNOWN)
		snprintf(out, size, "%lld", (long long)value);
	return value != FACT_UNKNOWN;
}

/* False: it has not said. */
static bool cell_text(const struct node *n, enum set_agreement_field which, char *out, size_t size)
{
	const struct info_facts *f = &n->info;
	bool is_replica = f->role == ROLE_REPLICA;
	char addr[ENDPOINT_TEXT_BYTES];
	out[0] = '\0';
	if (n->info_at_ms == 0)
		return false;
	switch (which) {
	case SET_AGREE_ROLE:
		snprintf(out, size, "%s", role_name(f->role));
		return f->role != ROLE_UNKNOWN;
	case SET_AGREE_FOLLOWS:
		snprintf(out, size, "%s", is_replica ? endpoint_format(&f->master, addr) : "nobody");
		return f->role != ROLE_UNKNOWN;
	case SET_AGREE_LINK:
		snprintf(out, size, "%s", !is_replica		   ? "-"
					  : f->sync_in_progress == 1 ? "sync"
					  : f->master_link_up == 1   ? "up"
								     : "down");
		return !is_replica || f->master_link_up != FACT_UNKNOWN;
	case SET_AGREE_REPLID:
		snprintf(out, size, "%.8s", f->replid);
		return f->replid[0] != '\0';
	case SET_AGREE_OFFSET:
		return number(is_replica ? f->slave_repl_offset : f->master_repl_offset, out, size);
	case SET_AGREE_REPLICAS:
		return number(f->connected_slaves, out, size);
	case SET_AGREE_PRIORITY:
		snprintf(out, size, "-");
		return !is_replica || number(f->priority, out, size);
	case SET_AGREE_VERSION:
		snprintf(out, size, "%s", f->version);
		return f->version[0] != '\0';
	case SET_AGREE_COUNT:
		break;
	}
	return false;
}

static bool dissents(const struct model *m, const struct group *g, const struct node *n,
		     enum set_agreement_field which)
{
	const struct node *master = model_node(m, g->master_id), *followed;
	const struct info_facts *f = &n->info;
	if (n->link.state != LINK_UP || n->info_at_ms == 0)
		return false;
	switch (which) {
	case SET_AGREE_ROLE:
		return f->role == (n == master ? ROLE_REPLICA : ROLE_MASTER);
	case SET_AGREE_FOLLOWS:
		followed = f->role == ROLE_REPLICA ? model_find_node(m, g->deployment_id, &f->master) : NULL;
		return f->role == ROLE_REPLICA && followed != NULL && followed->group_id != g->id;
	case SET_AGREE_LINK:
		return f->role == ROLE_REPLICA && f->master_link_up == 0;
	case SET_AGREE_REPLID:
		return master != NULL && master != n && master->link.state == LINK_UP &&
		       master->info_at_ms != 0 && master->info.replid[0] != '\0' && f->replid[0] != '\0' &&
		       strcmp(f->replid, master->info.replid) != 0;
	default:
		return false;
	}
}

void agreement_set_cell(const struct model *m, const struct group *g, const struct node *n,
			enum set_agreement_field f, struct agreement_cell *out)
{
	out->known = cell_text(n, f, out->text, sizeof(out->text));
	out->dissents = out->known && dissents(m, g, n, f);
	out->passing = false;
	out->since_ms = 0;
	if (out->dissents && f == SET_AGREE_ROLE)
		out->since_ms = n->role_ms;
	if (out->dissents && f == SET_AGREE_LINK && n->info.master_link_down_s >= 0)
		out->since_ms = n->info_at_ms - n->info.master_link_down_s * 1000;
}
