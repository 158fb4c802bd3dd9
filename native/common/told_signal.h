// The value (sigqueue(3)) that comes with a signal whose `kill` event its sender has logged: the keeper does not again.
#pragma once

constexpr int kToldSignal = 0x736b6966;
