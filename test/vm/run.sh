#!/usr/bin/env bash
# The copied binary alone on a stock Debian 13 (systemd, cgroup v2, its own kernel), as its ordinary user: pulls from a
# registry, runs, installs a package. Long form: needs scripts/vm make once.
#
#   test/vm/run.sh [BINARY]      default dist/skiff
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=${1:-dist/skiff}
vm=scripts/vm
failed=0
stderr=$(mktemp)

# Runs the script on stdin as root of the guest.
as_root() { $vm root "$(cat)"; }

# Reads the script of a check from stdin, runs it as `user` in the guest and compares status and stdout.
check() { # NAME STATUS STDOUT-PATTERN
  local name=$1 status=$2 pattern=$3 seen output
  output=$($vm sh "$(cat)" 2>"$stderr") && seen=0 || seen=$?
  if [ "$seen" = "$status" ] && [[ $output =~ $pattern ]]; then
    echo "ok      $name"
  else
    echo "FAILED  $name: status $seen, not $status, or stdout is not /$pattern/"
    printf "        stdout: %s\n" "$output"
    sed 's/^/        stderr: /' "$stderr"
    failed=1
  fi
}

registry_data=$(find .cache/fixtures -maxdepth 2 -path '*/registry-*/data' -print -quit 2>/dev/null) || true
[ -n "$registry_data" ] || { echo 'vm test: no registry fixture yet: run the integration tests once' >&2; exit 1; }
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
config=$(mktemp)
echo "{\"version\": 0.1, \"log\": {\"level\": \"error\"}, \"storage\": {\"filesystem\": {\"rootdirectory\": \"$PWD/$registry_data\"}}, \"http\": {\"addr\": \"127.0.0.1:$port\"}}" >"$config"
docker-registry serve "$config" >/dev/null 2>&1 &
registry=$!
trap 'kill "$registry" || true; rm -f "$config" "$stderr"; $vm stop' EXIT

$vm start
$vm forward "$port"
$vm put "$binary" /home/user/skiff
$vm sh 'chmod +x skiff'
image=127.0.0.1:$port

# shellcheck disable=SC2016 # expanded in the machine
check 'the machine is what it should be' 0 '^cgroup2fs user [0-9]' <<<'echo "$(stat -fc %T /sys/fs/cgroup) $(id -un) $(uname -r)"'
check 'version' 0 '^skiff version' <<<'./skiff --version'
check 'pull busybox' 0 '[0-9a-f]{64}' <<<"./skiff pull --quiet $image/busybox"
check 'run' 0 '^hello$' <<<"./skiff run --rm --network none $image/busybox echo hello"
check 'exit status' 42 '^$' <<<"./skiff run --rm --network none $image/busybox sh -c 'exit 42'"
check 'not found' 127 '^$' <<<"./skiff run --rm --network none $image/busybox /no/such"
check 'ids are mapped by newuidmap' 0 '65536' <<<"./skiff run --rm --network none $image/busybox cat /proc/self/uid_map"
check 'a pipe of 10 MB' 0 '^10000000$' <<<"head -c 10000000 /dev/zero | ./skiff run --rm -i --network none $image/busybox cat | wc -c"
check 'a terminal' 7 '/dev/pts/0' <<<"script -qec \"./skiff run --rm -it --network none $image/busybox sh -c 'tty; exit 7'\" /dev/null"
check 'SIGTERM' 143 '^ready$' <<<"timeout --foreground --preserve-status -s TERM 5 ./skiff run --rm --network none $image/busybox sh -c 'echo ready; sleep 1000'"
check 'default network' 0 '1' <<<"./skiff run --rm $image/busybox sh -c 'ip route | grep -c ^default'"
check 'pull Debian (zstd)' 0 '[0-9a-f]{64}' <<<"./skiff pull --quiet $image/debian:oci-zstd"
check 'Debian runs' 0 '^12\.' <<<"./skiff run --rm --network none $image/debian:oci-zstd cat /etc/debian_version"
check 'apt-get installs a package' 0 'Hello, world!$' <<<"./skiff run --rm $image/debian:oci-zstd sh -c 'apt-get -qq update && apt-get -qq install -y hello >/dev/null && hello'"
check 'container that stays: ps, logs, rm' 0 'kept.*said.*kept' <<<"./skiff run --name kept --network none $image/busybox echo said >/dev/null; echo \$(./skiff ps -a --format '{{.Names}}') \$(./skiff logs kept) \$(./skiff rm kept)"

