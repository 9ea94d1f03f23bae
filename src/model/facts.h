/* What a reply said, as plain values: the parsers of src/redis fill these, the model keeps copies.
 * All strings are cleaned. A number that the server did not give is FACT_UNKNOWN. */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"

#define FACT_UNKNOWN INT64_MIN
#define FACT_UNKNOWN_DOUBLE (-1.0) /* for rates and ratios, which are never negative */

/* The sum, unless the value is not known. */
static inline int64_t fact_add(int64_t value, int64_t more)
{
	return value == FACT_UNKNOWN ? FACT_UNKNOWN : value + more;
}

#define ID_BYTES    41  /* 40 hex digits of a run id or cluster node id */
#define NAME_BYTES  128 /* name of a Sentinel's master */
#define SLOT_COUNT  16384

/* The first word of an error reply, or a failure of our own. */
enum server_error {
	ERROR_NONE,
	ERROR_OTHER,      /* see the text */
	ERROR_NOAUTH,     /* NOAUTH: no password given */
	ERROR_WRONGPASS,  /* WRONGPASS, or ERR invalid password (up to Redis 5) */
	ERROR_NO_PASSWORD_SET, /* ERR AUTH ... called without any password configured */
	ERROR_NOPERM,     /* NOPERM: the ACL lacks a permission */
	ERROR_LOADING,
	ERROR_BUSY,
	ERROR_MASTERDOWN,
	ERROR_READONLY,
	ERROR_CLUSTERDOWN,
	ERROR_INPROG,     /* a failover is already running */
	ERROR_NOGOODSLAVE,
	ERROR_NOQUORUM,
	ERROR_UNKNOWN_COMMAND,
	ERROR_DENIED,     /* protected mode */
	ERROR_MAXCLIENTS,
	ERROR_TLS,        /* no TLS connection: the text says which side refuses what */
};

enum server_mode { MODE_UNKNOWN, MODE_STANDALONE, MODE_CLUSTER, MODE_SENTINEL };
enum role { ROLE_UNKNOWN, ROLE_MASTER, ROLE_REPLICA, ROLE_SENTINEL };

/* A replica as its master's INFO lists it (slaveN:). */
struct info_replica {
	struct endpoint addr;   /* as the replica announced it */
	char state[16];         /* online, wait_bgsave, send_bulk, ... */
	int64_t offset;         /* acknowledged; 0 unless online */
	int64_t lag_s;          /* whole seconds since the last ACK: silence, not age of data */
};

/* INFO, default sections. replication.c:genRedisInfoString of each version. */
struct info_facts {
	char run_id[ID_BYTES];
	char version[24];       /* valkey_version where given, else redis_version */
	bool valkey;
	enum server_mode mode;
	int64_t uptime_s, connected_clients, blocked_clients, maxclients, rejected_connections;
	int64_t ops_per_sec, keyspace_hits, keyspace_misses, evicted_keys;
	double input_kbps, output_kbps;          /* KiB a second */
	int64_t used_memory_bytes, maxmemory_bytes; /* maxmemory 0: unlimited */
	int64_t sync_full, sync_partial_ok, sync_partial_err;
	int64_t keys;           /* sum over dbN; 0 when the section is there and empty */
	int64_t loading;        /* 0, 1 */
	double loading_percent;
	int64_t loading_eta_s;
	char rdb_last_bgsave_status[8], aof_last_write_status[8];
	int64_t rdb_bgsave_in_progress, aof_rewrite_in_progress; /* 0, 1 */
	int64_t rdb_last_save_time;    /* of the server's clock, seconds since 1970 */
	int64_t rdb_saves;             /* since its start; 7.0+ */
	int64_t rdb_changes_since_last_save;
	int64_t save_keys_processed, save_keys_total; /* of the save that runs; 6.2+ */
	/* replication */
	enum role role;
	struct endpoint master; /* replica: whom it follows; unset otherwise */
	int64_t master_link_up; /* 0, 1 */
	int64_t master_last_io_s;
	int64_t sync_in_progress;
	int64_t sync_read_bytes, sync_total_bytes; /* total unknown or 0 when diskless */
	int64_t master_link_down_s; /* -1: never linked */
	int64_t slave_repl_offset;
	int64_t priority;
	int64_t replica_announced;
	int64_t connected_slaves;
	char replid[ID_BYTES], replid2[ID_BYTES];
	int64_t master_repl_offset, second_repl_offset;
	int64_t backlog_active, backlog_size_bytes, backlog_first_byte_offset, backlog_histlen_bytes;
	char failover_state[24]; /* no-failover, waiting-for-sync, failover-in-progress; 6.2+ */
	/* Sentinel */
	int64_t sentinel_tilt;
	struct info_replica *replicas; /* owned by whoever owns the struct's storage; see parsers */
	size_t replica_count;
	size_t replica_cap;
};

