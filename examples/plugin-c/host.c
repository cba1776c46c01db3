// Gives plug-ins a deadline, a budget and some memory, and begins anew after each that misbehaves.
#include "plugin.h"
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static linnet_store *store;

// What the plug-in may call. Its addresses are checked: it may say anything.
static bool print(void *env, linnet_value *values)
{
	uint64_t size;
	const char *memory = (const char *)linnet_first_memory(linnet_caller(), &size);
	uint64_t at = values[0].i32, length = values[1].i32;
	(void)env;
	if (at + length > size)
		return linnet_fail("print: outside of the memory");
	printf("plug-in: %.*s\n", (int)length, memory + at);
	return true;
}

static bool may_grow(void *env, linnet_kind kind, uint64_t from, uint64_t to)
{
	(void)from;
	return kind != LINNET_MEMORY || to <= *(uint64_t *)env;
}

static void *deadline(void *milliseconds)
{
	usleep(*(unsigned *)milliseconds * 1000);
	linnet_interrupt(store);
	return NULL;
}

static void report(const char *what, bool done)
{
	if (done)
		printf("%s: done\n", what);
	else
		printf("%s: %.*s\n", what, (int)strcspn(linnet_message(store), "\n"), linnet_message(store));
}

int main(void)
{
	uint64_t most = 1 << 20;
	unsigned time = 50;
	uint32_t result = 0;
	store = linnet_store_new();
	linnet_limit_growth(store, may_grow, &most);
	linnet_import imports[] = {{"host", "print", print, NULL, NULL, 0}};
	linnet_instance *plugin = linnet_instantiate(store, &linnet_module_plugin, imports, 1);
	if (!plugin || !linnet_snapshot(plugin)) {
		printf("%s\n", linnet_message(store));
		return 1;
	}

	report("work", plugin_work(plugin, 1000, &result));

	pthread_t timer;
	pthread_create(&timer, NULL, deadline, &time);
	report("hang, 50 ms", plugin_hang(plugin, &result));
	pthread_join(timer, NULL);

	linnet_budget_set(store, 100000);
	report("hang, 100,000 turns", plugin_hang(plugin, &result));
	linnet_budget_set(store, UINT64_MAX);

	report("lie", plugin_lie(plugin));

	uint64_t size;
	plugin_hoard(plugin, &result);
	linnet_first_memory(plugin, &size);
	printf("hoard: %d of %d KiB\n", (int)(size >> 10), (int)(most >> 10));
	report("restore", linnet_restore(plugin));
	report("work", plugin_work(plugin, 1000, &result));
	linnet_store_delete(store);
	return 0;
}
