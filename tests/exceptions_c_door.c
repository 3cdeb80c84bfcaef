/* co_resume as C code compiles it that stands between C++ frames. */
#include <co.h>

int resume_from_c(co_t *co, void *in, void **out);

int resume_from_c(co_t *co, void *in, void **out) { return co_resume(co, in, out); }
