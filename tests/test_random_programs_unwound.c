/* The same random programs where every close is a forced unwind, through frames that have nothing to clean.
 * Compiled with: -fexceptions */
#include "test_random_programs.c"
