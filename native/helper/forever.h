// Memory that is never freed: the process is short-lived or holds it to its end.
#pragma once

#include <stddef.h>

/** Zeroed; null with errno when there is no memory. */
void* allocate_bytes_forever(size_t count, size_t size);

template <typename T>
inline T* allocate_forever(size_t count) {
  return static_cast<T*>(allocate_bytes_forever(count, sizeof(T)));
}
