// What the language's run-time library, which we do without, would have for classes with pure virtual functions.

#include "container_stdio.h"

extern "C" void __cxa_pure_virtual() { __builtin_trap(); }
