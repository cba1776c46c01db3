/* A host in C; prints what ../host/src/lib.rs prints. */
#include "sample.h"
#include "user.h"
#include "kinds.h"
#include "host.h"
#include <stdio.h>

static bool log_call(void *env, linnet_value *values)
{
	int *calls = env;
	printf("log %d %d\n", (int)values[0].i32, (int)values[1].i64);
	values[0].i64 = values[1].i64 + values[0].i32 + (uint64_t)++*calls;
	return true;
}

static bool fail(void *env, linnet_value *values)
{
	(void)env, (void)values;
	return false;
}

static linnet_store *store;

static void failed(bool done)
{
	printf("%s\n", done ? "it did not fail" : linnet_message(store));
}

static bool twice(void *env, linnet_value *values)
{
	(void)env;
	values[0].i32 *= 2;
	return true;
}

/* Imports of every kind, globals, tables and a second memory. */
static void kinds(void)
{
	linnet_value base = {.i32 = 1}, count = {.i64 = 41};
	linnet_import imports[] = {
		{"host", "base", NULL, &base, NULL, 0},
		{"host", "count", NULL, &count, NULL, 0},
		{"host", "double", twice, NULL, NULL, 0},
	};
	failed(linnet_instantiate(store, &linnet_module_kinds, imports + 1, 2));
	linnet_instance *kinds = linnet_instantiate(store, &linnet_module_kinds, imports, 3);
	if (!kinds) {
		printf("%s\n", linnet_message(store));
		return;
	}
	uint64_t size = 0, second = 0;
	const char *memory = (const char *)kinds_memory(kinds, &size);
	const char *text = (const char *)kinds_second(kinds, &second);
	printf("memories %.5s %d %.5s %d\n", memory + 1, (int)size, text, (int)second);

	printf("globals %d %d %.2f\n", (int)kinds_base(kinds), (int)kinds_count(kinds), kinds_ratio(kinds));
	printf("set %d", kinds_count_set(kinds, 99));
	printf(" %d\n", (int)kinds_count(kinds));
	uint8_t lanes[16];
	kinds_lanes(kinds, lanes);
	lanes[2] = 70;
	kinds_lanes_set(kinds, lanes);
	lanes[2] = 0;
	kinds_lanes(kinds, lanes);
	printf("lanes %d %d\n", lanes[2], lanes[15]);
	linnet_value other = {.f64 = 1};
	failed(linnet_global_set(kinds, kinds_ratio_export, &other));

	uint32_t word = 0;
	kinds_call(kinds, 0, 20, &word);
	printf("table %d %d", (int)kinds_table_size(kinds), (int)word);
	kinds_call(kinds, 1, 20, &word);
	printf(" %d\n", (int)word);
	uint64_t reference = 0;
	kinds_table_get(kinds, 1, &reference);
	linnet_value values[1] = {{.i32 = 30}};
	printf("reference %d", linnet_call_ref(store, reference, values));
	printf(" %d\n", (int)values[0].i32);
	kinds_table_set(kinds, 1, kinds_function(kinds));
	kinds_call(kinds, 1, 20, &word);
	printf("written %d\n", (int)word);
	failed(kinds_table_set(kinds, 5, 0));
	failed(linnet_call_ref(store, 0, values));
	kinds_own_set(kinds, 2, 7);
	kinds_own_get(kinds, 2, &reference);
	printf("own %d %d\n", (int)kinds_own_size(kinds), (int)reference);
	kinds_caught(kinds, 5, &word);
	printf("caught %d\n", (int)word);
}

int main(void)
{
	int calls = 0;
	store = linnet_store_new();
	linnet_import host[] = {
		{"env", "log", log_call, &calls, NULL, 0},
		{"env", "fail", fail, NULL, NULL, 0},
	};
	failed(linnet_instantiate(store, &linnet_module_sample, host, 1));
	linnet_instance *sample = linnet_instantiate(store, &linnet_module_sample, host, 2);
	if (!sample) {
		printf("%s\n", linnet_message(store));
		return 1;
	}

	uint32_t word = 0;
	printf("add %d", sample_add(sample, 40, 2, &word));
	printf(" %u\n", word);
	double wide = 0;
	float narrow = 0;
	uint64_t product = 0;
	printf("mix %d", sample_mix(sample, 14, 2.5, 1.25f, &wide, &narrow, &product));
	printf(" %.2f %.2f %d\n", wide, (double)narrow, (int)product);
	uint8_t lanes[16], twice[16];
	for (int i = 0; i < 16; i++)
		lanes[i] = (uint8_t)i;
	printf("twice %d", sample_twice(sample, lanes, twice));
	printf(" %d %d\n", twice[1], twice[15]);
	uint64_t reference = 0;
	printf("same %d", sample_same(sample, 77, &reference));
	printf(" %d\n", (int)reference);
	uint64_t logged = 0;
	printf("logged %d", sample_logged(sample, 20, &logged));
	printf(" %d\n", (int)logged);

	uint64_t size = 0;
	uint8_t *memory = sample_memory(sample, &size);
	printf("memory %d %.5s\n", (int)size, (const char *)memory + 16);
	memory[20] = '!';
	sample_load(sample, 17, &word);
	printf("load %x\n", word);
	sample_grow(sample, 2, &word);
	bool same = sample_memory(sample, &size) == memory;
	printf("grow %d %d %d\n", (int)word, (int)size, same);
	sample_grow(sample, 1, &word);
	printf("grow %d\n", (int)word);

	uint32_t names[9] = {0};
	sample_(sample, &names[0]);
	sample_a_b_(sample, &names[1]);
	sample_a_b(sample, &names[2]);
	sample_a_b_export(sample, &names[3]);
	sample_self(sample, &names[4]);
	sample_loop(sample, &names[5]);
	sample_new(sample, &names[6]);
	sample_export_count(sample, &names[7]);
	sample___(sample, &names[8]);
	printf("names");
	for (int i = 0; i < 9; i++)
		printf(" %d", (int)names[i]);
	printf("\n");

	failed(sample_ratio(sample, 1, 0, &word));
	failed(sample_ratio(sample, 0x80000000, 0xffffffff, &word));
	failed(sample_load(sample, 3 * 65536 - 3, &word));
	bool done = sample_forever(sample);
	char line[27];
	memcpy(line, linnet_message(store), 26);
	line[26] = 0;
	printf("%s\n", done ? "it did not fail" : line);
	failed(sample_call_fail(sample));
	failed(sample_throw(sample));

	linnet_import others[] = {
		{"sample", "add", NULL, NULL, sample, sample_add_export},
		{"sample", "memory", NULL, NULL, sample, sample_memory_export},
		{"sample", "calls", NULL, NULL, sample, sample_calls_export},
		{"sample", "table", NULL, NULL, sample, sample_table_export},
	};
	linnet_instance *user = linnet_instantiate(store, &linnet_module_user, others, 4);
	if (!user) {
		printf("%s\n", linnet_message(store));
		return 1;
	}
	printf("user %.5s\n", (const char *)memory + 16);
	printf("sum %d", user_sum(user, 20, 1, &word));
	printf(" %d\n", (int)word);
	user_set_calls(user, 99);
	failed(linnet_instantiate(store, &linnet_module_user, others, 4));
	failed(linnet_instantiate(store, &linnet_module_user, others, 2));
	kinds();
	linnet_store_delete(store);
	plugins();
	return 0;
}
