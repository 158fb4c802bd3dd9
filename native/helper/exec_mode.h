// Mode `exec`: one more process in a container that runs.
#pragma once

/** Returns the exit status. */
int exec_in_container(int plan_fd);
