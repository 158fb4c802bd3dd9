// Installs the filter in argv[1] (an array of struct sock_filter) on itself and prints what a few calls then answer.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static void report(const char* name, long result) {
  printf("%s %s\n", name, result >= 0 ? "ok" : errno == EPERM ? "EPERM" : errno == ENOSYS ? "ENOSYS" : strerror(errno));
}

int main(int argc, char** argv) {
  static struct sock_filter code[4096];
  if (argc != 2) return 2;
  int fd = open(argv[1], O_RDONLY);
  ssize_t size = read(fd, code, sizeof code);
  close(fd);
  struct sock_fprog program = {(unsigned short)(size / sizeof code[0]), code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 3;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("seccomp");
    return 4;
  }
  report("getpid", syscall(SYS_getpid));
  report("socket inet", socket(AF_INET, SOCK_DGRAM, 0));
  report("socket vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
  report("socket alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
  report("unshare user", unshare(CLONE_NEWUSER));
  report("clone3", syscall(SYS_clone3, NULL, 0));
  report("mount", mount("none", "/", NULL, MS_REMOUNT, NULL));
  report("keyctl", syscall(SYS_keyctl, 0, 0, 0));
  report("personality query", personality(0xffffffff));
  report("personality addr_no_randomize", personality(ADDR_NO_RANDOMIZE));
  report("x32 getpid", syscall(0x40000000 | SYS_getpid));
  report("future", syscall(600));
  pid_t child = fork();
  if (child == 0) _exit(0);
  report("fork", child);
  report("wait", waitpid(child, NULL, 0));
  return 0;
}
