#!/bin/sh
# Fuzzes the helper's plan decoder with clang's libFuzzer, ASan and UBSan:  run.sh [SECONDS]  (30)
# Seeds are real plans, made by seeds.ts; what is found stays in build/fuzz/plan and is reported by its path.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../../..
work=$root/build/fuzz/plan
mkdir -p "$work/corpus"
node_modules=$root/node_modules/.bin
"$node_modules/bun" "$here/seeds.ts" "$work/corpus"
clang -x c++ -std=c++17 -g -O1 -fno-exceptions -fno-rtti -Wall -Wextra -Werror -I"$root/native" \
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Wl,--wrap=calloc \
  "$here/plan_fuzzer.cc" "$root/native/helper/plan.cc" "$root/native/helper/error.cc" "$root/native/helper/forever.cc" "$root/native/helper/sync.cc" -o "$work/plan_fuzzer"
cd "$work"
./plan_fuzzer -max_total_time="${1:-30}" -max_len=8192 -rss_limit_mb=512 -print_final_stats=1 corpus
