/* The cases: recording, moment, size, mode and keys. Each screen, size, mode and kind of deployment is
 * in at least one. A moment is so many ms after an event (its nth of that name), or after the begin. */
#ifndef GOLDEN_CASES_H
#define GOLDEN_CASES_H

enum golden_mode { COLOUR, MONO, ASCII, ASCII_MONO };

struct golden_case {
	const char *name, *recording;
	const char *event; /* NULL: the begin */
	int nth, after_ms;
	int width, height;
	enum golden_mode mode;
	const char *keys;
	enum { NO_SHEET, SHEET, SHEET_REFUSED } sheet; /* of a failover; a replay itself opens none */
};

static const struct golden_case golden_cases[] = {
	/* --- a Sentinel set loses its master: moment by moment --------------------------------------- */
	{ "crash-before-80", "sentinel-crash", NULL, 0, 3000, 80, 24, COLOUR, "", 0 },
	{ "crash-lost-80", "sentinel-crash", "+link-lost", 1, 1500, 80, 24, COLOUR, "", 0 },
	{ "crash-sdown-80", "sentinel-crash", "+sdown", 1, 50, 80, 24, COLOUR, "", 0 },
	{ "crash-odown-80", "sentinel-crash", "+odown", 1, 10, 80, 24, COLOUR, "", 0 },
	{ "crash-waiting-80", "sentinel-crash", "+failover-state-wait-promotion", 1, 300, 80, 24, COLOUR, "", 0 },
	{ "crash-promoted-80", "sentinel-crash", "+promoted-slave", 1, 10, 80, 24, COLOUR, "", 0 },
	{ "crash-switched-80", "sentinel-crash", "+switch-master", 1, 500, 80, 24, COLOUR, "", 0 },
	{ "crash-ended-80", "sentinel-crash", "+failover-end", 1, 1500, 80, 24, COLOUR, "", 0 },
	{ "crash-back-80", "sentinel-crash", "+restarted", 1, 1500, 80, 24, COLOUR, "", 0 },
	{ "crash-after-80", "sentinel-crash", "+convert-to-slave", 1, 3000, 80, 24, COLOUR, "", 0 },
	{ "crash-before-200", "sentinel-crash", NULL, 0, 3000, 200, 60, COLOUR, "", 0 },
	{ "crash-odown-200", "sentinel-crash", "+odown", 1, 10, 200, 60, COLOUR, "", 0 },
	{ "crash-after-200", "sentinel-crash", "+convert-to-slave", 1, 3000, 200, 60, COLOUR, "", 0 },
	{ "crash-sdown-120-mono", "sentinel-crash", "+sdown", 1, 50, 120, 36, MONO, "", 0 },
	{ "crash-waiting-120", "sentinel-crash", "+failover-state-wait-promotion", 1, 300, 120, 36, COLOUR, "", 0 },
	{ "crash-ended-120-ascii", "sentinel-crash", "+failover-end", 1, 1500, 120, 36, ASCII, "", 0 },
	{ "crash-odown-40", "sentinel-crash", "+odown", 1, 10, 40, 10, COLOUR, "", 0 },
	{ "crash-after-40-ascii", "sentinel-crash", "+convert-to-slave", 1, 3000, 40, 10, ASCII_MONO, "", 0 },
	{ "crash-odown-80-mono", "sentinel-crash", "+odown", 1, 10, 80, 24, MONO, "", 0 },
	{ "crash-odown-80-ascii", "sentinel-crash", "+odown", 1, 10, 80, 24, ASCII, "", 0 },

	/* its screens */
	{ "crash-topology-80", "sentinel-crash", "+odown", 1, 10, 80, 24, COLOUR, "2", 0 },
	{ "crash-topology-40", "sentinel-crash", "+odown", 1, 10, 40, 10, COLOUR, "2", 0 },
	{ "crash-topology-after-120-ascii", "sentinel-crash", "+failover-end", 1, 1500, 120, 36, ASCII, "2", 0 },
	{ "crash-topology-200", "sentinel-crash", "+failover-end", 1, 1500, 200, 60, COLOUR, "2", 0 },
	{ "crash-replication-80", "sentinel-crash", "+switch-master", 1, 500, 80, 24, COLOUR, "3", 0 },
	{ "crash-events-80", "sentinel-crash", "+failover-end", 1, 100, 80, 24, COLOUR, "5", 0 },
	{ "crash-events-120-mono", "sentinel-crash", "+failover-end", 1, 100, 120, 36, MONO, "5", 0 },
	{ "crash-events-200-ascii", "sentinel-crash", "+convert-to-slave", 1, 3000, 200, 60, ASCII, "5", 0 },
	{ "crash-events-40", "sentinel-crash", "+failover-end", 1, 100, 40, 10, COLOUR, "5", 0 },
	{ "crash-events-top-80", "sentinel-crash", "+failover-end", 1, 100, 80, 24, COLOUR, "5gjj", 0 },
	{ "crash-events-details-80", "sentinel-crash", "+failover-end", 1, 100, 80, 24, COLOUR, "5gjj<Enter>", 0 },
	{ "crash-events-filter-120", "sentinel-crash", "+failover-end", 1, 100, 120, 36, COLOUR, "5/sdown<Enter>", 0 },
	{ "crash-nodes-80", "sentinel-crash", "+sdown", 1, 50, 80, 24, COLOUR, "7", 0 },
	{ "crash-nodes-200", "sentinel-crash", "+convert-to-slave", 1, 3000, 200, 60, COLOUR, "7", 0 },
	{ "crash-nodes-40-ascii", "sentinel-crash", "+sdown", 1, 50, 40, 10, ASCII, "7", 0 },
	{ "crash-nodes-120-mono", "sentinel-crash", "+sdown", 1, 50, 120, 36, MONO, "7s", 0 },
	{ "crash-node-80", "sentinel-crash", "+convert-to-slave", 1, 3000, 80, 24, COLOUR, "7<Enter>", 0 },
	{ "crash-node-lost-120", "sentinel-crash", "+odown", 1, 10, 120, 36, COLOUR, "7<Enter>", 0 },
	{ "crash-node-200-ascii", "sentinel-crash", "+convert-to-slave", 1, 3000, 200, 60, ASCII, "7j<Enter>", 0 },
	{ "crash-node-orphan-120", "sentinel-crash", "+odown", 1, 10, 120, 50, COLOUR, "7j<Enter>", 0 },
	{ "crash-node-sentinel-120", "sentinel-crash", "+odown", 1, 10, 120, 36, COLOUR, "7G<Enter>", 0 },
	{ "crash-node-40", "sentinel-crash", "+convert-to-slave", 1, 3000, 40, 10, COLOUR, "7<Enter>", 0 },
	{ "crash-zoomed-80", "sentinel-crash", "+odown", 1, 10, 80, 24, COLOUR, "<Tab>z", 0 },
	{ "crash-no-slots-80", "sentinel-crash", "+odown", 1, 10, 80, 24, COLOUR, "4", 0 },
	{ "crash-line-80", "sentinel-crash", "+odown", 1, 10, 80, 24, COLOUR, ":node<Tab>", 0 },
	{ "crash-themes-80", "sentinel-crash", "+odown", 1, 10, 80, 24, COLOUR, "t", 0 },

	/* --- the time line and its keys ----------------------------------------------------------------- */
	{ "replay-begin-80", "sentinel-crash", NULL, 0, 0, 80, 24, COLOUR, "", 0 },
	{ "replay-next-80", "sentinel-crash", "+odown", 1, 10, 80, 24, COLOUR, "n", 0 },
	{ "replay-critical-120-mono", "sentinel-crash", NULL, 0, 2000, 120, 36, MONO, "}", 0 },
	{ "replay-back-200-ascii", "sentinel-crash", "+convert-to-slave", 1, 2000, 200, 60, ASCII, "{", 0 },
	{ "replay-forward-40", "sentinel-crash", NULL, 0, 2000, 40, 10, COLOUR, ">", 0 },
	{ "replay-end-80-ascii", "cluster-crash", NULL, 0, 0, 80, 24, ASCII, "$", 0 },
	{ "replay-speed-80", "sentinel-crash", "+odown", 1, 10, 80, 24, COLOUR, "++", 0 },

	/* --- help ------------------------------------------------------------------------------------ */
	{ "help-80", "sentinel-manual", NULL, 0, 2000, 80, 24, COLOUR, "?", 0 },
	{ "help-80-end-mono", "sentinel-manual", NULL, 0, 2000, 80, 24, MONO, "?G", 0 },
	{ "help-120", "sentinel-manual", NULL, 0, 2000, 120, 36, COLOUR, "?", 0 },
	{ "help-200-ascii", "sentinel-manual", NULL, 0, 2000, 200, 60, ASCII, "?", 0 },
	{ "help-40", "sentinel-manual", NULL, 0, 2000, 40, 10, COLOUR, "?", 0 },

	/* --- a failover that was asked for ----------------------------------------------------------- */
	{ "manual-refused-80", "sentinel-manual", NULL, 0, 2000, 80, 24, COLOUR, "f", 0 },
	{ "manual-sheet-80", "sentinel-manual", NULL, 0, 2000, 80, 24, COLOUR, "", SHEET },
	{ "manual-sheet-120-mono", "sentinel-manual", NULL, 0, 2000, 120, 36, MONO, "", SHEET },
	{ "manual-sheet-200-ascii", "sentinel-manual", NULL, 0, 2000, 200, 60, ASCII, "", SHEET },
	{ "manual-sheet-40", "sentinel-manual", NULL, 0, 2000, 40, 10, COLOUR, "", SHEET },
	{ "manual-sheet-running-80", "sentinel-manual", "+failover-state-wait-promotion", 1, 300, 80, 24, COLOUR, "", SHEET },
	{ "manual-sheet-refused-80", "sentinel-manual", NULL, 0, 2000, 80, 24, COLOUR, "", SHEET_REFUSED },
	{ "manual-waiting-120", "sentinel-manual", "+failover-state-wait-promotion", 1, 300, 120, 36, COLOUR, "", 0 },
	{ "manual-ended-80", "sentinel-manual", "+failover-end", 1, 1000, 80, 24, COLOUR, "", 0 },

	/* --- a replica that hangs -------------------------------------------------------------------- */
	{ "lag-80", "sentinel-lag", "+link-lost", 1, 1500, 80, 24, COLOUR, "", 0 },
	{ "lag-replication-80", "sentinel-lag", "+sdown", 1, 1500, 80, 24, COLOUR, "3", 0 },
	{ "lag-replication-120-mono", "sentinel-lag", "+sdown", 1, 1500, 120, 36, MONO, "3", 0 },
	{ "lag-replication-200", "sentinel-lag", "+sdown", 1, 1500, 200, 60, COLOUR, "3", 0 },
	{ "lag-replication-120-ascii", "sentinel-lag", "+sdown", 1, 1500, 120, 36, ASCII, "3", 0 },
	{ "lag-replication-40", "sentinel-lag", "+sdown", 1, 1500, 40, 10, COLOUR, "3", 0 },
	{ "lag-node-120", "sentinel-lag", "+sdown", 1, 1500, 120, 36, COLOUR, "7jj<Enter>", 0 },
	{ "lag-over-120", "sentinel-lag", "-sdown", 1, 3000, 120, 36, COLOUR, "", 0 },

	/* --- Sentinels that disagree: a quorum, then two masters of one name; and those that agree ------- */
	{ "agree-calm-80", "sentinel-split", NULL, 0, 2500, 80, 24, COLOUR, "6", 0 },
	{ "agree-calm-200", "sentinel-split", NULL, 0, 2500, 200, 60, COLOUR, "6", 0 },
	{ "agree-quorum-80", "sentinel-split", "+disagreement", 1, 1500, 80, 24, COLOUR, "6", 0 },
	{ "agree-split-80", "sentinel-split", "+disagreement", 2, 1500, 80, 24, COLOUR, "6", 0 },
	{ "agree-split-200", "sentinel-split", "+disagreement", 2, 1500, 200, 60, COLOUR, "6", 0 },
	{ "agree-split-120-mono", "sentinel-split", "+disagreement", 2, 1500, 120, 36, MONO, "6", 0 },
	{ "agree-split-40-ascii", "sentinel-split", "+disagreement", 2, 1500, 40, 10, ASCII, "6", 0 },
	{ "agree-split-dashboard-80", "sentinel-split", "+disagreement", 2, 1500, 80, 24, COLOUR, "", 0 },
	{ "agree-word-120", "sentinel-split", "+disagreement", 2, 1500, 120, 36, COLOUR, "6<Enter>", 0 },
	{ "agree-switching-80", "sentinel-crash", "+switch-master", 1, 500, 80, 24, COLOUR, "6", 0 },
	{ "agree-cluster-80", "cluster-crash", "+node-fail", 1, 10, 80, 24, COLOUR, "6", 0 },
	{ "agree-set-80", "plain-chain", "+link-lost", 1, 3000, 80, 24, COLOUR, "6", 0 },

	/* --- a cluster loses a master ---------------------------------------------------------------- */
	{ "cluster-before-80", "cluster-crash", NULL, 0, 3000, 80, 24, COLOUR, "", 0 },
	{ "cluster-pfail-80", "cluster-crash", "+node-pfail", 1, 100, 80, 24, COLOUR, "", 0 },
	{ "cluster-down-80", "cluster-crash", "+node-fail", 1, 10, 80, 24, COLOUR, "", 0 },
	{ "cluster-down-80-ascii", "cluster-crash", "+node-fail", 1, 10, 80, 24, ASCII, "", 0 },
	{ "cluster-down-120-mono", "cluster-crash", "+node-fail", 1, 10, 120, 36, MONO, "", 0 },
	{ "cluster-down-200", "cluster-crash", "+node-fail", 1, 10, 200, 60, COLOUR, "", 0 },
	{ "cluster-down-40", "cluster-crash", "+node-fail", 1, 10, 40, 10, COLOUR, "", 0 },
	{ "cluster-moved-120", "cluster-crash", "+slots-moved", 1, 1000, 120, 36, COLOUR, "", 0 },
	{ "cluster-after-80", "cluster-crash", "-node-fail", 1, 3000, 80, 24, COLOUR, "", 0 },
	{ "cluster-slots-80", "cluster-crash", "+node-fail", 1, 10, 80, 24, COLOUR, "4", 0 },
	{ "cluster-slots-80-mono", "cluster-crash", "+node-fail", 1, 10, 80, 24, MONO, "4", 0 },
	{ "cluster-slots-120-ascii", "cluster-crash", "+node-fail", 1, 10, 120, 36, ASCII, "4", 0 },
	{ "cluster-slots-200", "cluster-crash", "-node-fail", 1, 3000, 200, 60, COLOUR, "4", 0 },
	{ "cluster-slots-40", "cluster-crash", "+node-fail", 1, 10, 40, 10, COLOUR, "4", 0 },
	{ "cluster-slots-key-80", "cluster-crash", "-node-fail", 1, 3000, 80, 24, COLOUR, "4/{user1000}.following<Enter>", 0 },
	{ "cluster-topology-120-mono", "cluster-crash", "+node-fail", 1, 10, 120, 36, MONO, "2", 0 },
	{ "cluster-nodes-120", "cluster-crash", "+node-fail", 1, 10, 120, 36, COLOUR, "7", 0 },
	{ "cluster-node-80-mono", "cluster-crash", "-node-fail", 1, 3000, 80, 24, MONO, "7<Enter>", 0 },
	{ "cluster-sheet-80", "cluster-crash", NULL, 0, 3000, 80, 24, COLOUR, "", SHEET },
	{ "cluster-sheet-120-ascii", "cluster-crash", "+node-pfail", 1, 100, 120, 36, ASCII, "", SHEET },

	/* --- a plain set, replicas of replicas ------------------------------------------------------- */
	{ "chain-before-80", "plain-chain", NULL, 0, 2500, 80, 24, COLOUR, "", 0 },
	{ "chain-lost-80", "plain-chain", "+link-lost", 1, 3000, 80, 24, COLOUR, "", 0 },
	{ "chain-lost-120-mono", "plain-chain", "+link-lost", 1, 3000, 120, 36, MONO, "", 0 },
	{ "chain-lost-40", "plain-chain", "+link-lost", 1, 3000, 40, 10, COLOUR, "", 0 },
	{ "chain-topology-80-ascii", "plain-chain", "+link-lost", 1, 3000, 80, 24, ASCII, "2", 0 },
	{ "chain-sheet-80", "plain-chain", NULL, 0, 2500, 80, 24, COLOUR, "", SHEET },
	{ "chain-after-200", "plain-chain", "-link-lost", 1, 1500, 200, 60, COLOUR, "", 0 },

	/* --- several deployments --------------------------------------------------------------------- */
	{ "fleet-before-80", "fleet", NULL, 0, 2500, 80, 24, COLOUR, "0", 0 },
	{ "fleet-80", "fleet", "+node-fail", 1, 100, 80, 24, COLOUR, "0", 0 },
	{ "fleet-120-mono", "fleet", "+node-fail", 1, 100, 120, 36, MONO, "0", 0 },
	{ "fleet-200-ascii", "fleet", "+node-fail", 1, 100, 200, 60, ASCII, "0", 0 },
	{ "fleet-40", "fleet", "+node-fail", 1, 100, 40, 10, COLOUR, "0", 0 },
	{ "fleet-other-worse-80", "fleet", "+node-fail", 1, 100, 80, 24, COLOUR, "", 0 },
	{ "fleet-next-120", "fleet", "+node-fail", 1, 100, 120, 36, COLOUR, "]", 0 },

	/* --- Valkey: a crash under Sentinels, a cluster failed over by hand ------------------------------ */
	{ "valkey-before-80", "valkey-crash", NULL, 0, 2500, 80, 24, COLOUR, "", 0 },
	{ "valkey-odown-80", "valkey-crash", "+odown", 1, 10, 80, 24, COLOUR, "", 0 },
	{ "valkey-ended-200", "valkey-crash", "+failover-end", 1, 1500, 200, 60, COLOUR, "", 0 },
	{ "valkey-topology-80", "valkey-crash", "+odown", 1, 10, 80, 24, COLOUR, "2", 0 },
	{ "valkey-topology-200", "valkey-crash", "+failover-end", 1, 1500, 200, 60, COLOUR, "2", 0 },
	{ "valkey-failovers-80", "valkey-crash", "+failover-end", 1, 1500, 80, 24, COLOUR, "9", 0 },
	{ "valkey-failovers-200", "valkey-crash", "+failover-end", 1, 1500, 200, 60, COLOUR, "9", 0 },
	{ "valkey-node-80", "valkey-crash", NULL, 0, 2500, 80, 24, COLOUR, "7<Enter>", 0 },
	{ "valkey-cluster-80", "valkey-cluster", "+slots-moved", 1, 2000, 80, 24, COLOUR, "", 0 },
	{ "valkey-cluster-200", "valkey-cluster", "+slots-moved", 1, 2000, 200, 60, COLOUR, "", 0 },
	{ "valkey-cluster-topology-80", "valkey-cluster", "+slots-moved", 1, 2000, 80, 24, COLOUR, "2", 0 },
	{ "valkey-cluster-failovers-80", "valkey-cluster", "+slots-moved", 1, 2000, 80, 24, COLOUR, "9", 0 },
	{ "valkey-cluster-failovers-200", "valkey-cluster", "+slots-moved", 1, 2000, 200, 60, COLOUR, "9", 0 },

	/* --- what is refused ------------------------------------------------------------------------- */
	{ "refused-fleet-120", "refused", NULL, 0, 4000, 120, 36, COLOUR, "0", 0 },
	{ "refused-fleet-80-ascii", "refused", NULL, 0, 4000, 80, 24, ASCII, "0", 0 },
	{ "refused-password-80", "refused", NULL, 0, 4000, 80, 24, COLOUR, "", 0 },
	{ "refused-password-120", "refused", NULL, 0, 4000, 120, 36, COLOUR, "", 0 },
	{ "refused-permission-80", "refused", NULL, 0, 4000, 80, 24, COLOUR, "]", 0 },
	{ "refused-permission-120-mono", "refused", NULL, 0, 4000, 120, 36, MONO, "]", 0 },
	{ "refused-node-120", "refused", NULL, 0, 4000, 120, 36, COLOUR, "]7j<Enter>", 0 },
	{ "refused-well-80", "refused", NULL, 0, 4000, 80, 24, COLOUR, "]]", 0 },
};

#endif
