/* test_backtrace through the inline door; in sanitizer builds the header chooses the other one. */
#define SCENARIO backtrace_run_inline
#include "backtrace_scenario.h"
