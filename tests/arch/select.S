/* Assembles the tests' helpers of the target; co/arch/select.h chooses, and the files here are called as those in src/arch
 * are. They know of the library only what an ABI document says, so that both do not err alike. */
#include "co/arch/select.h"
#include CO__ARCH_OUT_OF_LINE
