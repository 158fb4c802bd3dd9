// The native helper: one small static process per container. Modes:
//   run FD      FD holds a plan: start the container and stay with it, or with the monitor that keeps it
//   attach FD   relay our stdio to and from a container that runs
//   exec FD     start one more process in a container that runs
//   userns FD   execute a command as root of a new user namespace, in a mount namespace of its own
//   remove FD   delete paths, whoever owns what is in them
// docs/dev/native-protocol.md describes the plan and the messages; src/native/launch.ts starts us.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach_client.h"
#include "common/retry.h"
#include "dump.h"
#include "exec_mode.h"
#include "monitor.h"
#include "sys.h"
#include "userns_mode.h"

namespace {

int usage() {
  static const char kText[] = "Error: this program is a part of skiff and not meant to be called by hand\n";
  write_all(STDERR_FILENO, kText, sizeof kText - 1);
  return 125;
}

/** A closed 0, 1 or 2 would be taken by the next open, and then be written to as stderr. */
bool ensure_stdio() {
  int fd;
  do {
    fd = open("/dev/null", O_RDWR);
    if (fd < 0) return false;
  } while (fd <= 2);
  close(fd);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return usage();
  char* end;
  long plan_fd = strtol(argv[2], &end, 10);
  if (*end != '\0' || plan_fd < 3 || plan_fd > 1 << 20) return usage();
  if (!ensure_stdio()) return 125;
  // Nothing the caller left open may reach the container.
  sys::close_from(3, true);
  int fd = static_cast<int>(plan_fd);
  if (strcmp(argv[1], "run") == 0) return run_container(fd);
  if (strcmp(argv[1], "attach") == 0) return attach_to_container(fd);
  if (strcmp(argv[1], "exec") == 0) return exec_in_container(fd);
  if (strcmp(argv[1], "userns") == 0) return run_in_user_namespace(fd);
  if (strcmp(argv[1], "remove") == 0) return remove_in_user_namespace(fd);
#ifdef SKIFF_TEST_BUILD
  if (strcmp(argv[1], "dump") == 0) return dump_plan(fd);
  if (strcmp(argv[1], "health-rules") == 0) return follow_health_rules(fd);
  if (strcmp(argv[1], "listed") == 0) return show_listed(fd);
#endif
  return usage();
}
