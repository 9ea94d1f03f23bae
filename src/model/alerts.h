/* Thresholds: from when on a number is worth a word. 0: never. */
#ifndef MODEL_ALERTS_H
#define MODEL_ALERTS_H

#include <stdint.h>

/* X(key in the config file, member, default, highest, help) */
#define ALERTS(X)                                                                                  \
	X("lag-warning-bytes", lag_warning_bytes, 0, INT64_MAX, "replica behind by so many bytes")  \
	X("lag-critical-bytes", lag_critical_bytes, 0, INT64_MAX, "the same, critical")             \
	X("lag-warning-seconds", lag_warning_s, 10, 86400, "no acknowledgement for so long")        \
	X("memory-warning-percent", memory_warning_percent, 0, 100, "of maxmemory in use")

struct alerts {
#define X(key, member, standard, most, help) int64_t member;
	ALERTS(X)
#undef X
};

#define ALERTS_DEFAULT                                                                             \
	(struct alerts)                                                                            \
	{                                                                                          \
		.lag_warning_s = 10                                                                \
	}

#endif
