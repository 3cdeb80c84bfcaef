#ifndef CO_NO_INLINE
#define CO_NO_INLINE 1
#endif
#define ARENA_DOOR arena_out_of_line
#include "arena_bodies.h"
