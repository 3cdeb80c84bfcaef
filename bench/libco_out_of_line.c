/* The peers of libco.c once more, through the out-of-line door: the switch as a function of the library. */
#define CO_NO_INLINE
#define BENCH_OUT_OF_LINE
#include "libco.c"
