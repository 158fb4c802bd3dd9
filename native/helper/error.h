// Failures of a step, and how the user gets to see them.
#pragma once

#include "common/sync.h"
#include "text.h"

struct StepError {
  Step step = Step::kPlan;
  int err = 0;  // errno; 0 when `detail` says it all
  /** The object, e.g. a path; quoted in the message. */
  Text<1024> object;
  /** Says more than strerror(err): the kernel's own words, or the output of a program. */
  Text<1024> cause;

  StepError() = default;
  StepError& operator=(const StepError& other) {
    step = other.step;
    err = other.err;
    object.clear();
    object << other.object.c_str();
    cause.clear();
    cause << other.cause.c_str();
    return *this;
  }
};

/** Fills in `e` from errno and returns false, so that a step can `return fail(...)`. */
bool fail(StepError* e, Step step, const char* object);
/** The same with the cause in words; errno is kept for the exit status. */
bool fail_because(StepError* e, Step step, const char* object, const char* cause);

/** docker's contract: 127 not found, 126 cannot be invoked, 125 everything else. */
int exit_status_of(const StepError& e);
/** The message without "Error: " and without control characters. */
void describe_error(const StepError& e, TextView* out);
/** From now on print_error and print_note send messages to `sock` (-1: no longer). */
void redirect_messages(int sock);
/** One line on stderr and, where there is one, a second with the way out. */
void print_error(const StepError& e);
void print_note(const char* text);
const char* wording_of(Step step);
