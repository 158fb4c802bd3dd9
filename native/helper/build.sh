#!/bin/sh
# Builds the native helper:  build.sh OUT [extra compiler flags]
#   static, with musl when musl-tools is there (about 60 KB), else with the C library of the compiler.
#   SAN=1   address and undefined-behaviour sanitizers, dynamic, with the plan dumper: for tests alone
#   CC      compiler driver for C++ sources without the C++ library: gcc (default) or clang
# Generated sources (seccomp-default.inc) are taken from $GEN, by default build/gen of the project.
set -eu
out=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
gen=${GEN:-$here/../../build/gen}
cc=${CC:-gcc}
machine=$(gcc -dumpmachine 2>/dev/null || "$cc" -dumpmachine)
specs=/usr/lib/$(echo "$machine" | sed s/-gnu/-musl/)/musl-gcc.specs

set -- "$@" -std=c++17 -Wall -Wextra -Werror -fno-exceptions -fno-rtti -fno-threadsafe-statics -I"$here/.." -I"$gen"
if [ "${SAN:-0}" = 1 ]; then
  set -- "$@" -O1 -g -DSKIFF_TEST_BUILD -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
  set -- "$@" -Os -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -static -Wl,--gc-sections -s
  if [ "$(basename "$cc")" = gcc ] && [ -f "$specs" ]; then
    # The kernel's own headers are not among musl's.
    set -- "$@" -specs="$specs" -idirafter /usr/include -idirafter "/usr/include/$machine"
  fi
fi
mkdir -p "$(dirname "$out")"
"$cc" -o "$out.$$" "$here"/*.cc "$@" && mv "$out.$$" "$out"
