#!/usr/bin/env bash
# npm run bench [-- --smoke] [-- --only NAME,NAME]: compares skiff with podman, crun and bubblewrap in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
exec node_modules/.bin/bun bench/main.ts "$@"
