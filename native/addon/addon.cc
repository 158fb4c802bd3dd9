// The N-API addon: arguments are checked, one thing is done, errors become exceptions. No libuv, no threads, no fork:
// processes that need namespaces are made by the helper executable, which is embedded here (helper-image.h).

#include <napi.h>

#include "groups.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  skiff::InitFiles(env, exports);
  skiff::InitFolders(env, exports);
  skiff::InitProcess(env, exports);
  skiff::InitTree(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(skiff, Init)
