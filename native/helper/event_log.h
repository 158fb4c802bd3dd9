// What happens to a container, told to `skiff events`: one line appended to the store's event log. docs/decisions/0019.
#pragma once

#include "plan.h"

/**
 * `action`: docker's word for it, "die" or "health_status: healthy", with nothing in it that JSON would escape.
 * `with`: members of a JSON object that say more, `"exitCode":"0"`; a label of the container that has one of those names
 * hides it, as in docker. What cannot be written costs the event and nothing else.
 */
void log_event(const Plan& plan, const char* action, const char* with = "");

/** `start`, after the mounts of its volumes. */
void log_start(const Plan& plan);
/** `die`, after the unmounts. */
void log_die(const Plan& plan, int exit_code, uint64_t started_ns, uint64_t finished_ns);
/** `destroy`, after that of the volumes that went with the container. Its folder may be gone already. */
void log_destroy(const Plan& plan);
void log_exec_die(const Plan& plan, int exit_code);
/** Signal `sig` was passed on to the container, or carried out for it. */
void log_kill(const Plan& plan, int sig);