# The journal, with the rights of an ordinary user: of the containers it keeps itself.
check 'journald: logs of both streams, with a long line and bytes that are no text' 0 '^same out err$' <<SCRIPT
  ./skiff run -d --name journal --log-driver journald --network none $image/busybox sh -c \
    'head -c 100000 /dev/zero | tr "\0" x; echo; printf "\377\001 bytes\n\nno end"; echo err >&2' >/dev/null
  ./skiff wait journal >/dev/null
  { head -c 100000 /dev/zero | tr '\0' x; printf '\n\377\001 bytes\n\nno end'; } >expected
  ./skiff logs journal 2>err | cmp - expected && echo -n 'same out ' && cat err
SCRIPT
check 'journald: --tail, --since, --until, --timestamps' 0 '^no end 0 0 100017 20..-..-..T..:..:..\.......000Z$' <<'SCRIPT'
  ./skiff logs --tail 2 journal 2>/dev/null
  echo '' $(./skiff logs --since 0s journal 2>&1 | wc -c) $(./skiff logs --until 24h journal 2>&1 | wc -c) \
    $(./skiff logs --since 1h --until 0s journal 2>/dev/null | wc -c) \
    $(./skiff logs --timestamps journal 2>/dev/null | head -1 | cut -d' ' -f1)
SCRIPT
check 'journald: fields' 0 '^journal yes hello journald$' <<SCRIPT
  ./skiff run --rm --log-driver journald --log-opt tag=hello --name fields --network none $image/busybox echo tagged >/dev/null
  echo \$(journalctl -q -o cat --output-fields=CONTAINER_NAME -n 1 CONTAINER_NAME=journal) \
    \$(journalctl -q -n 1 -o cat SYSLOG_IDENTIFIER=hello IMAGE_NAME=$image/busybox | sed s/tagged/yes/) \
    \$(journalctl -q -o cat --output-fields=CONTAINER_TAG -n 1 CONTAINER_NAME=fields) \
    \$(./skiff inspect -f '{{.HostConfig.LogConfig.Type}}' journal)
SCRIPT
check 'journald: logs -f to the end of the container, each line once' 0 '^same 1000$' <<SCRIPT
  ./skiff run -d --name follow --log-driver journald --network none $image/busybox sh -c 'sleep 1; seq 500; sleep 2; seq 501 1000; printf last' >/dev/null
  { seq 1000; printf last; } >expected
  timeout 60 ./skiff logs -f follow | cmp - expected && echo -n 'same '
  timeout 60 ./skiff logs -f --tail 2 follow | head -1
SCRIPT
check 'journald: logs -f --tail 0, with what is said just before the end' 0 '^bye$' <<SCRIPT
  ./skiff run -d --name bye --log-driver journald --network none $image/busybox sh -c 'echo old; sleep 4; echo bye' >/dev/null
  sleep 1; timeout 60 ./skiff logs -f --tail 0 bye
