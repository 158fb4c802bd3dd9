// Reads the arguments of one N-API call. The first argument of a wrong type is remembered; callers check `ok()` once
// after reading all of them and `return args.Raise()`.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "errors.h"

namespace skiff {

// Borrowed view of a Buffer or Uint8Array; valid during the call.
struct Bytes {
  const uint8_t* data = nullptr;
  size_t size = 0;
};

class Args {
 public:
  explicit Args(const Napi::CallbackInfo& info) : info_(info) {}

  bool ok() const { return bad_ < 0; }
  Napi::Env env() const { return info_.Env(); }

  Napi::Value Raise() const {
    return ThrowType(env(), "argument " + std::to_string(bad_) + " has the wrong type or range");
  }

  int64_t Int(size_t i) {
    if (!info_[i].IsNumber()) return Fail<int64_t>(i);
    return info_[i].As<Napi::Number>().Int64Value();
  }

  int Fd(size_t i) {
    const int64_t value = Int(i);
    if (value < 0 || value > INT32_MAX) return Fail<int>(i, -1);
    return static_cast<int>(value);
  }

  uint32_t U32(size_t i) {
    const int64_t value = Int(i);
    if (value < 0 || value > UINT32_MAX) return Fail<uint32_t>(i);
    return static_cast<uint32_t>(value);
  }

  bool Bool(size_t i) {
    if (!info_[i].IsBoolean()) return Fail<bool>(i);
    return info_[i].As<Napi::Boolean>().Value();
  }

  Bytes Data(size_t i) {
    if (!info_[i].IsTypedArray()) return Fail<Bytes>(i);
    const auto array = info_[i].As<Napi::TypedArray>();
    if (array.TypedArrayType() != napi_uint8_array) return Fail<Bytes>(i);
    const auto bytes = array.As<Napi::Uint8Array>();
    return {bytes.Data(), bytes.ByteLength()};
  }

  // Bytes that the kernel will read as a C string: no NUL inside.
  std::string Path(size_t i) {
    const Bytes bytes = Data(i);
    std::string text(reinterpret_cast<const char*>(bytes.data), bytes.size);
    if (text.find('\0') != std::string::npos) return Fail<std::string>(i);
    return text;
  }

  // A "byte string": each UTF-16 unit is one byte (latin1). Without NUL.
  std::string ByteString(size_t i) {
    std::string text;
    return ReadByteString(info_[i], &text) ? text : Fail<std::string>(i);
  }

  std::vector<std::string> ByteStrings(size_t i) {
    if (!info_[i].IsArray()) return Fail<std::vector<std::string>>(i);
    const auto list = info_[i].As<Napi::Array>();
    std::vector<std::string> texts(list.Length());
    for (uint32_t k = 0; k < texts.size(); k++) {
      const Napi::HandleScope scope(env());
      if (!ReadByteString(list.Get(k), &texts[k])) return Fail<std::vector<std::string>>(i);
    }
    return texts;
  }

  std::string Utf8(size_t i) {
    if (!info_[i].IsString()) return Fail<std::string>(i);
    return info_[i].As<Napi::String>().Utf8Value();
  }

 private:
  bool ReadByteString(const Napi::Value& value, std::string* text) const {
    if (!value.IsString()) return false;
    size_t length = 0;
    if (napi_get_value_string_latin1(env(), value, nullptr, 0, &length) != napi_ok) return false;
    text->resize(length);
    if (napi_get_value_string_latin1(env(), value, &(*text)[0], length + 1, &length) != napi_ok) return false;
    return text->find('\0') == std::string::npos;
  }

  template <typename T>
  T Fail(size_t i, T value = T()) {
    if (bad_ < 0) bad_ = static_cast<int>(i);
    return value;
  }

  const Napi::CallbackInfo& info_;
  int bad_ = -1;
};

}  // namespace skiff
