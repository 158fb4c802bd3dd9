#!/usr/bin/env bash
# Prepares a machine for the integration tests; a second call changes nothing.
#
#   test/setup/setup.sh            as root: install missing packages, make the test users, open /dev/net/tun
#                                  else: say what is missing; the tests that need it are skipped with the reason
#   test/setup/setup.sh teardown   as root: remove the users and folders made here (packages stay)
#
# Users: skiff-test is an ordinary user with subuid/subgid ranges, skiff-nosub one without. Neither can log in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
users=(skiff-test skiff-nosub)
work_root=/var/tmp/skiff-it # SKIFF_IT in test/helpers/world.ts

say() { echo "setup: $*" >&2; }

missing_packages() {
  local name
  while read -r name _; do
    case $name in '' | '#'*) continue ;; esac
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
  done <"$here/packages.txt"
}

install_packages() {
  local missing available=() unknown=() name
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} = 0 ]; then return; fi
  if [ "$(id -u)" != 0 ]; then
    say "missing packages (tests that need them are skipped): ${missing[*]}"
    return
  fi
  say "installing ${missing[*]}"
  apt-get update -qq || say 'apt-get update failed, trying with the lists at hand'
  for name in "${missing[@]}"; do
    if apt-cache show "$name" >/dev/null 2>&1; then available+=("$name"); else unknown+=("$name"); fi
  done
  if [ ${#unknown[@]} != 0 ]; then say "this distribution has no package ${unknown[*]}"; fi
  # Services of these packages must not start: tests run their own, on their own ports.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    # shellcheck disable=SC2064
    trap "rm -f $policy" EXIT
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${available[@]}" >/dev/null
}

make_users() {
  local user
  for user in "${users[@]}"; do
    getent passwd "$user" >/dev/null && continue
    say "making the user $user"
    useradd --user-group --no-create-home --home-dir /nonexistent --shell /bin/sh --comment 'skiff tests' "$user"
  done
  if ! grep -q '^skiff-test:' /etc/subuid || ! grep -q '^skiff-test:' /etc/subgid; then
    local start
    start=$(awk -F: '{ end = $2 + $3; if (end > max) max = end } END { print max < 100000 ? 100000 : max }' /etc/subuid /etc/subgid)
    usermod --add-subuids "$start-$((start + 65535))" --add-subgids "$start-$((start + 65535))" skiff-test
  fi
  sed -i '/^skiff-nosub:/d' /etc/subuid /etc/subgid
}

open_tun() {
  [ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200 2>/dev/null; } || true
  if [ -c /dev/net/tun ]; then chmod 0666 /dev/net/tun; else say 'no /dev/net/tun: tests of the default network are skipped'; fi
}

teardown() {
  local user
  for user in "${users[@]}"; do
    getent passwd "$user" >/dev/null || continue
    say "removing the user $user"
    userdel "$user"
  done
  rm -rf "$work_root"
}

case ${1:-} in
teardown)
  [ "$(id -u)" = 0 ] || { say 'teardown needs root'; exit 1; }
  teardown
  ;;
'')
  install_packages
  if [ "$(id -u)" = 0 ]; then
    make_users
    open_tun
  else
    say "not root: the tests run as $(id -un); tests that need a second user or mounts are skipped"
  fi
  ;;
*)
  sed -n '2,9s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