SCRIPT
check 'journald: a container that writes more than it takes' 0 '^[0-9a-f]{64}$' <<<"./skiff run -d --name stalled --log-driver journald --network none $image/busybox yes"
# shellcheck disable=SC2016 # expanded in the machine
stalled=$($vm root 'pkill -STOP -x systemd-journal; sleep 2
  setpriv --reuid user --regid user --init-groups env -i HOME=/home/user XDG_RUNTIME_DIR=/run/user/1000 PATH="$PATH" timeout 60 /home/user/skiff stop -t 1 stalled
  pkill -CONT -x systemd-journal') || true
check 'journald: a journal that stands still does not keep a container from its end' 0 '^stalled exited$' <<<"echo '$stalled' \$(./skiff inspect -f '{{.State.Status}}' stalled); ./skiff rm -f journal follow bye stalled >/dev/null"

# Limits: cgroup v2 by scopes of the user's own systemd. Each check is a login of its own.
check 'memory: killed at its limit, which is said and recorded' 0 '^Warning: the container was killed: out of memory at its limit of 64 MiB \(--memory\) 137 true$' \
  <<<"said=\$(./skiff run --name eater --network none -m 64m $image/busybox tail /dev/zero 2>&1) || status=\$?; echo \$said \$status \$(./skiff inspect --format '{{.State.OOMKilled}}' eater)"
check 'cpus and pids' 0 '^50000 100000 20$' <<<"echo \$(./skiff run --rm --network none --cpus 0.5 --pids-limit 20 $image/busybox cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/pids.max)"
check 'forks beyond the limit fail' 2 "can't fork" <<<"./skiff run --rm --network none --pids-limit 20 $image/busybox sh -c 'i=0; while [ \$i -lt 40 ]; do sleep 5 & i=\$((i+1)); done' 2>&1"
check 'a controller that is missing is named' 0 '^Warning: --cpuset-cpus: not honoured: the cgroup controller cpuset is not delegated' <<<"./skiff run --rm --network none --cpuset-cpus 0 $image/busybox true 2>&1"
check 'and is an error under --require-limits' 125 '^Error: --cpuset-cpus: cannot be honoured' <<<"./skiff run --rm --network none --cpuset-cpus 0 --require-limits $image/busybox true 2>&1"
check 'a detached container' 0 '^[0-9a-f]{64}$' <<<"./skiff run -d --name lives --network none -m 128m $image/busybox sleep 1000"
check 'outlives the login, with lingering, in a scope of its own' 0 '^lives 1$' <<<"echo \$(./skiff ps --format '{{.Names}}') \$(grep -c '/user@1000.service/app.slice/skiff-.*\.scope/container\$' /proc/\$(./skiff inspect --format '{{.State.Pid}}' lives)/cgroup)"
check 'exec joins its group' 0 '^2$' <<<"./skiff exec -d lives sleep 900 && sleep 1 && wc -l <\$(sed -n 's/^path=//p' .local/share/skiff/containers/*/cgroup)/cgroup.procs"
check 'a container that has passed its controllers on: exec and probes are where its init is' 0 '^0::/init 0::/init healthy nested$' <<SCRIPT
  ./skiff run -d --privileged --name nested --network none --pids-limit 50 --health-cmd 'grep -q ^0::/init /proc/self/cgroup' --health-interval 1s $image/busybox \
    sh -c 'cd /sys/fs/cgroup && mkdir init && echo 1 >init/cgroup.procs && echo +pids >cgroup.subtree_control && exec sleep 900' >/dev/null 2>&1
  ./skiff wait --condition healthy nested >/dev/null
  echo \$(./skiff exec nested cat /proc/self/cgroup 2>&1) \$(systemd-run --user --scope -q ./skiff exec nested cat /proc/self/cgroup 2>&1) \
    \$(./skiff inspect -f '{{.State.Health.Status}}' nested) \$(./skiff rm --force nested)
SCRIPT
check 'a killed monitor leaves nobody behind' 0 '^0 lives 134217728$' <<<"pkill -9 -u user skiff-monitor; sleep 1; echo \$(pgrep -cx sleep) \$(./skiff start lives) \$(./skiff exec lives cat /sys/fs/cgroup/memory.max)"
check 'rm removes the groups' 0 '^lives eater 0$' <<<"echo \$(./skiff rm --force lives eater) \$(sleep 1; find /sys/fs/cgroup -name 'skiff-*' | wc -l)"
# shellcheck disable=SC2016 # expanded in the machine
group='dir=$(sed -n s/^path=//p .local/share/skiff/containers/$(./skiff inspect -f "{{.Id}}" limited)/cgroup)'
check 'a container with a group' 0 '^[0-9a-f]{64}$' <<<"./skiff run -d --name limited -m 64m --network none $image/busybox sh -c 'i=0; while :; do i=\$((i+1)); echo \$i >/n; done'"
check 'stats' 0 '^limited [1-9][0-9]*\.[0-9][0-9]% [0-9.]+[KM]iB / 64MiB [0-9.]+% 1$' <<<"./skiff stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.PIDs}}' limited"
check 'update' 0 '^limited 100663296 17 50000 100000$' <<<"$group; echo \$(./skiff update -m 96m --pids-limit 17 --cpus 0.5 limited) \$(cat \$dir/memory.max \$dir/pids.max \$dir/cpu.max)"
check 'update: less memory than in use' 1 '^100663296$' <<<"$group; ./skiff exec limited dd if=/dev/zero of=/dev/shm/x bs=1M count=40 2>/dev/null; ./skiff update -m 20m limited; status=\$?; cat \$dir/memory.max; exit \$status"
check 'pause' 0 '^limited paused Up .* \(Paused\) frozen 1$' <<<"$group; echo \$(./skiff pause limited) \$(./skiff ps --format '{{.State}} {{.Status}}') \$(grep frozen \$dir/cgroup.events)"
check 'exec in a paused container' 1 '^$' <<<'./skiff exec limited true'
check 'unpause' 0 '^limited running frozen 0$' <<<"$group; echo \$(./skiff unpause limited) \$(./skiff inspect -f '{{.State.Status}}' limited) \$(grep frozen \$dir/cgroup.events)"
check 'commit pauses and lets go on' 0 '^sha256:[0-9a-f]{64}.running$' <<<"./skiff commit limited frozen; ./skiff inspect -f '{{.State.Status}}' limited"
check 'stop of a paused container' 0 '^limited limited exited 0$' <<<"$group; echo \$(./skiff pause limited) \$(./skiff stop -t 5 limited) \$(./skiff inspect -f '{{.State.Status}}' limited) \$(ls \$dir 2>/dev/null | wc -l)"
check 'rm' 0 '^limited$' <<<'./skiff rm limited; ./skiff rmi frozen >/dev/null'
# Without systemd, in a group of cgroup v2 that was given to the user: those in it move aside.
as_root <<'ROOT'
mkdir /sys/fs/cgroup/given
echo '+memory +pids +cpu' >/sys/fs/cgroup/cgroup.subtree_control
chown -R user /sys/fs/cgroup/given
cat >/root/given <<'GIVEN'
mount -t tmpfs none /run/systemd
echo $$ >/sys/fs/cgroup/given/cgroup.procs
cd /home/user
exec setpriv --reuid user --regid user --init-groups env -i HOME=/home/user PATH="$PATH" sh -c "$1"
GIVEN
ROOT
given=$($vm root "unshare --mount sh /root/given './skiff run --rm --network none -m 64m $image/busybox cat /sys/fs/cgroup/memory.max; cat /proc/self/cgroup'" 2>&1 | tr '\n' ' ') || true
check 'limits in a given group, without systemd' 0 '^67108864 0::/given/skiff-callers $' <<<"echo '$given'"
# Start at boot: the unit is read by the real systemd of the user.
check 'generate systemd: a unit starts the container' 0 '^active svc running$' <<SCRIPT
  ./skiff create --name svc --network none $image/busybox sh -c 'trap "exit 0" TERM; while :; do sleep 1; done' >/dev/null
  mkdir -p ~/.config/systemd/user && ./skiff generate systemd --name svc >~/.config/systemd/user/container-svc.service
  systemctl --user daemon-reload && systemctl --user enable --quiet --now container-svc
  for i in \$(seq 150); do ./skiff ps | grep -q svc && break; sleep 0.2; done
  echo \$(systemctl --user is-active container-svc) \$(./skiff ps --format '{{.Names}} {{.State}}')
SCRIPT
check 'systemd starts it again when it is killed' 0 '^NRestarts=1 svc running$' <<'SCRIPT'
  ./skiff kill svc >/dev/null
  for i in $(seq 150); do systemctl --user show -p NRestarts container-svc | grep -qx NRestarts=1 && ./skiff ps | grep -q svc && break; sleep 0.2; done
  echo $(systemctl --user show -p NRestarts container-svc) $(./skiff ps --format '{{.Names}} {{.State}}')
SCRIPT
check 'systemd stops it as skiff stop does' 0 '^success inactive exited$' <<'SCRIPT'
  systemctl --user stop container-svc
  echo $(systemctl --user show --value -p Result -p ActiveState container-svc) $(./skiff inspect -f '{{.State.Status}}' svc)
  systemctl --user disable --quiet container-svc && ./skiff rm svc >/dev/null
SCRIPT
check 'generate systemd --new: systemd passes every word as it is' 0 '^same active new running, then inactive$' <<SCRIPT
  words=('' 'a b' '%h%%' '\$\$ \${HOME} \$HOME' "it's" 'say "x"' 'back\\slash' ';' '#c' \$'two\\nlines\\ttab' 'grün' '-@:+!')
  mkdir -p 'out dir'
  ./skiff create --name new --network none -e 'A=\$HOME %h "q" \\n' -v './out dir:/out' $image/busybox \
    sh -c 'printf "<%s>" "\$A" "\$@" >/out/words; trap "exit 0" TERM; while :; do sleep 1; done' sh "\${words[@]}" >/dev/null
  ./skiff generate systemd --new --name new >~/.config/systemd/user/container-new.service && ./skiff rm new >/dev/null
  systemctl --user daemon-reload && systemctl --user start container-new
  for i in \$(seq 150); do [ -s 'out dir/words' ] && break; sleep 0.2; done
  printf '<%s>' '\$HOME %h "q" \\n' "\${words[@]}" | cmp - 'out dir/words' && echo -n 'same '
  echo -n \$(systemctl --user is-active container-new) \$(./skiff ps --format '{{.Names}} {{.State}}')
  systemctl --user stop container-new
  echo ", then \$(systemctl --user is-active container-new)\$(./skiff ps -aq)"
SCRIPT

# Logout: each check is a login of its own.
check 'run -d says nothing where the container stays' 0 '^$' <<<"./skiff run -d --name survivor --network none $image/busybox sleep 1000 2>&1 >/dev/null"
check 'a detached container survives logout' 0 '^survivor running$' <<<"sleep 12; ./skiff ps --format '{{.Names}} {{.State}}'; ./skiff rm --force survivor >/dev/null"
$vm root 'loginctl disable-linger user'
check 'where it would end with the login, one line says so' 0 '^1 1$' <<<"{ ./skiff run -d --name doomed --network none $image/busybox sleep 1000; ./skiff run -d --rm --network none $image/busybox true; } 2>lines >/dev/null; echo \$(wc -l <lines) \$(grep -c 'log out; .loginctl enable-linger' lines)"
# What logind does when the last login ends: the port forwarded by ssh is one that does not.
$vm root 'loginctl terminate-user user; sleep 5'
check 'and it does' 0 '^doomed exited$' <<<"./skiff ps -a --format '{{.Names}} {{.State}}'; ./skiff rm -f doomed >/dev/null"
$vm root 'loginctl enable-linger user'
check 'nothing is left running or mounted' 0 '^0 0$' <<<"sleep 1; echo \$(pgrep -cu user 'skiff|pasta') \$(grep -c skiff /proc/self/mountinfo)"
exit $failed
