// The file `restart`: one of `no`, `always` and `on-failure N` in one line, replaced as a whole by a rename. `start` takes it
// away, since the plan of a new monitor says the same.

#include "restart_policy.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "small_file.h"
#include "text.h"

void refresh_restart_policy(Lifetime* lifetime) {
  Text<PATH_MAX> path;
  path << lifetime->container_dir << "/restart";
  char text[64];
  ssize_t n = read_small(text, path.c_str());
  if (n <= 0 || text[n - 1] != '\n') return;
  text[n - 1] = '\0';
  constexpr char kOnFailure[] = "on-failure ";
  if (strcmp(text, "no") == 0) {
    lifetime->restart = RestartKind::kNo;
  } else if (strcmp(text, "always") == 0) {
    lifetime->restart = RestartKind::kAlways;
  } else if (strncmp(text, kOnFailure, sizeof kOnFailure - 1) == 0) {
    lifetime->restart = RestartKind::kOnFailure;
    lifetime->max_restarts = static_cast<uint32_t>(strtoul(text + sizeof kOnFailure - 1, nullptr, 10));
  }
}
