/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdarg.h>

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("engine_bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

uint64_t now_ns(void)
{
	return clock_mono_ns(&clock_system);
}

void series_add(struct series *s, double v)
{
	if (s->n < BENCH_TURNS)
		s->v[s->n++] = v;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct series sorted(const struct series *s)
{
	struct series copy = *s;

	qsort(copy.v, copy.n, sizeof(copy.v[0]), by_value);
	return copy;
}

double series_median(const struct series *s)
{
	struct series c = sorted(s);

	return c.n ? c.v[c.n / 2] : 0;
}

void report_ratio(const struct bench *b, const char *figure, const char *unit,
	const struct series *measured, const struct series *bound, double target)
{
	struct series ratio = {.n = measured->n}, c;

	for (unsigned i = 0; i < measured->n; i++)
		ratio.v[i] = measured->v[i] / bound->v[i];
	c = sorted(&ratio);
	printf("R\t%s\t%s\t%s\t%.6g\t%.6g\t%.3f\t%.3f\t%.3f\t%.2f\n", b->place, figure, unit,
		series_median(measured), series_median(bound), c.v[0], c.v[c.n / 2], c.v[c.n - 1],
		target);
	fflush(stdout);
}

void report_value(
	const struct bench *b, const char *figure, const char *unit, double value, double limit)
{
	if (limit > 0)
		printf("N\t%s\t%s\t%s\t%.6g\t%.6g\n", b->place, figure, unit, value, limit);
	else
		printf("N\t%s\t%s\t%s\t%.6g\t-\n", b->place, figure, unit, value);
	fflush(stdout);
}

uint64_t memory_used(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	unsigned long long sum = 0, kib;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Private_Clean: %llu", &kib) == 1 ||
			sscanf(line, "Private_Dirty: %llu", &kib) == 1)
			sum += kib;
	if (file)
		fclose(file);
	return sum << 10;
}
