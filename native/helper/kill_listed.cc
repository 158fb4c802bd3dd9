// See kill_listed.h. A cut number is somebody else's: it is read again, whole, at the next look.

#include "kill_listed.h"

#include <signal.h>
#include <stdlib.h>

#include "small_file.h"

bool next_listed(const char** at, pid_t* pid) {
  char* end;
  long number = strtol(*at, &end, 10);
  if (end == *at || *end == '\0') return false;
  *at = end;
  *pid = static_cast<pid_t>(number);
  return true;
}

bool kill_listed(const char* path, int dir) {
  char list[65536];
  if (read_small(list, path, dir) <= 0) return false;
  bool any = false;
  pid_t pid;
  for (const char* at = list; next_listed(&at, &pid);) {
    // 0: of another pid namespace, out of our reach.
    if (pid > 0 && kill(pid, SIGKILL) == 0) any = true;
  }
  return any;
}
