#pragma once

#include "error.h"

/**
 * Deletes a file or a whole tree. Never follows a symbolic link, never leaves the file system boundaries of what is
 * named by the tree's own entries, opens directories that are closed to their owner. A missing path is no error.
 */
bool remove_tree(const char* path, StepError* e);
