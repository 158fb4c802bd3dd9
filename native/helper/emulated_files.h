// Owners of files that the kernel cannot give them: written down on the file, and shown to who asks.
#pragma once

#include "emulated_call.h"

// Named for the system calls, with their arguments.
Answer do_chown(const Call& call);
Answer do_lchown(const Call& call);
Answer do_fchown(const Call& call);
Answer do_fchownat(const Call& call);
Answer do_stat(const Call& call);
Answer do_lstat(const Call& call);
Answer do_fstat(const Call& call);
Answer do_newfstatat(const Call& call);
Answer do_statx(const Call& call);
Answer do_open(const Call& call);
Answer do_openat(const Call& call);
Answer do_creat(const Call& call);
Answer do_mkdir(const Call& call);
Answer do_mkdirat(const Call& call);
