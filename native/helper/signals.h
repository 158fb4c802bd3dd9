// Signals of the helper: all arrive as reads of one descriptor and go on to the container.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "common/unique_fd.h"

/** Default dispositions and an empty mask: what the caller, its runtime or we changed is undone for who is executed. */
void reset_signals();

/**
 * Undoes what a runtime did to dispositions before it executed us, blocks what the helper handles, and returns the
 * signalfd. Signals that the caller ignores (nohup) stay ignored where `keep_ignored`.
 */
UniqueFd take_over_signals(bool keep_ignored);

/**
 * Passes `sig` on to the container's first process. As pid 1 of a pid namespace that process never gets a signal it
 * has no handler for; when the signal would have ended any other process, it is killed instead, and the result is
 * true: the exit status to report is then 128 + sig.
 */
bool forward_signal(pid_t pid, int pidfd, int sig, bool is_pid_one);

/** SIGKILL for the container's first process, and so for its pid namespace. */
void kill_container(pid_t pid, int pidfd);
