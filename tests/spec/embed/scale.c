/* What things cost when there are, or were, many. Prints nothing if each ratio is as it should be. */
#include "few.h"
#include "many.h"
#include <stdio.h>
#include <time.h>

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static bool function(void *env, linnet_value *values)
{
	(void)env, (void)values;
	return true;
}

/* Fastest of some runs: making an instance with `count` imports, of a new store. */
static uint64_t instantiate(const linnet_module *module, uint32_t count)
{
	static linnet_import imports[COUNT];
	static char names[COUNT][16];
	uint64_t best = UINT64_MAX;
	for (uint32_t i = 0; i < count; i++) {
		sprintf(names[i], "f%u", i);
		imports[i] = (linnet_import){"env", names[i], function, NULL, NULL, 0};
	}
	for (int run = 0; run < 5; run++) {
		linnet_store *store = linnet_store_new();
		uint64_t start = now();
		if (!linnet_instantiate(store, module, imports, count))
			puts(linnet_message(store));
		uint64_t time = now() - start;
		linnet_store_delete(store);
		best = time < best ? time : best;
	}
	return best;
}

/* Fastest of some runs of a hundred traps. */
static uint64_t trap(linnet_instance *instance)
{
	uint64_t best = UINT64_MAX;
	for (int run = 0; run < 10; run++) {
		uint64_t start = now();
		for (int i = 0; i < 100; i++)
			few_outside(instance);
		uint64_t time = now() - start;
		best = time < best ? time : best;
	}
	return best;
}

int main(void)
{
	uint64_t few = instantiate(&linnet_module_few, COUNT / 10);
	uint64_t many = instantiate(&linnet_module_many, COUNT);
	if (many > 30 * few)
		printf("%d imports take %u us, ten times as many %u us\n", COUNT / 10, (unsigned)(few / 1000), (unsigned)(many / 1000));

	static linnet_import imports[COUNT / 10];
	static char names[COUNT / 10][16];
	for (uint32_t i = 0; i < COUNT / 10; i++) {
		sprintf(names[i], "f%u", i);
		imports[i] = (linnet_import){"env", names[i], function, NULL, NULL, 0};
	}
	linnet_store *store = linnet_store_new();
	linnet_instance *instance = linnet_instantiate(store, &linnet_module_few, imports, COUNT / 10);
	uint64_t before = trap(instance);
	static linnet_store *others[3000];
	for (int i = 0; i < 3000; i++) {
		others[i] = linnet_store_new();
		if (!linnet_instantiate(others[i], &linnet_module_few, imports, COUNT / 10))
			puts(linnet_message(others[i]));
	}
	uint64_t among = trap(instance);
	for (int i = 0; i < 3000; i++)
		linnet_store_delete(others[i]);
	uint64_t after = trap(instance);
	if (among > 4 * before || after > 4 * before)
		printf("a trap takes %u ns, among 3000 instances %u ns, after them %u ns\n", (unsigned)(before / 100),
		       (unsigned)(among / 100), (unsigned)(after / 100));
	linnet_store_delete(store);
	return 0;
}
