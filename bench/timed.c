/* timed ROUNDS COMMAND... -- COMMAND...
 * Runs the two in turn, output thrown away, and prints the median wall and CPU time of each. */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void run(char **argv, double *wall_ms, double *cpu_ms)
{
	double from = now_ms();
	pid_t pid = fork();
	struct rusage u;
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
		fprintf(stderr, "timed: %s did not run\n", argv[0]);
		exit(1);
	}
	*wall_ms = now_ms() - from;
	*cpu_ms = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
		  (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, split = 0;
	double *times[4];
	static const char *const names[4] = { "first_wall_ms", "first_cpu_ms", "second_wall_ms", "second_cpu_ms" };

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0 && split == 0)
			split = i;
	}
	if (rounds < 1 || rounds > 1000 || split < 3 || split + 1 >= argc) {
		fprintf(stderr, "usage: timed ROUNDS COMMAND... -- COMMAND...\n");
		return 64;
	}
	argv[split] = NULL;
	for (int i = 0; i < 4; i++) {
		times[i] = calloc((size_t)rounds, sizeof(double));
		if (!times[i])
			return 1;
	}
	for (int i = 0; i < rounds; i++) {
		run(argv + 2, &times[0][i], &times[1][i]);
		run(argv + split + 1, &times[2][i], &times[3][i]);
	}
	for (int i = 0; i < 4; i++)
		printf("%s %.2f\n", names[i], median(times[i], rounds));
	return 0;
}
