// Runs before anything of the runtime in dist/skiff, which gives up at once when the working directory was deleted: CI
// jobs do that to their steps. Then "/" is the working directory. scripts/add-entry.mjs puts this code into the
// executable as its entry point; it ends by jumping to the one that was there. No C library exists yet.

#include <linux/limits.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
// ld.so leaves a function pointer in rdx for the C library's start code, and argc where rsp points.
__asm__(
    ".section .text.start, \"ax\"\n"
    ".global entry\n"
    "entry:\n"
    "  push %rdx\n"
    "  sub $8, %rsp\n"
    "  call prepare\n"
    "  add $8, %rsp\n"
    "  pop %rdx\n"
    "  lea entry(%rip), %rax\n"
    "  add distance(%rip), %rax\n"
    "  jmp *%rax\n"
    ".balign 8\n"
    "distance: .quad 0x0123456789abcdef\n"
    ".text\n");

static long syscall2(long number, long a, long b) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
// The same, with x0 and sp.
__asm__(
    ".section .text.start, \"ax\"\n"
    ".global entry\n"
    "entry:\n"
    "  stp x0, x30, [sp, #-16]!\n"
    "  bl prepare\n"
    "  ldp x0, x30, [sp], #16\n"
    "  adr x16, entry\n"
    "  ldr x17, distance\n"
    "  add x16, x16, x17\n"
    "  br x16\n"
    ".balign 8\n"
    "distance: .quad 0x0123456789abcdef\n"
    ".text\n");

static long syscall2(long number, long a, long b) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
  return x0;
}
#else
#error "no entry code for this architecture"
#endif

__attribute__((used)) void prepare(void) {
  char path[PATH_MAX];
  if (syscall2(SYS_getcwd, (long)path, sizeof path) >= 0) return;
  // On the stack: the code is moved as it is, without relocations.
  const char root[2] = {'/', '\0'};
  syscall2(SYS_chdir, (long)root, 0);
}
