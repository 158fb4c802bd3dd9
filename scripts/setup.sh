# shellcheck shell=bash
# Sourced by bin/try and bin/test: from a fresh clone on a machine with Node and npm to something that can be built.
# What is there already is left alone, so that a second call takes a second.

skiff_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { echo "${0##*/}: $*" >&2; }
die() {
  say "$*"
  exit 1
}

# Runs a command as root: directly, or by sudo for an ordinary user.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

can_be_root() {
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

need_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then die 'needs Node 20 or later and npm'; fi
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || die "needs Node 20 or later, this is $(node --version)"
}

# need_packages WHAT-FOR PACKAGE…: installs Debian packages that are missing, after saying which.
need_packages() {
  local purpose=$1 name missing=()
  shift
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: for $purpose install what these Debian packages hold: $*"
    return
  fi
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  if [ ${#missing[@]} = 0 ]; then return; fi
  say "Debian packages missing for $purpose: ${missing[*]}"
  if ! can_be_root; then
    say "cannot install them (neither root nor sudo). Do: sudo apt-get install -y ${missing[*]}"
    return
  fi
  say "installing them with apt-get (this asks for a password where sudo does)"
  as_root apt-get update -qq || say 'apt-get update failed; trying with the lists at hand'
  local known=()
  for name in "${missing[@]}"; do
    if apt-cache show "$name" >/dev/null 2>&1; then known+=("$name"); else say "this release has no package $name"; fi
  done
  if [ ${#known[@]} = 0 ]; then return; fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${known[@]}" >/dev/null
}

# npm ci, unless node_modules is what package-lock.json of now and this Node made.
need_modules() {
  local stamp=$skiff_root/node_modules/.skiff-stamp now
  now=$(cd "$skiff_root" && cat package.json package-lock.json | sha256sum && node --version)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then return; fi
  say 'installing npm packages into node_modules (npm ci)'
  (cd "$skiff_root" && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error)
  echo "$now" >"$stamp"
}

# Everything that building takes.
prepare() {
  need_node
  need_packages 'building' g++ make python3 musl-tools
  need_packages 'rootless containers and their network' uidmap passt
  need_modules
}

build() {
  say 'building dist/skiff'
  (cd "$skiff_root" && node scripts/build.mjs)
}
