// The program of the demo image skiff/hello: tells what the world looks like from inside its container.
// Static and small; needs nothing but /proc.

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace {

constexpr size_t kLineSize = 4096;

// Lines of a file below /proc, -1 where it cannot be read.
int count_lines(const char* path) {
  FILE* file = fopen(path, "re");
  if (file == nullptr) return -1;
  int lines = 0;
  for (int c = getc(file); c != EOF; c = getc(file)) lines += c == '\n';
  fclose(file);
  return lines;
}

int count_processes() {
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return -1;
  int processes = 0;
  for (const dirent* entry = readdir(proc); entry != nullptr; entry = readdir(proc)) {
    processes += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
  }
  closedir(proc);
  return processes;
}

// Prints which host ids the ids in here are: one line for each range of /proc/self/uid_map.
void print_id_map() {
  FILE* file = fopen("/proc/self/uid_map", "re");
  if (file == nullptr) return;
  char line[kLineSize];
  const char* title = "uids";
  while (fgets(line, sizeof line, file) != nullptr) {
    char* at = line;
    const unsigned long inside = strtoul(at, &at, 10);
    const unsigned long outside = strtoul(at, &at, 10);
    const unsigned long size = strtoul(at, &at, 10);
    if (size >= 4294967295UL) {
      printf("  %-10s as on the host (no user namespace)\n", title);
    } else if (size == 1) {
      printf("  %-10s %lu is %lu on the host\n", title, inside, outside);
    } else {
      printf("  %-10s %lu-%lu are %lu-%lu on the host\n", title, inside, inside + size - 1, outside,
             outside + size - 1);
    }
    title = "";
  }
  fclose(file);
}

}  // namespace

int main() {
  utsname name = {};
  if (uname(&name) < 0) return 1;
  puts("Hello from inside a container!\n");
  printf("  %-10s uid %u, gid %u, pid %d\n", "I am", getuid(), getgid(), getpid());
  print_id_map();
  printf("  %-10s %s, %s %s\n", "host name", name.nodename, name.sysname, name.release);
  printf("  %-10s %d\n", "processes", count_processes());
  printf("  %-10s %d\n", "mounts", count_lines("/proc/self/mountinfo"));
  // Without this check a full or closed stdout would look like success.
  return fflush(stdout) == 0 ? 0 : 1;
}
