#define OVER(what) what##_over_resume
#define SWITCH(co) co_resume(co, NULL, NULL)
#include "live_values_template.h"