/* Sentinel's flags, one bit each; SENTINEL MASTERS/REPLICAS/SENTINELS "flags". */
enum sentinel_flag {
	SFLAG_S_DOWN               = 1u << 0,
	SFLAG_O_DOWN               = 1u << 1,
	SFLAG_MASTER               = 1u << 2,
	SFLAG_SLAVE                = 1u << 3,
	SFLAG_SENTINEL             = 1u << 4,
	SFLAG_DISCONNECTED         = 1u << 5,
	SFLAG_MASTER_DOWN          = 1u << 6,
	SFLAG_FAILOVER_IN_PROGRESS = 1u << 7,
	SFLAG_PROMOTED             = 1u << 8,
	SFLAG_RECONF_SENT          = 1u << 9,
	SFLAG_RECONF_INPROG        = 1u << 10,
	SFLAG_RECONF_DONE          = 1u << 11,
	SFLAG_FORCE_FAILOVER       = 1u << 12,
	SFLAG_COORDINATED_FAILOVER = 1u << 13,
	SFLAG_SCRIPT_KILL_SENT     = 1u << 14,
	SFLAG_MASTER_REBOOT        = 1u << 15,
};

/* One map of SENTINEL MASTERS, REPLICAS or SENTINELS; fields of the other two stay unknown.
 * sentinel.c:addReplySentinelRedisInstance. Ages and times in ms. */
struct sentinel_instance {
	char name[NAME_BYTES];
	bool name_cleaned;      /* the name is not what the server said, byte for byte: nothing to send */
	struct endpoint addr;
	char run_id[ID_BYTES];
	uint32_t flags;         /* enum sentinel_flag */
	int64_t last_ping_sent_ms, last_ok_ping_reply_ms, last_ping_reply_ms;
	int64_t s_down_time_ms, o_down_time_ms;
	int64_t down_after_ms, info_refresh_ms;
	int64_t role_reported_time_ms;
	enum role role_reported;
	/* masters */
	char failover_state[24];
	int64_t config_epoch, num_slaves, num_other_sentinels, quorum, failover_timeout_ms, parallel_syncs;
	/* replicas */
	int64_t master_link_down_time_ms; /* -1000: never linked */
	int64_t master_link_ok;           /* 0, 1 */
	struct endpoint master;           /* unset while '?' */
	int64_t priority, repl_offset, replica_announced;
	/* sentinels */
	int64_t last_hello_message_ms, voted_leader_epoch;
	char voted_leader[ID_BYTES];
};

struct sentinel_list { /* reply to one of the three */
	struct sentinel_instance *items;
	size_t count;
};

struct ckquorum_facts {
	bool ok;
	int64_t usable;    /* Sentinels; unknown when not said */
	char message[256]; /* the server's words */
};

/* ROLE, short form. */
struct role_facts {
	enum role role;
	int64_t offset;
	struct endpoint master;
	char state[16]; /* replica's link: connect, connecting, sync, connected */
};

/* CLUSTER INFO. */
struct cluster_info_facts {
	bool state_ok;
	int64_t slots_assigned, slots_ok, slots_pfail, slots_fail;
	int64_t known_nodes, size, current_epoch, my_epoch;
};

enum cluster_flag {
	CFLAG_MYSELF     = 1u << 0,
	CFLAG_MASTER     = 1u << 1,
	CFLAG_SLAVE      = 1u << 2,
	CFLAG_PFAIL      = 1u << 3,
	CFLAG_FAIL       = 1u << 4,
	CFLAG_HANDSHAKE  = 1u << 5,
	CFLAG_NOADDR     = 1u << 6,
	CFLAG_NOFAILOVER = 1u << 7,
};

struct slot_range { uint16_t first, last; };
/* An open slot on the myself line: [slot->-peer] migrating, [slot-<-peer] importing. */
struct open_slot { uint16_t slot; bool importing; char peer[ID_BYTES]; };

/* One line of CLUSTER NODES. Slots point into the list's shared arrays. */
struct cluster_node_line {
	char id[ID_BYTES];
	struct endpoint addr;   /* hostname ignored; host empty: the asked node's own address */
	char hostname[128];
	uint32_t flags;         /* enum cluster_flag */
	char master_id[ID_BYTES]; /* "" for masters */
	int64_t ping_sent_ms, pong_recv_ms, config_epoch;
	bool link_connected;
	const struct slot_range *slots;
	size_t slot_count;
	const struct open_slot *open;
	size_t open_count;
};

struct cluster_nodes_facts {
	struct cluster_node_line *lines;
	size_t count;
	size_t malformed; /* lines that were passed over */
};

/* What a Sentinel publishes on the data nodes every 2 s: sentinel.c:sentinelSendHello. */
#define SENTINEL_HELLO_CHANNEL "__sentinel__:hello"
struct sentinel_hello {
	struct endpoint sentinel, master;
	char run_id[ID_BYTES]; /* of the Sentinel */
	char master_name[NAME_BYTES];
};

/* A message of a Sentinel. Kinds are in model/event.h; unknown channels keep their name. */
struct sentinel_message {
	char channel[48];          /* cleaned: "+sdown" */
	char instance_type[12];    /* master, slave, sentinel, or "" */
	char name[NAME_BYTES];     /* the instance's own name (ip:port of a replica, run id of a Sentinel) */
	struct endpoint addr;      /* the instance; unset when the payload has none */
	char master_name[NAME_BYTES];
	struct endpoint master;
	struct endpoint new_master; /* +switch-master */
	char run_id[ID_BYTES];     /* +vote-for-leader: the candidate */
	int64_t epoch;             /* +new-epoch, +vote-for-leader */
	char detail[192];          /* what follows the address, or the whole payload when not understood */
};

#endif
