// The parts of the C++ library that would throw end the process instead: nothing here is built to be unwound, and the
// unwinder of a current compiler would ask for glibc 2.35 (_dl_find_object), which RHEL 9 does not have. These are the
// library's own hooks (bits/functexcept.h) and the replaceable allocation functions.

#include <stddef.h>
#include <stdlib.h>

#include <new>
#include <string>

namespace {

void* Allocate(size_t size) {
  void* memory = malloc(size != 0 ? size : 1);
  if (memory == nullptr) abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

namespace std {

void __throw_bad_alloc() { abort(); }
void __throw_bad_array_new_length() { abort(); }
void __throw_length_error(const char*) { abort(); }
void __throw_logic_error(const char*) { abort(); }
void __throw_out_of_range_fmt(const char*, ...) { abort(); }

// The library's own instantiation is compiled with exceptions.
template class basic_string<char>;

}  // namespace std
