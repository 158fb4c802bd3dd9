// The container of `run -d`, `start` and every run that outlives its client.
#pragma once

struct Monitor;

/** Forks: the child becomes the monitor and keeps the container, this process its client. The exit status. */
int run_monitored(Monitor& m);
