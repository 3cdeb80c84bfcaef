/* The out-of-line co_self. The other functions that co.h makes inline are assembly (arch/); this one is C compiled as
 * their users are, so that the name stands for a symbol. */
#define CO_NO_INLINE 1
#include "block.h"

co_t *co_self(void) { return co__current_get(); }
