// Mode `run`: starts one container and stays with it until it ends.
#pragma once

/** `plan_fd` holds the plan. Returns the exit status of the helper: docker's contract. */
int run_container(int plan_fd);
