// Says how many arguments it has, and what the last one is, without stdio: a module that is translated soon.
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[256] = "0 arguments, the last is ";

	line[0] = '0' + argc % 10;
	strncat(line, argv[argc - 1], 100);
	strcat(line, "\n");
	write(1, line, strlen(line));
	if (!strcmp(argv[argc - 1], "waiting"))
		pause();
	return argc;
}
