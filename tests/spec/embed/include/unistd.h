/* What the test's host needs of it. */
int usleep(unsigned time);
