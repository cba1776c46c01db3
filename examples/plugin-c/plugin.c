// A plug-in that nobody has checked: it works, or runs for ever, or takes all memory that it can get.
#include <stdint.h>

__attribute__((import_module("host"), import_name("print"))) void print(const char *text, uint32_t length);

__attribute__((export_name("work"))) uint32_t work(uint32_t n)
{
	uint32_t sum = 0;
	for (uint32_t i = 1; i <= n; i++)
		sum = sum * 31 + i;
	print("worked", 6);
	return sum;
}

__attribute__((export_name("hang"))) uint32_t hang(void)
{
	for (volatile uint32_t i = 0;; i++)
		;
}

// How many pages of 64 KiB it gets.
__attribute__((export_name("hoard"))) uint32_t hoard(void)
{
	uint32_t pages = 0;
	while (__builtin_wasm_memory_grow(0, 1) != (unsigned long)-1)
		pages++;
	return pages;
}

__attribute__((export_name("lie"))) void lie(void)
{
	print((const char *)0xfffffff0, 100);
}
