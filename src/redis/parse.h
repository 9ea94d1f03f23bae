/* From a question and its reply to an observation's facts. One parser owns the storage that the
 * facts point into: valid until its next call. Pure otherwise; the fuzz targets call this. */
#ifndef REDIS_PARSE_H
#define REDIS_PARSE_H

#include "model/observation.h"
#include "redis/reply.h"

struct parser; /* scratch storage, reused so that a poll allocates nothing */

struct parser *parser_new(void);
void parser_free(struct parser *p);

/* Fills obs->answer, ->error, ->text and ->u from the reply to obs->question (which must be set;
 * all other members are left alone). An error reply gives ANSWER_REFUSED with text cleaned, but
 * ASK_SENTINEL_CKQUORUM's NOQUORUM is ANSWER_OK with ok = false. Anything of the wrong shape
 * gives ANSWER_MALFORMED with a text that says what. Never fails otherwise. */
void parse_reply(struct parser *p, const struct reply *reply, struct observation *obs);

/* The bytes that ask the question (arg: master name where the question needs one), appended to
 * out in RESP. Made with hiredis's formatter; argument-less ones are made once. */
struct buf;
void command_append(struct buf *out, enum question q, const char *arg);
/* Any command, e.g. an action's or AUTH. */
void command_append_argv(struct buf *out, int argc, const char *const *argv);

/* Class of an error reply by its first word(s). */
enum server_error error_classify(const char *text, size_t len);
/* The words of ours that it was known by; NULL: none. */
const char *error_prefix(const char *text, size_t len);

#endif
