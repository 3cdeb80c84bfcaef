#define OVER(what) what##_over_yield
#define SWITCH(co) co_yield(NULL)
#include "live_values_template.h"
