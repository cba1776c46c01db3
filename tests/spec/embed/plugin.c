/* A host of a module that it does not trust; prints what ../host/src/plugins.rs prints. */
#include "plugin.h"
#include "threads.h"
#include "host.h"
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static linnet_store *store;
static linnet_instance *plugin;

static void failed(bool done)
{
	printf("%s\n", done ? "it did not fail" : linnet_message(store));
}

static bool print(void *env, linnet_value *values)
{
	uint64_t size = 0;
	const char *memory = (const char *)linnet_first_memory(linnet_caller(), &size);
	printf("%s %.*s\n", (const char *)env, (int)values[1].i32, memory + values[0].i32);
	return true;
}

/* 0: an answer; 1: a message; 2: no message; 3: an exception; 4: a trap in another call. */
static bool answer(void *tag, linnet_value *values)
{
	linnet_value thrown[2] = {{.i32 = 42}, {.f64 = 1.5}};
	switch (values[0].i32) {
	case 0:
		values[0].i32 = 99;
		return true;
	case 1:
		return linnet_fail("nobody knows");
	case 2:
		return false;
	case 3:
		return linnet_throw(*(linnet_item **)tag, thrown);
	default:
		return plugin_boom(linnet_caller());
	}
}

static bool twice(void *env, linnet_value *values)
{
	(void)env;
	values[0].i32 *= 2;
	return true;
}

static bool below_200000(void *env, linnet_kind kind, uint64_t from, uint64_t to)
{
	(void)from;
	++*(int *)env;
	return kind == LINNET_MEMORY ? to < 200000 : to < 5;
}

static void describe(void)
{
	static const char *const kinds[] = {"function", "table", "memory", "global", "tag"};
	linnet_description it;
	for (uint32_t i = 0; linnet_describe_import(&linnet_module_plugin, i, &it); i++) {
		printf("%.*s %.*s: %s", (int)it.module_length, it.module, (int)it.name_length, it.name,
		       kinds[it.type.kind]);
		if (it.type.kind == LINNET_MEMORY || it.type.kind == LINNET_TABLE)
			printf(" %d %d", (int)it.type.min, (int)it.type.max);
		for (uint32_t v = 0; v < it.type.param_count + it.type.result_count; v++)
			printf(" %d", (int)it.type.values[v].kind);
		printf("\n");
	}
	linnet_describe_export(&linnet_module_plugin, plugin_twice_export, &it);
	printf("exports %.*s\n", (int)it.name_length, it.name);
}

static void *interrupt(void *env)
{
	(void)env;
	usleep(20000);
	linnet_interrupt(store);
	return NULL;
}

static void *wait(void *memory)
{
	linnet_store *own = linnet_store_new();
	linnet_import import = {"env", "memory", NULL, linnet_memory_open(own, memory), NULL, LINNET_ITEM};
	linnet_instance *threads = linnet_instantiate(own, &linnet_module_threads, &import, 1);
	uint32_t woken = 9;
	bool done = threads_add(threads, 1000) && threads_wait(threads, 0, &woken);
	linnet_store_delete(own);
	return (void *)(uintptr_t)(done ? woken : 8);
}

/* Threads share a memory, and wake each other. */
static void several(void)
{
	linnet_type type = {.kind = LINNET_MEMORY, .is_shared = true, .min = 1, .max = 2};
	linnet_item *item = linnet_item_new(store, &type, NULL);
	linnet_shared_memory *memory = linnet_memory_share(item);
	linnet_import import = {"env", "memory", NULL, item, NULL, LINNET_ITEM};
	linnet_instance *threads = linnet_instantiate(store, &linnet_module_threads, &import, 1);
	pthread_t all[4], other;
	for (int i = 0; i < 4; i++)
		pthread_create(&all[i], NULL, wait, memory);
	uint32_t woken = 0, sum = 0;
	uint64_t size = 0;
	volatile uint32_t *words = (volatile uint32_t *)linnet_first_memory(threads, &size);
	while (words[2] != 4000)
		usleep(1000);
	threads_wake(threads, 0, &woken);
	for (int i = 0; i < 4; i++) {
		void *result = NULL;
		pthread_join(all[i], &result);
		/* One that came too late found the value changed. */
		sum += (uintptr_t)result <= 1;
	}
	printf("threads %d\n", (int)sum);
	/* Nobody wakes this one. */
	pthread_create(&other, NULL, interrupt, NULL);
	failed(threads_wait(threads, 4, &woken));
	pthread_join(other, NULL);
	linnet_shared_memory_delete(memory);
}

