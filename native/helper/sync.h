// Sending and receiving the messages of common/sync.h.
#pragma once

#include "common/sync.h"
#include "common/unique_fd.h"
#include "error.h"

bool make_sync_pair(UniqueFd* helper_end, UniqueFd* init_end);
/** `fd` is sent along unless it is -1. */
bool send_sync(int sock, SyncType type, Step step, int err, const char* detail, int fd = -1);
/** The error and its cause travel as one packet: object, NUL, cause. */
bool send_error(int sock, const StepError& e);
void read_error(const SyncMessage& m, StepError* e);
/** 1: a message; 0: the other end is closed; -1: errno (EAGAIN when `nonblocking` and there is none). */
int receive_sync(int sock, SyncMessage* m, UniqueFd* fd, bool nonblocking = false);
