#define ARENA_DOOR arena_inline
#include "arena_bodies.h"
