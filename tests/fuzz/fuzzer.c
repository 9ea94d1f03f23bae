/* libFuzzer's entry: FUZZ_TARGET names the target. One program for all of them, so that one build
 * and one table serve. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fuzz_function *run;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ_TARGET");

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < fuzz_target_count; i++)
		if (name && strcmp(fuzz_targets[i].name, name) == 0)
			run = fuzz_targets[i].run;
	if (run)
		return 0;
	fprintf(stderr, "FUZZ_TARGET must be one of:");
	for (size_t i = 0; i < fuzz_target_count; i++)
		fprintf(stderr, " %s", fuzz_targets[i].name);
	fputc('\n', stderr);
	exit(64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run(data, size);
	return 0;
}
