// System errors as JavaScript exceptions shaped like Node's own: message, code ('ENOENT'), errno, syscall, path.
#pragma once

#include <napi.h>

#include <string>

namespace skiff {

// `err` is a positive errno. `path` may hold any bytes; in the message what is not UTF-8 is replaced.
Napi::Error SystemError(Napi::Env env, int err, const char* syscall, const std::string& path = "");

// Throws into JavaScript and returns undefined, so that callers can write `return ThrowErrno(...)`.
Napi::Value ThrowErrno(Napi::Env env, int err, const char* syscall, const std::string& path = "");

Napi::Value ThrowType(Napi::Env env, const std::string& message);

// 'ENOENT' for ENOENT; 'E123' for numbers without a name here.
std::string ErrnoName(int err);

}  // namespace skiff
