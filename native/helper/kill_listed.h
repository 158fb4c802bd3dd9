// Ending everybody whom the kernel lists in a file: cgroup.procs, or the children of a task.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

/** Takes the next number from `*at`; false at the end, and before a number that the end of the text may have cut. */
bool next_listed(const char** at, pid_t* pid);

/** SIGKILL for those listed, as far as 64 KiB of the file go; false when nobody was there to be sent it. */
bool kill_listed(const char* path, int dir = AT_FDCWD);
