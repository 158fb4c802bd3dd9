// Wording of failures. Decisions are made on step and errno alone, never on the text.

#include "error.h"

#include <errno.h>

#include "common/retry.h"
#include "sync.h"

namespace {

const char* const kWordings[] = {
#define STEP(name, text, wording) wording,
#include "common/steps.def"
#undef STEP
};

const char* hint_for(const StepError& e) {
  switch (e.step) {
    case Step::kClone:
      if (e.err == EPERM || e.err == EACCES) {
        return "user namespaces are not allowed here; `skiff doctor` names the setting to change";
      }
      if (e.err == ENOSPC || e.err == EUSERS) {
        return "the limit of namespaces is reached: see /proc/sys/user/max_user_namespaces";
      }
      return nullptr;
    case Step::kPropagation:
    case Step::kLoopback:
    case Step::kHostname:
      if (e.err == EPERM || e.err == EACCES) {
        return "the new user namespace came without any rights (AppArmor on Ubuntu does that); `skiff "
               "doctor` names "
               "the setting to change";
      }
      return nullptr;
    case Step::kIdMap:
      return "check /etc/subuid, /etc/subgid and the package uidmap; `skiff doctor` says what is missing";
    case Step::kMountProc:
    case Step::kMountSysfs:
      if (e.err == EPERM) {
        return "parts of the host's file system are covered by other mounts, as inside another container; "
               "give that one a full /proc and /sys (e.g. --security-opt unmask=ALL)";
      }
      return nullptr;
    case Step::kOverlay:
      if (e.err == EPERM || e.err == ENODEV) {
        return "overlayfs is not available to this user here; `skiff doctor` says why";
      }
      return nullptr;
    default:
      return nullptr;
  }
}

/** Of a client that prints them; -1: we print them ourselves. */
int message_socket = -1;

}  // namespace

void redirect_messages(int sock) { message_socket = sock; }

const char* wording_of(Step step) {
  uint32_t i = static_cast<uint32_t>(step);
  return i < sizeof kWordings / sizeof kWordings[0] ? kWordings[i] : "an unknown step";
}

bool fail(StepError* e, Step step, const char* object) {
  e->err = errno;
  e->step = step;
  e->object.clear();
  e->object << object;
  e->cause.clear();
  return false;
}

bool fail_because(StepError* e, Step step, const char* object, const char* cause) {
  fail(e, step, object);
  e->cause << cause;
  return false;
}

int exit_status_of(const StepError& e) {
  if (e.step == Step::kCwd) return 126;
  if (e.step != Step::kExec) return 125;
  return e.err == ENOENT ? 127 : 126;
}

void describe_error(const StepError& e, TextView* out) {
  *out << wording_of(e.step);
  if (e.object.size() > 0 || e.step == Step::kExec) {
    *out << " \"";
    out->safe(e.object.c_str()) << '"';
  }
  if (e.cause.size() > 0) {
    *out << ": ";
    out->safe(e.cause.c_str());
  } else if (e.err != 0) {
    *out << ": " << strerror(e.err);
  }
}

void print_error(const StepError& e) {
  if (message_socket >= 0) {
    (void)send_error(message_socket, e);
    return;
  }
  Text<4096> line;
  line << "Error: ";
  describe_error(e, &line);
  line << '\n';
  if (const char* hint = hint_for(e)) line << "hint: " << hint << '\n';
  write_all(STDERR_FILENO, line.c_str(), line.size());
}

void print_note(const char* text) {
  if (message_socket >= 0) {
    (void)send_sync(message_socket, SyncType::kNote, Step::kWait, 0, text);
    return;
  }
  Text<2304> line;
  line << "Warning: ";
  line.safe(text) << '\n';
  write_all(STDERR_FILENO, line.c_str(), line.size());
}
