#define BY_DOOR(name) name##_inline
#include "thread_local_address_bodies.h"
