/* Its host: called from the module that it calls. */
#include "lines.h"

static bool of_host(void *env, linnet_value *values)
{
	(void)env;
	values[0].i32 += 5; /* in the host */
	return true;
}

int main(void)
{
	linnet_store *store = linnet_store_new();
	linnet_import imports[] = {{"env", "call", of_host, NULL, NULL, 0}};
	linnet_instance *lines = linnet_instantiate(store, &linnet_module_lines, imports, 1);
	uint32_t result = 0;
	bool done = lines_outer(lines, 3, &result); /* call of the module */
	return done && result == 20 ? 0 : 1;
}
