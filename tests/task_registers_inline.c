#define DOOR door_inline
#include "door_functions.h"
