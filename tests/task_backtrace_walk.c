#include "backtrace_walk.c"
