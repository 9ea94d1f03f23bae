/* Sentinel's replies and messages to facts. */
#ifndef REDIS_SENTINEL_H
#define REDIS_SENTINEL_H

#include "model/facts.h"
#include "redis/reply.h"

/* One map of SENTINEL MASTERS, REPLICAS or SENTINELS. False when it is not a map of strings or has
 * no address. */
bool sentinel_instance_parse(struct sentinel_instance *out, const struct reply *map);
/* A channel and its payload, as published by sentinel.c:sentinelEvent. Never fails: what is not
 * understood is in detail. Addresses are taken from the right, since names may hold spaces. */
void sentinel_message_parse(struct sentinel_message *out, const char *channel, size_t channel_len,
			    const char *payload, size_t payload_len);
/* The payload of a +set as it may be kept: without the auth-pass that a Sentinel up to Redis 6.0
 * publishes in clear, and without what sentinel_message_parse does not read. Returns its length; out
 * holds SENTINEL_SET_BYTES. */
#define SENTINEL_SET_BYTES 4128
size_t sentinel_set_mask(char *out, const char *payload, size_t len);
/* ip,port,runid,current_epoch,master_name,master_ip,master_port,master_config_epoch. False when it
 * is not that. */
bool sentinel_hello_parse(struct sentinel_hello *out, const char *payload, size_t len);
/* CKQUORUM's status or NOQUORUM error. */
void ckquorum_parse(struct ckquorum_facts *out, const struct reply *reply);

#endif
