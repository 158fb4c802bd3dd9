// PATH is that of the container's environment. The errno of the error decides the exit status (error.cc): ENOENT means
// that the command does not exist, everything else that it cannot be invoked.

#include "exec.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const char* path_of(const StringList& env) {
  const char* found = kDefaultPath;
  for (const char* entry : env) {
    if (strncmp(entry, "PATH=", 5) == 0) found = entry + 5;
  }
  return found;
}

char** mutable_strings(const StringList& list) { return const_cast<char**>(list.items); }

/** errno of an attempt to run `file`, which is not there for an interpreter's sake as much as for its own. */
int try_exec(const Process& p, const char* file) {
  execve(file, mutable_strings(p.args), mutable_strings(p.env));
  return errno;
}

/** The search goes on after these: nothing there, or nothing that this user may run. */
bool is_absence(int err) {
  return err == ENOENT || err == ENOTDIR || err == EACCES || err == ELOOP || err == ENAMETOOLONG ||
         err == ESTALE;
}

/** Why execve said ENOENT or EACCES, where the name alone does not tell. */
void explain(StepError* e, const char* file, int err) {
  struct stat st;
  if (stat(file, &st) < 0) return;
  if (S_ISDIR(st.st_mode)) {
    e->cause << "is a directory";
  } else if (err == ENOENT) {
    e->cause << "the interpreter it asks for (the #! line, or the dynamic loader) is missing from the image";
  } else if (err == ENOEXEC && st.st_size == 0) {
    e->cause << "exec format error: the file is empty";
  } else if (err == ENOEXEC) {
    e->cause << "exec format error: neither a program for this machine nor a script with a #! line";
  }
}

void fail_exec(const Process& p, const char* file, int err, StepError* e) {
  errno = err;
  fail(e, Step::kExec, p.args.items[0]);
  explain(e, file, err);
}

void search_and_exec(const Process& p, StepError* e) {
  const char* name = p.args.items[0];
  int denied = 0;
  char denied_file[PATH_MAX];
  for (const char* dir = path_of(p.env);; dir++) {
    size_t len = strcspn(dir, ":");
    Text<PATH_MAX> file;
    file.bytes(len == 0 ? "." : dir, len == 0 ? 1 : len) << '/' << name;
    if (!file.cut()) {
      int err = try_exec(p, file.c_str());
      struct stat st;
      bool exists = stat(file.c_str(), &st) == 0;
      if (!is_absence(err) || (err == ENOENT && exists)) return fail_exec(p, file.c_str(), err, e);
      if (err == EACCES && exists && !S_ISDIR(st.st_mode) && denied == 0) {
        denied = err;
        memcpy(denied_file, file.c_str(), file.size() + 1);
      }
    }
    dir += len;
    if (*dir == '\0') break;
  }
  if (denied != 0) return fail_exec(p, denied_file, denied, e);
  errno = ENOENT;
  fail_because(e, Step::kExec, name, "executable file not found in $PATH of the container");
}

}  // namespace

void exec_command(const Process& p, StepError* e) {
  const char* name = p.args.items[0];
  if (name[0] == '\0') {
    errno = ENOENT;
    fail_because(e, Step::kExec, name, "the command is an empty string");
    return;
  }
  if (strchr(name, '/') == nullptr) return search_and_exec(p, e);
  fail_exec(p, name, try_exec(p, name), e);
}
