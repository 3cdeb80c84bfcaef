/* test_backtrace through the out-of-line door. */
#define CO_NO_INLINE 1
#define SCENARIO backtrace_run_out_of_line
#include "backtrace_scenario.h"
