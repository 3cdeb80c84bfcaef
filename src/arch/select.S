/* Assembles the out-of-line switch of the target; co/arch/select.h chooses. */
#include "co/arch/select.h"
#include "co/layout.h"
#include "../block.h"
#include CO__ARCH_OUT_OF_LINE
