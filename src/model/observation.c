#include "model/observation.h"

const char *question_name(enum question q)
{
	static const char *const names[] = {
#define X(id, name) [id] = name,
		QUESTIONS(X)
#undef X
	};
	return (unsigned)q < ASK_COUNT ? names[q] : "?";
}

const char *link_state_name(enum link_state s)
{
	switch (s) {
	case LINK_NONE:
		return "not tried yet";
	case LINK_RESOLVING:
		return "resolving";
	case LINK_CONNECTING:
		return "connecting";
	case LINK_UP:
		return "up";
	case LINK_FAILED:
		return "unreachable";
	case LINK_LOST:
		return "connection lost";
	case LINK_SILENT:
		return "no reply";
	case LINK_AUTH_ERROR:
		return "authentication failed";
	case LINK_PROTOCOL:
		return "not a Redis server";
	}
	return "?";
}
