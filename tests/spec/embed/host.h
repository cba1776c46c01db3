/* The parts of the host in C. */
void plugins(void);
