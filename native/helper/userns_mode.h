// Modes `userns` and `remove`: work on files of subordinate ids, without a container around it.
#pragma once

/** Executes the plan's command as root of its user namespace; returns an exit status only after an error. */
int run_in_user_namespace(int plan_fd);
/** Removes the plan's paths as that root. 0, or 125 after errors on stderr. */
int remove_in_user_namespace(int plan_fd);
