#include "errors.h"

#include <errno.h>
#include <string.h>

namespace skiff {

namespace {

struct Name {
  int number;
  const char* text;
};

// strerrorname_np() would do, but needs glibc 2.32.
constexpr Name kNames[] = {
    {E2BIG, "E2BIG"},     {EACCES, "EACCES"},       {EAGAIN, "EAGAIN"},
    {EBADF, "EBADF"},     {EBUSY, "EBUSY"},         {ECHILD, "ECHILD"},
    {EDQUOT, "EDQUOT"},   {EEXIST, "EEXIST"},       {EFAULT, "EFAULT"},
    {EFBIG, "EFBIG"},     {EINTR, "EINTR"},         {EINVAL, "EINVAL"},
    {EIO, "EIO"},         {EISDIR, "EISDIR"},       {ELOOP, "ELOOP"},
    {EMFILE, "EMFILE"},   {EMLINK, "EMLINK"},       {ENAMETOOLONG, "ENAMETOOLONG"},
    {ENFILE, "ENFILE"},   {ENODATA, "ENODATA"},     {ENODEV, "ENODEV"},
    {ENOENT, "ENOENT"},   {ENOEXEC, "ENOEXEC"},     {ENOLCK, "ENOLCK"},
    {ENOMEM, "ENOMEM"},   {ENOSPC, "ENOSPC"},       {ENOSYS, "ENOSYS"},
    {ENOTDIR, "ENOTDIR"}, {ENOTEMPTY, "ENOTEMPTY"}, {ENOTSUP, "ENOTSUP"},
    {ENOTTY, "ENOTTY"},   {ENXIO, "ENXIO"},         {EOVERFLOW, "EOVERFLOW"},
    {EPERM, "EPERM"},     {EPIPE, "EPIPE"},         {ERANGE, "ERANGE"},
    {EROFS, "EROFS"},     {ESPIPE, "ESPIPE"},       {ESRCH, "ESRCH"},
    {ESTALE, "ESTALE"},   {ETXTBSY, "ETXTBSY"},     {EXDEV, "EXDEV"},
};

}  // namespace

std::string ErrnoName(int err) {
  for (const Name& name : kNames) {
    if (name.number == err) return name.text;
  }
  return "E" + std::to_string(err);
}

Napi::Error SystemError(Napi::Env env, int err, const char* syscall, const std::string& path) {
  char buffer[128];
  const char* text = strerror_r(err, buffer, sizeof buffer);
  std::string message = ErrnoName(err) + ": " + text + ", " + syscall;
  if (!path.empty()) message += " '" + path + "'";
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, ErrnoName(err)));
  error.Set("errno", Napi::Number::New(env, -err));
  error.Set("syscall", Napi::String::New(env, syscall));
  if (!path.empty()) error.Set("path", Napi::String::New(env, path));
  return error;
}

Napi::Value ThrowErrno(Napi::Env env, int err, const char* syscall, const std::string& path) {
  SystemError(env, err, syscall, path).ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value ThrowType(Napi::Env env, const std::string& message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace skiff
