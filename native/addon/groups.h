// Each group of functions puts itself on the module's exports. src/native/addon.ts documents every function.
#pragma once

#include <napi.h>

namespace skiff {

void InitFiles(Napi::Env env, Napi::Object exports);
void InitFolders(Napi::Env env, Napi::Object exports);
void InitProcess(Napi::Env env, Napi::Object exports);
void InitTree(Napi::Env env, Napi::Object exports);

}  // namespace skiff