void plugins(void)
{
	describe();
	store = linnet_store_new();
	linnet_value_type tagged[2] = {{LINNET_I32, 0, NULL}, {LINNET_F64, 0, NULL}};
	linnet_type type = {.kind = LINNET_TAG, .param_count = 2, .values = tagged};
	linnet_item *tag = linnet_item_new(store, &type, NULL);
	char name[] = "says";
	linnet_import imports[] = {
		{"env", "print", print, name, NULL, 0},
		{"env", "ask", answer, &tag, NULL, 0},
		{"env", "oops", NULL, tag, NULL, LINNET_ITEM},
	};
	plugin = linnet_instantiate(store, &linnet_module_plugin, imports, 3);
	if (!plugin) {
		printf("%s\n", linnet_message(store));
		return;
	}
	plugin_hello(plugin);
	/* Another one has a memory of its own. */
	linnet_instance *second = linnet_instantiate(store, &linnet_module_plugin, imports, 3);
	uint64_t size = 0;
	linnet_first_memory(second, &size)[16] = 'y';
	plugin_hello(plugin);
	plugin_hello(second);
	linnet_item *memory = linnet_imported(plugin, 0);
	bool same = linnet_item_memory(memory, &size) == linnet_first_memory(plugin, &size);
	printf("memory %d %d\n", same, (int)size);

	uint32_t word = 0;
	plugin_ask(plugin, 0, &word);
	printf("answer %d\n", (int)word);
	for (uint32_t question = 1; question < 5; question++)
		failed(plugin_ask(plugin, question, &word));
	/* The text stays until something else fails. */
	const char *text = linnet_message(store);
	printf("same %d\n", text == linnet_message(store));
	plugin_caught(plugin, 3, &word);
	printf("caught %d\n", (int)word);
	failed(plugin_throw(plugin));
	linnet_value payload[2] = {{.i32 = 0}};
	bool is_it = linnet_exception(store, tag, payload);
	printf("payload %d %d %.1f\n", is_it, (int)payload[0].i32, payload[1].f64);

	/* Imports that do not fit. */
	linnet_import wrong[] = {
		{"env", "print", NULL, NULL, plugin, plugin_ask_export},
		{"env", "ask", answer, &tag, NULL, 0},
	};
	failed(linnet_instantiate(store, &linnet_module_plugin, wrong, 2));
	wrong[0].number = 77;
	failed(linnet_instantiate(store, &linnet_module_plugin, wrong, 2));
	wrong[0] = (linnet_import){"env", "print", NULL, tag, NULL, LINNET_ITEM};
	failed(linnet_instantiate(store, &linnet_module_plugin, wrong, 2));
	type = (linnet_type){.kind = LINNET_MEMORY, .min = 1, .max = LINNET_NO_MAX};
	wrong[0] = (linnet_import){"env", "memory", NULL, linnet_item_new(store, &type, NULL), NULL, LINNET_ITEM};
	failed(linnet_instantiate(store, &linnet_module_plugin, wrong, 2));

	/* A function of the host in the module's table. */
	linnet_value_type unary[2] = {{LINNET_I32, 0, NULL}, {LINNET_I32, 0, NULL}};
	type = (linnet_type){.kind = LINNET_FUNCTION, .param_count = 1, .result_count = 1, .values = unary};
	linnet_value reference = {.ref = 0};
	linnet_item_ref(linnet_function_new(store, &type, twice, NULL), &reference.ref);
	linnet_item_set(linnet_imported(plugin, 1), 0, &reference);
	plugin_call(plugin, 0, 21, &word);
	printf("called %d\n", (int)word);

	/* Back to where it was. */
	linnet_snapshot(plugin);
	for (int i = 0; i < 2; i++) {
		plugin_count(plugin, &word);
		plugin_grow(plugin, 1, &word);
		plugin_grow_table(plugin, 2, &word);
		plugin_count(plugin, &word);
		printf("count %d", (int)word);
		printf(" restored %d\n", linnet_restore(plugin));
	}
	plugin_hello(plugin);
	linnet_first_memory(plugin, &size);
	printf("memory %d\n", (int)size);

	int asked = 0;
	linnet_limit_growth(store, below_200000, &asked);
	plugin_grow(plugin, 2, &word);
	printf("grow %d", (int)word);
	plugin_grow(plugin, 1, &word);
	printf(" %d", (int)word);
	plugin_grow_table(plugin, 3, &word);
	printf(" %d asked %d\n", (int)word, asked);

	/* Too long. */
	linnet_budget_set(store, 1000);
	plugin_turn(plugin, 400);
	uint64_t left = linnet_budget(store);
	plugin_turn(plugin, 400);
	printf("budget %d %d\n", (int)left, (int)linnet_budget(store));
	failed(plugin_turn(plugin, 400));
	failed(plugin_spin(plugin));
	printf("trap %d\n", linnet_trap(store) == LINNET_TRAP_BUDGET);
	linnet_budget_set(store, UINT64_MAX);
	pthread_t other;
	for (int i = 0; i < 3; i++) {
		pthread_create(&other, NULL, interrupt, NULL);
		bool done = i == 0 ? plugin_spin(plugin)
			  : i == 1 ? plugin_twice(plugin, 60)
				   : plugin_thrice(plugin, 60, &word);
		printf("interrupted %d\n", !done && linnet_trap(store) == LINNET_TRAP_INTERRUPTED);
		pthread_join(other, NULL);
	}
	plugin_turn(plugin, 400);
	several();
	linnet_store_delete(store);
}
