#include "arch/select.S"
