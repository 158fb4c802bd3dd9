#!/bin/sh
# Fuzzes the Dockerfile front end:  run.sh [SECONDS] [SEED]  (30)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../../../node_modules/.bin/bun" "$here/fuzz.ts" "$@"
