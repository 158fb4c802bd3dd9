// {"time":"1700000000000000000","action":"die","with":{"exitCode":"0"},"name":"web2","type":"container","id":…}
// The helper knows what happens and when; what it happens to, from "type" on, is rendered by src/store/event-log.ts.

#include "event_log.h"

#include <limits.h>
#include <string.h>

#include "common/event_file.h"
#include "small_file.h"
#include "text.h"

namespace {

/**
 * The name that `rename` has given the container since the plan was made, which is left for us in a file; empty without
 * one. Remembered for the time when the file is gone with the container. Who does not keep it (mode `exec`) has no folder.
 */
const TextView& new_name(const Plan& plan) {
  static Text<256> name;
  if (plan.lifetime.container_dir[0] == '\0') return name;
  Text<PATH_MAX> path;
  path << plan.lifetime.container_dir << "/name";
  char bytes[256];  // a name has one less at most
  ssize_t size = read_small(bytes, path.c_str());
  if (size > 0) {
    name.clear();
    name.bytes(bytes, static_cast<size_t>(size));
  }
  return name;
}

void write_event(const Plan& plan, const char* action, const char* with, bool of_container,
                 const char* subject) {
  if (plan.events.log[0] == '\0') return;
  Text<1024> what;
  what << "\"action\":\"" << action << "\",";
  if (with[0] != '\0') what << "\"with\":{" << with << "},";
  const TextView* name = of_container ? &new_name(plan) : nullptr;
  if (name != nullptr && name->size() > 0) what << "\"name\":\"" << name->c_str() << "\",";
  if (!what.cut())
    (void)append_event(plan.events.log, {what.c_str(), what.size()}, {subject, strlen(subject)});
}

void log_each(const Plan& plan, const char* action, const StringList& subjects) {
  for (const char* subject : subjects) write_event(plan, action, "", false, subject);
}

}  // namespace

void log_event(const Plan& plan, const char* action, const char* with) {
  write_event(plan, action, with, true, plan.events.subject);
}

void log_start(const Plan& plan) {
  log_each(plan, "mount", plan.events.mounted);
  log_event(plan, "start");
}

void log_die(const Plan& plan, int exit_code, uint64_t started_ns, uint64_t finished_ns) {
  log_each(plan, "unmount", plan.events.unmounted);
  // The clock may have been set back.
  uint64_t ns = finished_ns > started_ns ? finished_ns - started_ns : 0;
  Text<128> with;
  with << "\"execDuration\":\"" << ns / 1000000000u << "\",\"exitCode\":\"" << exit_code << '"';
  log_event(plan, "die", with.c_str());
}

void log_destroy(const Plan& plan) {
  log_each(plan, "destroy", plan.events.destroyed);
  log_event(plan, "destroy");
}

void log_exec_die(const Plan& plan, int exit_code) {
  Text<32> with;
  with << "\"exitCode\":\"" << exit_code << '"';
  log_event(plan, "exec_die", with.c_str());
}

void log_kill(const Plan& plan, int sig) {
  Text<32> with;
  with << "\"signal\":\"" << sig << '"';
  log_event(plan, "kill", with.c_str());
}
