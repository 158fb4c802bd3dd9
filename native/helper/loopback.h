#pragma once

#include "error.h"

/** Brings up "lo" in the network namespace of the caller. */
bool bring_up_loopback(StepError* e);
