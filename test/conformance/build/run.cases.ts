// RUN: its forms, what it sees, its mounts, and what is left of it.

import type { Row } from './row.ts';

const B = 'FROM busybox\n';

export const RUN_ROWS: Row[] = [
  { name: 'shell form', dockerfile: `${B}RUN echo a > /f`, files: 'f 644 0:0 /f = a\\n' },
  { name: 'exec form', dockerfile: `${B}RUN ["touch", "/a b"]`, files: 'f 644 0:0 /a b' },
  {
    name: 'exec form expands nothing',
    dockerfile: `${B}ENV A=1\nRUN ["touch", "/$A"]`,
    files: 'f 644 0:0 /$A',
  },
  {
    name: 'the shell expands',
    dockerfile: `${B}ENV A=1\nARG B=2\nRUN echo $A$B > /f`,
    files: 'f 644 0:0 /f = 12\\n',
  },
  {
    name: 'WORKDIR',
    dockerfile: `${B}WORKDIR /w\nRUN pwd > f`,
    files: 'd 755 0:0 /w\nf 644 0:0 /w/f = /w\\n',
  },
  {
    name: 'USER',
    dockerfile: `${B}USER app\nRUN id -u > /tmp/f; echo $HOME >> /tmp/f`,
    files: 'f 644 1000:1000 /tmp/f = 1000\\n/home/app\\n',
  },
  {
    name: 'USER by number, without a name',
    dockerfile: `${B}USER 77:78\nRUN id -u > /tmp/f; id -g >> /tmp/f`,
    files: 'f 644 77:78 /tmp/f = 77\\n78\\n',
  },
  {
    name: 'USER that is not there',
    dockerfile: `${B}USER nosuch\nRUN true`,
    fails: /Dockerfile:3[^]*nosuch/,
  },
  {
    name: 'SHELL',
    dockerfile: `${B}SHELL ["/bin/sh", "-e", "-c"]\nRUN echo $- > /f`,
    files: 'f 644 0:0 /f = ce\\n',
  },
  { name: 'a step that fails', dockerfile: `${B}RUN exit 3`, fails: /Dockerfile:2[^]*exit code: 3/ },
  {
    name: 'a program that is not there',
    dockerfile: `${B}RUN ["/no/such"]`,
    fails: /Dockerfile:2[^]*\/no\/such/,
  },
  { name: 'a shell that is not there', dockerfile: 'RUN true', fails: /Dockerfile:2[^]*\/bin\/sh/ },
  { name: 'nothing to run', dockerfile: `${B}RUN`, fails: /Dockerfile:2/ },
  { name: 'what it says is printed', dockerfile: `${B}RUN echo out; echo err >&2`, prints: /out\n[^]*err\n/ },
  { name: 'its stdin is empty', dockerfile: `${B}RUN cat > /f`, files: 'f 644 0:0 /f' },
  {
    name: 'a heredoc',
    dockerfile: `${B}RUN <<EOF\necho a > /f\necho $((1+1)) >> /f\nEOF`,
    files: 'f 644 0:0 /f = a\\n2\\n',
    podman: { lacks: 'heredocs' },
  },
  {
    name: 'a heredoc as stdin',
    dockerfile: `${B}RUN cat <<EOF > /f\nx\nEOF`,
    files: 'f 644 0:0 /f = x\\n',
    podman: { lacks: 'heredocs' },
  },
  {
    name: 'a heredoc with a program',
    dockerfile: `${B}RUN <<EOF\n#!/bin/cat\nx\nEOF`,
    prints: /#!\/bin\/cat/,
    podman: { lacks: 'heredocs' },
  },
  {
    name: 'two heredocs',
    dockerfile: `${B}RUN cat <<A > /a && cat <<B > /b\n1\nA\n2\nB`,
    files: 'f 644 0:0 /a = 1\\n\nf 644 0:0 /b = 2\\n',
    podman: { lacks: 'heredocs' },
  },
  {
    name: 'ten thousand lines',
    dockerfile: `${B}RUN <<EOF\n${': # line\n'.repeat(10_000)}echo ok > /f\nEOF`,
    files: 'f 644 0:0 /f = ok\\n',
    podman: { lacks: 'heredocs' },
  },
  { name: 'removed files', dockerfile: `${B}RUN rm /etc/group`, files: '- /etc/group' },
  { name: 'a removed directory', dockerfile: `${B}RUN rmdir /home/app`, files: '- /home/app' },
  {
    name: 'a directory made anew',
    dockerfile: `${B}RUN rm -r /var && mkdir /var && echo a > /var/a`,
    files: 'f 644 0:0 /var/a = a\\n\n- /var/log',
  },
  {
    name: 'chown and chmod',
    dockerfile: `${B}RUN touch /f && chown 5:6 /f && chmod 4750 /f`,
    files: 'f 4750 5:6 /f',
  },
  {
    name: 'a sticky directory and a fifo',
    dockerfile: `${B}RUN mkdir -m 1777 /t && mkfifo /p`,
    files: 'p 644 0:0 /p\nd 1777 0:0 /t',
  },
  {
    name: 'the mode of a directory that has mounts in it',
    dockerfile: `${B}RUN chmod 700 /etc`,
    files: 'd 700 0:0 /etc',
  },
  {
    name: 'the owner of a directory above a mount',
    dockerfile: `${B}RUN --mount=type=tmpfs,target=/var/log/deep chown 5 /var`,
    files: 'd 755 5:0 /var',
    podman: { differs: 'the target stays as a directory' },
  },
  { name: 'nothing changes', dockerfile: `${B}RUN true`, files: '' },
  {
    name: 'links',
    dockerfile: `${B}RUN echo a > /a; ln /a /b; ln -s a /c`,
    files: 'f 644 0:0 /a = a\\n\nh /b == /a\nl 777 0:0 /c -> a',
  },
  {
    name: 'nothing is left of /etc/hosts, /etc/resolv.conf, /dev and /proc',
    dockerfile: `FROM busybox AS b\nFROM scratch\nCOPY --from=b /bin/busybox /bin/busybox\nRUN ["/bin/busybox", "rm", "/bin/busybox"]`,
    files: 'd 755 0:0 /bin',
    podman: { lacks: 'a shell-less removal of its only program: the image stays in use' },
  },
  {
    name: 'a volume keeps what RUN makes there',
    dockerfile: `${B}RUN mkdir /v\nVOLUME /v\nRUN echo a > /v/a`,
    files: 'd 755 0:0 /v\nf 644 0:0 /v/a = a\\n',
    podman: { differs: 'it throws away what is made in a volume' },
  },
  {
    name: 'proxies are seen and left nowhere',
    dockerfile: `${B}RUN echo $HTTP_PROXY > /f`,
    flags: ['--build-arg', 'HTTP_PROXY=http://p'],
    files: 'f 644 0:0 /f = http://p\\n',
    history: ['RUN /bin/sh -c echo $HTTP_PROXY > /f # buildkit'],
  },
  {
    name: '--network none',
    dockerfile: `${B}RUN --network=none ip -o link | wc -l > /f`,
    files: 'f 644 0:0 /f = 1\\n',
    podman: { lacks: '--network of RUN' },
  },
  {
    name: '--network host without leave',
    dockerfile: `${B}RUN --network=host true`,
    fails: /Dockerfile:2[^]*network\.host/,
    podman: { lacks: '--network of RUN' },
  },
  {
    name: '--security insecure without leave',
    dockerfile: `${B}RUN --security=insecure true`,
    fails: /Dockerfile:2[^]*security\.insecure/,
    podman: { lacks: '--security' },
  },
  {
    name: '--network of another kind',
    dockerfile: `${B}RUN --network=nosuch true`,
    fails: /Dockerfile:2[^]*nosuch/,
    podman: { lacks: '--network of RUN' },
  },
  {
    name: 'a flag it does not know',
    dockerfile: `${B}RUN --nosuch true`,
    fails: /Dockerfile:2[^]*unknown flag: --?nosuch/,
  },
  {
    name: '--add-host',
    dockerfile: `${B}RUN grep -c a.test /etc/hosts > /f`,
    flags: ['--add-host', 'a.test:10.0.0.9'],
    files: 'f 644 0:0 /f = 1\\n',
  },
  {
    name: '--ulimit',
    dockerfile: `${B}RUN ulimit -n > /f`,
    flags: ['--ulimit', 'nofile=64:64'],
    files: 'f 644 0:0 /f = 64\\n',
  },
  {
    name: '--shm-size',
    dockerfile: `${B}RUN df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2 > /f`,
    flags: ['--shm-size', '1m'],
    files: 'f 644 0:0 /f = 1024\\n',
    podman: { lacks: 'a /dev/shm of its own, isolated as it is here' },
  },
  {
    name: 'many new layers below a step with much to hold',
    dockerfile: `${B}${'a b c d e f g h i j k l'
      .split(' ')
      .map((name) => `COPY x /many/${name}\n`)
      .join('')}RUN --mount=type=cache,target=/c,id=row-many ls /many | wc -l > /f`,
    context: { x: 'x' },
    flags: ['--no-cache'],
    files: `f 644 0:0 /f = 12\\n\nd 755 0:0 /many\n${'a b c d e f g h i j k l'
      .split(' ')
      .map((name) => `f 644 0:0 /many/${name} = x`)
      .join('\n')}`,
  },
  // Mounts
  {
    name: 'bind of the context',
    dockerfile: `${B}RUN --mount=target=/c cat /c/x > /f`,
    context: { x: 'x' },
    files: 'f 644 0:0 /f = x',
  },
  { name: 'bind is read-only', dockerfile: `${B}RUN --mount=type=bind,target=/c ! touch /c/y`, files: '' },
  {
    name: 'bind of a file',
    dockerfile: `${B}RUN --mount=type=bind,source=x,target=/y cat /y > /f`,
    context: { x: 'x' },
    files: 'f 644 0:0 /f = x',
  },
  {
    name: 'bind from a stage, with writes thrown away',
    dockerfile: `FROM scratch AS a\nCOPY x /d/x\n${B}RUN --mount=from=a,source=/d,target=/c,rw echo y > /c/x; cat /c/x > /f\nRUN --mount=from=a,source=/d,target=/c cat /c/x >> /f`,
    context: { x: 'x' },
    files: 'f 644 0:0 /f = y\\nx',
    podman: { differs: 'writes stay in the stage' },
  },
  {
    name: 'bind of something above the context',
    dockerfile: `${B}RUN --mount=source=../../etc,target=/c ls /c`,
    fails: /Dockerfile:2[^]*not found/,
  },
  {
    name: 'bind of something missing',
    dockerfile: `${B}RUN --mount=source=nosuch,target=/c ls /c`,
    fails: /Dockerfile:2[^]*not found/,
  },
  {
    name: 'bind relative to WORKDIR',
    dockerfile: `${B}WORKDIR /w\nRUN --mount=source=x,target=y cat /w/y > /f`,
    context: { x: 'x' },
    files: 'f 644 0:0 /f = x\nd 755 0:0 /w',
    podman: { differs: 'targets must be absolute' },
  },
  {
    name: 'tmpfs',
    dockerfile: `${B}RUN --mount=type=tmpfs,target=/t,size=1m touch /t/x && df -k /t | tail -1 | tr -s " " | cut -d" " -f2 > /f`,
    files: 'f 644 0:0 /f = 1024\\n',
    podman: { lacks: 'size= of tmpfs' },
  },
  {
    name: 'a target in another alphabet leaves nothing',
    dockerfile: `${B}RUN --mount=type=tmpfs,target=/ü/ü touch /ü/ü/x`,
    files: '',
    podman: { differs: 'it takes the bytes of names for characters' },
  },
  {
    name: 'cache, relative to WORKDIR',
    dockerfile: `${B}WORKDIR /w\nRUN --mount=type=cache,target=c,id=row-relative touch /w/c/x`,
    files: 'd 755 0:0 /w',
    podman: { differs: 'targets must be absolute' },
  },
  {
    name: 'cache',
    dockerfile: `${B}RUN --mount=type=cache,target=/c,id=row-cache echo a > /c/a\nRUN --mount=type=cache,target=/d,id=row-cache cat /d/a > /f`,
    files: 'f 644 0:0 /f = a\\n',
  },
  {
    name: 'cache with an owner and a mode',
    dockerfile: `${B}RUN --mount=type=cache,target=/c,id=row-owned,uid=5,gid=6,mode=0700 stat -c %a:%u:%g /c > /f`,
    files: 'f 644 0:0 /f = 700:5:6\\n',
  },
  {
    name: 'cache that begins with files of a stage',
    dockerfile: `FROM scratch AS a\nCOPY x /d/x\n${B}RUN --mount=type=cache,id=row-from,from=a,source=/d,target=/c cat /c/x > /f`,
    context: { x: 'x' },
    files: 'f 644 0:0 /f = x',
  },
  {
    name: 'cache, read-only',
    dockerfile: `${B}RUN --mount=type=cache,id=row-ro,target=/c,ro ! touch /c/x`,
    files: '',
  },
  {
    name: 'cache, sharing of no kind',
    dockerfile: `${B}RUN --mount=type=cache,target=/c,sharing=nosuch true`,
    fails: /Dockerfile:2[^]*nosuch/,
  },
  {
    name: 'secret',
    dockerfile: `${B}RUN --mount=type=secret,id=s wc -c < /run/secrets/s > /f`,
    context: { s: 'hunter2' },
    flags: ['--secret', 'id=s,src={dir}/ctx/s'],
    files: 'f 644 0:0 /f = 7\\n',
    podman: { differs: '/run stays' },
  },
  {
    name: 'secret, by another name',
    dockerfile: `${B}RUN --mount=type=secret,id=s,target=/x,mode=0444,uid=5 stat -c %a:%u /x > /f`,
    context: { s: 's' },
    flags: ['--secret', 'id=s,src={dir}/ctx/s'],
    files: 'f 644 0:0 /f = 444:5\\n',
  },
  {
    name: 'secret in the environment',
    dockerfile: `${B}RUN --mount=type=secret,id=s,env=S echo $S | wc -c > /f`,
    context: { s: 's' },
    flags: ['--secret', 'id=s,src={dir}/ctx/s'],
    files: 'f 644 0:0 /f = 2\\n',
    podman: { lacks: 'env= of secrets' },
  },
  {
    name: 'secret that is not given',
    dockerfile: `${B}RUN --mount=type=secret,id=none ls /run/secrets/none 2>/dev/null || echo none > /f`,
    files: 'f 644 0:0 /f = none\\n',
  },
  {
    name: 'secret that is required',
    dockerfile: `${B}RUN --mount=type=secret,id=none,required true`,
    fails: /Dockerfile:2[^]*secret none: not found/,
  },
  {
    name: 'ssh that is not given',
    dockerfile: `${B}RUN --mount=type=ssh,required true`,
    fails: /Dockerfile:2[^]*ssh/,
  },
  {
    name: 'a mount of another kind',
    dockerfile: `${B}RUN --mount=type=nosuch,target=/x true`,
    fails: /Dockerfile:2[^]*nosuch/,
  },
  {
    name: 'a mount without a target',
    dockerfile: `${B}RUN --mount=type=tmpfs true`,
    fails: /Dockerfile:2[^]*invalid mount target/,
  },
  {
    name: 'a mount with a key it does not know',
    dockerfile: `${B}RUN --mount=type=tmpfs,target=/t,nosuch=1 true`,
    fails: /Dockerfile:2[^]*nosuch/,
  },
  {
    name: 'a mount with a variable',
    dockerfile: `${B}ARG T=/c\nRUN --mount=target=$T cat /c/x > /f`,
    context: { x: 'x' },
    files: 'f 644 0:0 /f = x',
  },
  {
    name: 'a mount whose target is a link out of the root',
    dockerfile: `${B}RUN ln -s ../../../../../../../../out /l\nRUN --mount=type=tmpfs,target=/l/x touch /l/x/y`,
    files: 'l 777 0:0 /l -> ../../../../../../../../out',
    podman: { differs: 'it refuses a link on the way' },
  },
];
