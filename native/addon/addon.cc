// The N-API addon: arguments are checked, one thing is done, errors become exceptions. No libuv, no fork, and no threads but
// those of the runtime's pool (tree-many.cc): processes that need namespaces are made by the helper executable, which is
// embedded here (helper-image.h).

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
