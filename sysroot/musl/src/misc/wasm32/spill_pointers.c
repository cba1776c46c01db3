/* Does nothing: that a program exports it tells the translator to keep what may be a pointer in the stack's memory
 * wherever a function is called, for collectors that look for pointers there. */
void __linnet_spill_pointers(void) {}
