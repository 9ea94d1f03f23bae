/* Runs the committed corpora through their targets, and all beginnings of each file: a regression
 * test for any compiler. Arguments: TARGET FILE... runs these only. */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Beginnings of a long file are sampled. */
#define CUTS_MAX 64

static bool read_file(const char *path, struct buf *out)
{
	char block[4096];
	size_t got;
	FILE *f = fopen(path, "rbe");

	if (!f)
		return false;
	while ((got = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(out, block, got);
	fclose(f);
	return true;
}

static void run_bytes(const struct fuzz_target *t, const char *bytes, size_t len)
{
	char *copy = fuzz_copy(bytes, len);

	t->run((const uint8_t *)copy, len);
	free(copy);
}

static bool run_file(const struct fuzz_target *t, const char *path)
{
	struct buf bytes = BUF_INIT;
	size_t step;
	bool ok = read_file(path, &bytes);

	/* Before it is run: a crash leaves no time to say it. */
	printf("%s %s\n", t->name, path);
	fflush(stdout);
	step = bytes.len / CUTS_MAX + 1;
	for (size_t len = 0; ok && len < bytes.len; len += step)
		run_bytes(t, bytes.data, len);
	if (ok)
		run_bytes(t, bytes.len ? bytes.data : "", bytes.len);
	buf_free(&bytes);
	return ok;
}

static size_t run_corpus(const struct fuzz_target *t)
{
	const char *srcdir = getenv("REDOUBT_SRCDIR");
	struct buf folder = BUF_INIT, path = BUF_INIT;
	size_t files = 0;
	struct dirent *entry;
	DIR *dir;

	buf_addf(&folder, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", t->name);
	dir = opendir(folder.data);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		buf_reset(&path);
		buf_addf(&path, "%s/%s", folder.data, entry->d_name);
		files += run_file(t, path.data);
	}
	if (dir)
		closedir(dir);
	buf_free(&folder);
	buf_free(&path);
	return files;
}

static int run_arguments(int argc, char **argv)
{
	for (size_t i = 0; i < fuzz_target_count; i++) {
		if (strcmp(fuzz_targets[i].name, argv[1]) != 0)
			continue;
		for (int k = 2; k < argc; k++)
			if (!run_file(&fuzz_targets[i], argv[k]))
				return 1;
		return 0;
	}
	fprintf(stderr, "no such target: %s\n", argv[1]);
	return 64;
}

int main(int argc, char **argv)
{
	size_t passed = 0, failed = 0;

	if (argc > 1)
		return run_arguments(argc, argv);
	for (size_t i = 0; i < fuzz_target_count; i++) {
		size_t files = run_corpus(&fuzz_targets[i]);

		printf("%s: %zu files\n", fuzz_targets[i].name, files);
		/* A folder that is not found must not look like a success. */
		*(files ? &passed : &failed) += 1;
	}
	/* In the words that `check` counts. */
	printf("[  PASSED  ] %zu test(s).\n", passed);
	if (failed)
		printf("[  FAILED  ] %zu test(s), without a corpus\n", failed);
	return failed ? 1 : 0;
}
