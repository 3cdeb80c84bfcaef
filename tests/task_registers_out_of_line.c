#ifndef CO_NO_INLINE
#define CO_NO_INLINE 1
#endif
#define DOOR door_out_of_line
#include "door_functions.h"
