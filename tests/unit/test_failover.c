/* What three Sentinels (Redis 7.0.15) published during real failovers, as data: time since the
 * beginning in ms, the Sentinel's port, channel, payload. The model must follow each to its end. */
#include "config.h"

#include "observe.h"

struct published {
	int64_t at_ms;
	int sentinel;
	const char *channel, *payload;
};

static const struct published kill9[] = {
	{ 6595, 26002, "+sdown", "master mymaster 127.0.0.1 21001" },
	{ 6627, 26003, "+sdown", "master mymaster 127.0.0.1 21001" },
	{ 6632, 26001, "+sdown", "master mymaster 127.0.0.1 21001" },
	{ 6687, 26003, "+odown", "master mymaster 127.0.0.1 21001 #quorum 2/2" },
	{ 6687, 26003, "+new-epoch", "1" },
	{ 6687, 26003, "+try-failover", "master mymaster 127.0.0.1 21001" },
	{ 6687, 26003, "+vote-for-leader", "d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0 1" },
	{ 6690, 26001, "+new-epoch", "1" },
	{ 6690, 26002, "+new-epoch", "1" },
	{ 6690, 26002, "+vote-for-leader", "d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0 1" },
	{ 6690, 26001, "+vote-for-leader", "d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0 1" },
	{ 6732, 26001, "+odown", "master mymaster 127.0.0.1 21001 #quorum 3/2" },
	{ 6740, 26003, "+elected-leader", "master mymaster 127.0.0.1 21001" },
	{ 6740, 26003, "+failover-state-select-slave", "master mymaster 127.0.0.1 21001" },
	{ 6798, 26003, "+selected-slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 6798, 26003, "+failover-state-send-slaveof-noone",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 6857, 26003, "+failover-state-wait-promotion",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 7671, 26002, "+odown", "master mymaster 127.0.0.1 21001 #quorum 3/2" },
	{ 7736, 26001, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001 new reported role is master" },
	{ 7749, 26003, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001 new reported role is master" },
	{ 7749, 26003, "+promoted-slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 7749, 26003, "+failover-state-reconf-slaves", "master mymaster 127.0.0.1 21001" },
	{ 7783, 26002, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001 new reported role is master" },
	{ 7825, 26003, "+slave-reconf-sent",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001" },
	{ 7827, 26001, "+config-update-from",
	  "sentinel d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0 127.0.0.1 26003 @ mymaster 127.0.0.1 21001" },
	{ 7827, 26001, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 7827, 26001, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 7827, 26001, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 7827, 26002, "+config-update-from",
	  "sentinel d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0 127.0.0.1 26003 @ mymaster 127.0.0.1 21001" },
	{ 7827, 26002, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 7827, 26002, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 7827, 26002, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 8769, 26003, "+slave-reconf-inprog",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001" },
	{ 8769, 26003, "+slave-reconf-done",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001" },
	{ 8833, 26003, "-odown", "master mymaster 127.0.0.1 21001" },
	{ 8833, 26003, "+failover-end", "master mymaster 127.0.0.1 21001" },
	{ 8833, 26003, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 8833, 26003, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 8833, 26003, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 12852, 26002, "+sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 12864, 26001, "+sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 13835, 26003, "+sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 36819, 26002, "-role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is master" },
	{ 36878, 26002, "-sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 37048, 26003, "-role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is master" },
	{ 37114, 26003, "-sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 37186, 26001, "-role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is master" },
	{ 37276, 26001, "-sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 46892, 26002, "+convert-to-slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 47077, 26003, "+role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is slave" },
	{ 47225, 26001, "+role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is slave" },
	{ 56903, 26002, "+role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is slave" },
};

static const struct published manual[] = {
	{ 1504, 26001, "+new-epoch", "2" },
	{ 1504, 26001, "+try-failover", "master mymaster 127.0.0.1 21002" },
	{ 1529, 26001, "+vote-for-leader", "9196e02fc74e4a396e2a9a78f28699fec2baaf0b 2" },
	{ 1529, 26001, "+elected-leader", "master mymaster 127.0.0.1 21002" },
	{ 1529, 26001, "+failover-state-select-slave", "master mymaster 127.0.0.1 21002" },
	{ 1596, 26001, "+selected-slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 1596, 26001, "+failover-state-send-slaveof-noone",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 1668, 26001, "+failover-state-wait-promotion",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 2175, 26003, "+new-epoch", "2" },
	{ 2176, 26002, "+new-epoch", "2" },
	{ 2565, 26001, "-role-change",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002 new reported role is master" },
	{ 2565, 26001, "+promoted-slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 2565, 26001, "+failover-state-reconf-slaves", "master mymaster 127.0.0.1 21002" },
	{ 2626, 26001, "+slave-reconf-sent",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 2628, 26003, "+config-update-from",
	  "sentinel 9196e02fc74e4a396e2a9a78f28699fec2baaf0b 127.0.0.1 26001 @ mymaster 127.0.0.1 21002" },
	{ 2628, 26003, "+switch-master", "mymaster 127.0.0.1 21002 127.0.0.1 21003" },
	{ 2628, 26003, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21003" },
	{ 2628, 26003, "+slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003" },
	{ 2629, 26002, "+config-update-from",
	  "sentinel 9196e02fc74e4a396e2a9a78f28699fec2baaf0b 127.0.0.1 26001 @ mymaster 127.0.0.1 21002" },
	{ 2629, 26002, "+switch-master", "mymaster 127.0.0.1 21002 127.0.0.1 21003" },
	{ 2629, 26002, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21003" },
	{ 2629, 26002, "+slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003" },
	{ 2631, 26002, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003 new reported role is master" },
	{ 2632, 26003, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003 new reported role is master" },
	{ 3590, 26001, "+slave-reconf-inprog",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 3590, 26001, "+slave-reconf-done",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 3692, 26001, "+failover-end", "master mymaster 127.0.0.1 21002" },
	{ 3692, 26001, "+switch-master", "mymaster 127.0.0.1 21002 127.0.0.1 21003" },
	{ 3692, 26001, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21003" },
	{ 3692, 26001, "+slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003" },
	{ 3764, 26001, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003 new reported role is master" },
	{ 12643, 26002, "+convert-to-slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003" },
	{ 12679, 26003, "+role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003 new reported role is slave" },
	{ 13796, 26001, "+role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003 new reported role is slave" },
	{ 22724, 26002, "+role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21003 new reported role is slave" },
};

static const struct published not_elected[] = {
	{ 4075, 26002, "+sdown",
	  "sentinel fc0de4aed185480ba6670602f19de55414cc13aa 127.0.0.1 26003 @ mymaster 127.0.0.1 21001" },
	{ 4083, 26001, "+sdown",
	  "sentinel fc0de4aed185480ba6670602f19de55414cc13aa 127.0.0.1 26003 @ mymaster 127.0.0.1 21001" },
	{ 7006, 26001, "+set", "master mymaster 127.0.0.1 21001 quorum 3" },
	{ 7007, 26001, "+set", "master mymaster 127.0.0.1 21001 quorum 2" },
	{ 10127, 26001, "+sdown",
	  "sentinel ad27ff5b601bc7b1fe6d907eb28ab9d268a998e5 127.0.0.1 26002 @ mymaster 127.0.0.1 21001" },
	{ 13012, 26001, "+set", "master mymaster 127.0.0.1 21001 quorum 1" },
	{ 16045, 26001, "+sdown", "master mymaster 127.0.0.1 21001" },
	{ 16045, 26001, "+odown", "master mymaster 127.0.0.1 21001 #quorum 1/1" },
	{ 16045, 26001, "+new-epoch", "1" },
	{ 16045, 26001, "+try-failover", "master mymaster 127.0.0.1 21001" },
	{ 16045, 26001, "+vote-for-leader", "04c5f0d5f8c37261835282479319763ab0741969 1" },
	{ 26167, 26001, "-failover-abort-not-elected", "master mymaster 127.0.0.1 21001" },
	{ 31753, 26001, "+reboot", "master mymaster 127.0.0.1 21001" },
	{ 31853, 26001, "-sdown", "master mymaster 127.0.0.1 21001" },
	{ 31853, 26001, "-odown", "master mymaster 127.0.0.1 21001" },
};

static const struct published no_good[] = {
	{ 15542, 26001, "+sdown", "master mymaster 127.0.0.1 21001" },
	{ 15584, 26003, "+sdown", "master mymaster 127.0.0.1 21001" },
	{ 15626, 26002, "+sdown", "master mymaster 127.0.0.1 21001" },
	{ 15686, 26003, "+odown", "master mymaster 127.0.0.1 21001 #quorum 2/2" },
	{ 15686, 26003, "+new-epoch", "1" },
	{ 15686, 26003, "+try-failover", "master mymaster 127.0.0.1 21001" },
	{ 15686, 26003, "+vote-for-leader", "5424513ef4cfbd70ccbebcb887a7b603126fd4ee 1" },
	{ 15689, 26001, "+new-epoch", "1" },
	{ 15689, 26001, "+vote-for-leader", "5424513ef4cfbd70ccbebcb887a7b603126fd4ee 1" },
	{ 15689, 26002, "+new-epoch", "1" },
	{ 15689, 26002, "+vote-for-leader", "5424513ef4cfbd70ccbebcb887a7b603126fd4ee 1" },
	{ 15727, 26002, "+odown", "master mymaster 127.0.0.1 21001 #quorum 3/2" },
	{ 15786, 26003, "+elected-leader", "master mymaster 127.0.0.1 21001" },
	{ 15786, 26003, "+failover-state-select-slave", "master mymaster 127.0.0.1 21001" },
	{ 15842, 26003, "-failover-abort-no-good-slave", "master mymaster 127.0.0.1 21001" },
	{ 16632, 26001, "+odown", "master mymaster 127.0.0.1 21001 #quorum 3/2" },
	{ 35768, 26003, "+new-epoch", "2" },
	{ 35768, 26003, "+try-failover", "master mymaster 127.0.0.1 21001" },
	{ 35768, 26003, "+vote-for-leader", "5424513ef4cfbd70ccbebcb887a7b603126fd4ee 2" },
	{ 35770, 26002, "+new-epoch", "2" },
	{ 35771, 26002, "+vote-for-leader", "5424513ef4cfbd70ccbebcb887a7b603126fd4ee 2" },
	{ 35771, 26001, "+new-epoch", "2" },
	{ 35771, 26001, "+vote-for-leader", "5424513ef4cfbd70ccbebcb887a7b603126fd4ee 2" },
	{ 35830, 26003, "+elected-leader", "master mymaster 127.0.0.1 21001" },
	{ 35830, 26003, "+failover-state-select-slave", "master mymaster 127.0.0.1 21001" },
	{ 35885, 26003, "+selected-slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 35885, 26003, "+failover-state-send-slaveof-noone",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 35971, 26003, "+failover-state-wait-promotion",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 36396, 26003, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001 new reported role is master" },
	{ 36396, 26003, "+promoted-slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 36396, 26003, "+failover-state-reconf-slaves", "master mymaster 127.0.0.1 21001" },
	{ 36461, 26001, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001 new reported role is master" },
	{ 36471, 26003, "+slave-reconf-sent",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001" },
	{ 36473, 26002, "+config-update-from",
	  "sentinel 5424513ef4cfbd70ccbebcb887a7b603126fd4ee 127.0.0.1 26003 @ mymaster 127.0.0.1 21001" },
	{ 36473, 26002, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 36473, 26002, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 36474, 26002, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 36474, 26001, "+config-update-from",
	  "sentinel 5424513ef4cfbd70ccbebcb887a7b603126fd4ee 127.0.0.1 26003 @ mymaster 127.0.0.1 21001" },
	{ 36474, 26001, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 36474, 26001, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 36474, 26001, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 36874, 26003, "-odown", "master mymaster 127.0.0.1 21001" },
	{ 37442, 26003, "+slave-reconf-inprog",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001" },
	{ 37442, 26003, "+slave-reconf-done",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001" },
	{ 37506, 26003, "+failover-end", "master mymaster 127.0.0.1 21001" },
	{ 37506, 26003, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 37506, 26003, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 37506, 26003, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 39529, 26002, "+sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 39570, 26001, "+sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 40528, 26003, "+sdown",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
};

static const struct published slave_timeout[] = {
	{ 1003, 26001, "+new-epoch", "1" },
	{ 1003, 26001, "+try-failover", "master mymaster 127.0.0.1 21001" },
	{ 1057, 26001, "+vote-for-leader", "ba9bbe22a147744a27b184d06267ea73941fc128 1" },
	{ 1057, 26001, "+elected-leader", "master mymaster 127.0.0.1 21001" },
	{ 1057, 26001, "+failover-state-select-slave", "master mymaster 127.0.0.1 21001" },
	{ 1133, 26001, "+selected-slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 1134, 26001, "+failover-state-send-slaveof-noone",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 1200, 26001, "+failover-state-wait-promotion",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 1630, 26002, "+new-epoch", "1" },
	{ 1630, 26003, "+new-epoch", "1" },
	{ 11218, 26001, "-failover-abort-slave-timeout", "master mymaster 127.0.0.1 21001" },
	{ 26007, 26001, "+set", "master mymaster 127.0.0.1 21001 failover-timeout 14000" },
	{ 26008, 26001, "+new-epoch", "2" },
	{ 26008, 26001, "+try-failover", "master mymaster 127.0.0.1 21001" },
	{ 26041, 26001, "+vote-for-leader", "ba9bbe22a147744a27b184d06267ea73941fc128 2" },
	{ 26041, 26001, "+elected-leader", "master mymaster 127.0.0.1 21001" },
	{ 26041, 26001, "+failover-state-select-slave", "master mymaster 127.0.0.1 21001" },
	{ 26096, 26001, "+selected-slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 26096, 26001, "+failover-state-send-slaveof-noone",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 26163, 26001, "+failover-state-wait-promotion",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 26165, 26003, "+new-epoch", "2" },
	{ 26165, 26002, "+new-epoch", "2" },
	{ 27125, 26001, "-role-change",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001 new reported role is master" },
	{ 27125, 26001, "+promoted-slave",
	  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001" },
	{ 27125, 26001, "+failover-state-reconf-slaves", "master mymaster 127.0.0.1 21001" },
	{ 27200, 26001, "+slave-reconf-sent",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001" },
	{ 27203, 26003, "+config-update-from",
	  "sentinel ba9bbe22a147744a27b184d06267ea73941fc128 127.0.0.1 26001 @ mymaster 127.0.0.1 21001" },
	{ 27203, 26003, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 27203, 26003, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 27203, 26003, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 27203, 26002, "+config-update-from",
	  "sentinel ba9bbe22a147744a27b184d06267ea73941fc128 127.0.0.1 26001 @ mymaster 127.0.0.1 21001" },
	{ 27203, 26002, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 27203, 26002, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 27203, 26002, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 27203, 26003, "-role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is master" },
	{ 27228, 26002, "-role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is master" },
	{ 37233, 26003, "+fix-slave-config",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 37233, 26003, "+convert-to-slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 37239, 26002, "+fix-slave-config",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 37239, 26002, "+role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is slave" },
	{ 37712, 26001, "-role-change",
	  "master mymaster 127.0.0.1 21001 new reported role is slave" },
	{ 41192, 26001, "+failover-end-for-timeout", "master mymaster 127.0.0.1 21001" },
	{ 41192, 26001, "+failover-end", "master mymaster 127.0.0.1 21001" },
	{ 41192, 26001, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002" },
	{ 41192, 26001, "+slave",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 41192, 26001, "+slave",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002" },
	{ 47258, 26002, "+fix-slave-config",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
	{ 47310, 26003, "+role-change",
	  "slave 127.0.0.1:21001 127.0.0.1 21001 @ mymaster 127.0.0.1 21002 new reported role is slave" },
	{ 47310, 26003, "+fix-slave-config",
	  "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21002" },
};
struct play {
	struct world w;
	const struct published *next, *end;
	int64_t start_ms;
};

static struct play play_new(const struct published *rows, size_t count)
{
	struct play p = { .w = sentinel_world(), .next = rows, .end = rows + count };
	p.start_ms = p.w.now;
	return p;
}
#define PLAY(rows) play_new(rows, sizeof(rows) / sizeof((rows)[0]))

static const struct group *group_now(const struct play *p)
{
	const struct deployment *d = only_deployment(&p->w);
	assert_int_equal(d->group_count, 1);
	return d->groups[0];
}

static void publish_next(struct play *p)
{
	p->w.now = p->start_ms + p->next->at_ms;
	message(&p->w, p->next->sentinel, p->next->channel, p->next->payload);
	p->next++;
}

/* Publishes up to and including the next message of a channel from a Sentinel (0: any). */
static void play_to(struct play *p, int sentinel, const char *channel)
{
	while (p->next < p->end) {
		bool here = strcmp(p->next->channel, channel) == 0 &&
			    (sentinel == 0 || p->next->sentinel == sentinel);
		publish_next(p);
		if (here)
			return;
	}
	fail_msg("no %s", channel);
}

static void play_out(struct play *p)
{
	while (p->next < p->end)
		publish_next(p);
}

static void says(struct play *p, enum failover_phase phase, int master)
{
	assert_int_equal(group_now(p)->failover.phase, phase);
	assert_int_equal(master_port(&p->w, group_now(p)), master);
}

static void role(struct world *w, int port, enum role r)
{
	struct role_facts facts = { .role = r, .offset = 1 };
	struct observation o = observe(w, ASK_ROLE, id_at(w, port));
	o.u.role = &facts;
	apply(w, &o);
}

static void status_is(const struct play *p, const char *status)
{
	assert_string_equal(group_status(p->w.m, group_now(p)), status);
}

/* kill -9 of the master: every phase, in the words of the leader 26003. */
static void killed_master(void **state)
{
	struct play p = PLAY(kill9);
	struct verdict v;
	char text[120];
	(void)state;
	link_lost(&p.w, 21001);
	status_is(&p, "ok");
	play_to(&p, 26002, "+sdown");
	status_is(&p, "sdown");
	assert_int_equal(group_sdown_count(p.w.m, group_now(&p)), 1);
	play_to(&p, 26001, "+sdown");
	assert_int_equal(group_sdown_count(p.w.m, group_now(&p)), 3);
	assert_true(node_at(&p.w, 21001)->said_down);
	assert_int_equal(node_at(&p.w, 21001)->said_down_ms, p.start_ms + 6595);
	play_to(&p, 26003, "+odown");
	status_is(&p, "odown");
	health_group(p.w.m, group_now(&p), p.w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	assert_has(v.text, "objectively down 6 s (3/3 Sentinels say down)");
	play_to(&p, 26003, "+try-failover");
	says(&p, PHASE_TRY, 21001);
	status_is(&p, "failover");
	play_to(&p, 26003, "+elected-leader");
	says(&p, PHASE_ELECTED, 21001);
	assert_int_equal(group_now(&p)->failover.leader_id, id_at(&p.w, 26003));
	play_to(&p, 26003, "+failover-state-select-slave");
	says(&p, PHASE_SELECT, 21001);
	play_to(&p, 26003, "+selected-slave");
	says(&p, PHASE_SELECTED, 21001);
	assert_true(p.w.changed & TOPIC_SELECTED);
	assert_int_equal(group_now(&p)->failover.selected_id, id_at(&p.w, 21002));
	play_to(&p, 26003, "+failover-state-wait-promotion");
	says(&p, PHASE_PROMOTION, 21001);
	group_failover_text(group_now(&p), p.w.now + 1200, text, sizeof(text));
	assert_string_equal(text, "waiting for promotion 1.2 s");
	play_to(&p, 26003, "+promoted-slave");
	says(&p, PHASE_RECONF, 21001);
	play_to(&p, 26001, "+switch-master");
	says(&p, PHASE_RECONF, 21002);
	/* the leader still names the old master, with the new epoch */
	masters(&p.w, 26003, 21001, 1,
		SFLAG_S_DOWN | SFLAG_O_DOWN | SFLAG_DISCONNECTED | SFLAG_FAILOVER_IN_PROGRESS);
	says(&p, PHASE_RECONF, 21002);
	play_to(&p, 26003, "+failover-end");
	says(&p, PHASE_ENDED, 21002);
	play_to(&p, 26003, "+switch-master");
	says(&p, PHASE_ENDED, 21002);
	assert_int_equal(group_now(&p)->failover.started_ms, p.start_ms + 6687);
	assert_int_equal(group_now(&p)->failover.ended_ms, p.start_ms + 8833);
	status_is(&p, "ok");
	for (int port = 26001; port <= 26003; port++)
		masters(&p.w, port, 21002, 1, 0);
	says(&p, PHASE_ENDED, 21002);
	assert_string_equal(group_now(&p)->name, "mymaster");
	play_out(&p);
	says(&p, PHASE_ENDED, 21002);
	assert_false(group_failover_running(p.w.m, group_now(&p), p.w.now));
	world_end(&p.w);
}

/* Each thing once, with who saw it. */
static void killed_master_events(void **state)
{
	struct play p = PLAY(kill9);
	const struct event *e = NULL;
	(void)state;
	play_out(&p);
	/* of the master; of the dead one as a replica */
	assert_int_equal(count_events(&p.w, EVENT_SDOWN, &e), 2);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(count_events(&p.w, EVENT_SWITCH_MASTER, &e), 1);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(e->last_ms - e->mono_ms, 8833 - 7827);
	assert_has(e->detail, "21002");
	assert_int_equal(count_events(&p.w, EVENT_ODOWN, &e), 1);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(count_events(&p.w, EVENT_NEW_EPOCH, &e), 1);
	assert_int_equal(count_events(&p.w, EVENT_VOTE_FOR_LEADER, &e), 1);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(count_events(&p.w, EVENT_TRY_FAILOVER, &e), 1);
	assert_string_equal(e->sources[0].addr, "127.0.0.1:26003");
	/* the old master's return: 41.350, 41.586 and 41.748 */
	assert_int_equal(count_events(&p.w, EVENT_SDOWN_OVER, &e), 1);
	assert_int_equal(e->source_count, 3);
	assert_false(node_at(&p.w, 21001)->said_down);
	world_end(&p.w);
}

/* The chosen replica says role:master itself before any Sentinel says so. */
static void early_promotion(bool by_info)
{
	struct play p = PLAY(kill9);
	play_to(&p, 26003, "+failover-state-wait-promotion");
	role(&p.w, 21002, ROLE_REPLICA);
	says(&p, PHASE_PROMOTION, 21001);
	p.w.now += 50;
	if (by_info)
		info_master(&p.w, 21002, 6000, "");
	role(&p.w, 21002, ROLE_MASTER);
	says(&p, PHASE_PROMOTION, 21002);
	assert_int_equal(group_now(&p)->failover.role_master_ms, p.w.now);
	role(&p.w, 21002, ROLE_MASTER);
	info_master(&p.w, 21002, 6000, "");
	assert_int_equal(events_of(&p.w, EVENT_OWN_ROLE_CHANGED), 1);
	status_is(&p, "failover");
	while (p.next < p.end) {
		publish_next(&p);
		assert_int_equal(master_port(&p.w, group_now(&p)), 21002);
	}
	world_end(&p.w);
}

static void early_by_role(void **state)
{
	(void)state;
	early_promotion(false);
}

static void early_by_info(void **state)
{
	(void)state;
	early_promotion(true);
}

/* With one Sentinel +failover-end comes before its own +switch-master: no step back between. */
static void early_stands_over_the_end(void **state)
{
	struct play p = PLAY(manual);
	(void)state;
	for (int port = 26002; port <= 26003; port++)
		link_lost(&p.w, port);
	masters(&p.w, 26001, 21002, 1, 0);
	while (p.next < p.end) {
		if (p.next->sentinel != 26001) {
			p.next++;
			continue;
		}
		bool ends = strcmp(p.next->channel, "+failover-end") == 0;
		if (strcmp(p.next->channel, "-role-change") == 0)
			role(&p.w, 21003, ROLE_MASTER);
		publish_next(&p);
		if (ends)
			says(&p, PHASE_ENDED, 21003);
	}
	says(&p, PHASE_ENDED, 21003);
	world_end(&p.w);
}

/* By hand: no +sdown, only the asked Sentinel speaks until +switch-master. */
static void manual_failover(void **state)
{
	struct play p = PLAY(manual);
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		masters(&p.w, port, 21002, 1, 0);
	assert_int_equal(master_port(&p.w, group_now(&p)), 21002);
	play_to(&p, 26001, "+try-failover");
	says(&p, PHASE_TRY, 21002);
	play_to(&p, 26001, "+selected-slave");
	assert_int_equal(group_now(&p)->failover.selected_id, id_at(&p.w, 21003));
	play_to(&p, 26003, "+switch-master");
	says(&p, PHASE_RECONF, 21003);
	play_to(&p, 26001, "+switch-master");
	says(&p, PHASE_ENDED, 21003);
	play_out(&p);
	says(&p, PHASE_ENDED, 21003);
	assert_int_equal(events_of(&p.w, EVENT_SDOWN), 0);
	assert_int_equal(events_of(&p.w, EVENT_SWITCH_MASTER), 1);
	world_end(&p.w);
}

static void abort_not_elected(void **state)
{
	struct play p = PLAY(not_elected);
	(void)state;
	play_to(&p, 26001, "+sdown");
	/* of a Sentinel: no word on the master */
	status_is(&p, "ok");
	assert_true(node_at(&p.w, 26003)->said_down);
	play_to(&p, 26001, "+odown");
	status_is(&p, "odown");
	play_to(&p, 26001, "+try-failover");
	play_to(&p, 26001, "-failover-abort-not-elected");
	says(&p, PHASE_ABORTED, 21001);
	assert_string_equal(group_now(&p)->failover.abort_reason, "-failover-abort-not-elected");
	assert_int_equal(group_now(&p)->failover.ended_ms, p.start_ms + 26167);
	status_is(&p, "odown");
	play_to(&p, 26001, "-sdown");
	play_to(&p, 26001, "-odown");
	status_is(&p, "ok");
	assert_false(node_at(&p.w, 21001)->said_down);
	play_out(&p);
	world_end(&p.w);
}

static void abort_no_good_replica(void **state)
{
	struct play p = PLAY(no_good);
	(void)state;
	play_to(&p, 26003, "-failover-abort-no-good-slave");
	says(&p, PHASE_ABORTED, 21001);
	assert_string_equal(group_now(&p)->failover.abort_reason, "-failover-abort-no-good-slave");
	/* the second try works */
	play_to(&p, 26003, "+try-failover");
	says(&p, PHASE_TRY, 21001);
	assert_string_equal(group_now(&p)->failover.abort_reason, "");
	assert_int_equal(group_now(&p)->failover.started_ms, p.start_ms + 35768);
	assert_int_equal(group_now(&p)->failover.ended_ms, 0);
	play_to(&p, 26003, "+failover-end");
	says(&p, PHASE_ENDED, 21002);
	play_out(&p);
	says(&p, PHASE_ENDED, 21002);
	world_end(&p.w);
}

static void abort_slave_timeout(void **state)
{
	struct play p = PLAY(slave_timeout);
	(void)state;
	play_to(&p, 26001, "-failover-abort-slave-timeout");
	says(&p, PHASE_ABORTED, 21001);
	assert_string_equal(group_now(&p)->failover.abort_reason, "-failover-abort-slave-timeout");
	play_to(&p, 26001, "+failover-end-for-timeout");
	says(&p, PHASE_RECONF, 21002);
	play_to(&p, 26001, "+failover-end");
	says(&p, PHASE_ENDED, 21002);
	play_out(&p);
	world_end(&p.w);
}

#define ABOUT_MASTER "master mymaster 127.0.0.1 21001"

/* Two Sentinels start at once: the one elected leads, the other's giving up changes nothing. */
static void two_candidates(void **state)
{
	struct world w = sentinel_world();
	const struct failover *f = &group_of(&w, 21001)->failover;
	(void)state;
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	w.now += 20;
	message(&w, 26002, "+try-failover", ABOUT_MASTER);
	assert_int_equal(f->started_ms, T0);
	message(&w, 26001, "+elected-leader", ABOUT_MASTER);
	message(&w, 26003, "+try-failover", ABOUT_MASTER);
	assert_int_equal(f->phase, PHASE_ELECTED);
	assert_int_equal(f->leader_id, id_at(&w, 26001));
	message(&w, 26001, "+failover-state-select-slave", ABOUT_MASTER);
	w.now += 1000;
	message(&w, 26001, "+failover-end", ABOUT_MASTER);
	assert_int_equal(f->phase, PHASE_ENDED);
	w.now += 9000;
	message(&w, 26002, "-failover-abort-not-elected", ABOUT_MASTER);
	message(&w, 26003, "-failover-abort-not-elected", ABOUT_MASTER);
	assert_int_equal(f->phase, PHASE_ENDED);
	world_end(&w);
}

/* The leader's host dies in the middle: the failover is not believed in for ever. */
static void leader_dies(void **state)
{
	struct world w = sentinel_world();
	const struct group *g = group_of(&w, 21001);
	(void)state;
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	masters(&w, 26001, 21001, 0, SFLAG_S_DOWN | SFLAG_O_DOWN | SFLAG_FAILOVER_IN_PROGRESS);
	link_lost(&w, 26001);
	tick(&w, 9000);
	assert_string_equal(group_status(w.m, g), "failover");
	tick(&w, 2000);
	assert_int_equal(g->failover.phase, PHASE_ENDED);
	assert_string_equal(group_status(w.m, g), "ok");
	assert_false(group_failover_running(w.m, g, w.now));
	world_end(&w);
}

/* All Sentinels and with them the leader are gone: no failover runs for ever. */
static void no_phase_for_ever(void **state)
{
	struct world w = sentinel_world();
	const struct group *g = group_of(&w, 21001);
	(void)state;
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	tick(&w, 599000);
	assert_string_equal(group_status(w.m, g), "failover");
	tick(&w, 2000);
	assert_string_equal(group_status(w.m, g), "ok");
	assert_false(group_failover_running(w.m, g, w.now));
	world_end(&w);
}

/* A Sentinel that dies right after its +switch-master does not name the master for ever. */
static void switcher_dies(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	message(&w, 26001, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
	link_lost(&w, 26001);
	for (int port = 26002; port <= 26003; port++)
		masters(&w, port, 21002, 1, 0);
	assert_int_equal(master_port(&w, only_deployment(&w)->groups[0]), 21002);
	tick(&w, 60000);
	for (int port = 26002; port <= 26003; port++)
		message(&w, port, "+switch-master", "mymaster 127.0.0.1 21002 127.0.0.1 21003");
	for (int port = 26002; port <= 26003; port++)
		masters(&w, port, 21003, 2, 0);
	assert_int_equal(master_port(&w, only_deployment(&w)->groups[0]), 21003);
	world_end(&w);
}

/* A failover whose events were missed is known from the leader's state. */
static void phase_from_state(void **state)
{
	struct world w = sentinel_world();
	const struct group *g = group_of(&w, 21001);
	struct sentinel_instance item = instance("mymaster", 21001, SFLAG_MASTER);
	(void)state;
	item.flags |= SFLAG_FAILOVER_IN_PROGRESS;
	snprintf(item.failover_state, sizeof(item.failover_state), "wait_promotion");
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26002), NULL, &item, 1);
	assert_int_equal(g->failover.phase, PHASE_PROMOTION);
	assert_int_equal(g->failover.leader_id, id_at(&w, 26002));
	w.now += 4000;
	masters(&w, 26001, 21001, 0, 0);
	assert_int_equal(g->failover.phase, PHASE_PROMOTION);
	masters(&w, 26002, 21002, 1, 0);
	assert_int_equal(g->failover.phase, PHASE_ENDED);
	assert_int_equal(master_port(&w, g), 21002);
	world_end(&w);
}

/* Events and replies come over two connections: a late word on the old master is not the new one's. */
static void late_odown(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21002, 1, 0);
	message(&w, 26001, "+sdown", ABOUT_MASTER);
	message(&w, 26001, "+odown", ABOUT_MASTER " #quorum 2/2");
	assert_string_equal(group_status(w.m, group_of(&w, 21002)), "ok");
	assert_false(node_at(&w, 21002)->said_down);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_master),
		cmocka_unit_test(killed_master_events),
		cmocka_unit_test(early_by_role),
		cmocka_unit_test(early_by_info),
		cmocka_unit_test(early_stands_over_the_end),
		cmocka_unit_test(manual_failover),
		cmocka_unit_test(abort_not_elected),
		cmocka_unit_test(abort_no_good_replica),
		cmocka_unit_test(abort_slave_timeout),
		cmocka_unit_test(two_candidates),
		cmocka_unit_test(leader_dies),
		cmocka_unit_test(no_phase_for_ever),
		cmocka_unit_test(switcher_dies),
		cmocka_unit_test(phase_from_state),
		cmocka_unit_test(late_odown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
