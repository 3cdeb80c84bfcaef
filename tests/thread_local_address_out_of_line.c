#ifndef CO_NO_INLINE
#define CO_NO_INLINE 1
#endif
#define BY_DOOR(name) name##_out_of_line
#include "thread_local_address_bodies.h"
