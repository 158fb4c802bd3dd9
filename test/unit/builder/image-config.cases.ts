// Dockerfile of one stage on an image → what its configuration is (Dockerfile reference), and the history's new lines in
// BuildKit's words.

import type { ImageConfigSection } from '../../../src/oci/image.ts';

export interface ConfigRow {
  lines: string;
  base?: ImageConfigSection;
  config: ImageConfigSection;
  history?: string[];
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const ROWS: ConfigRow[] = [
  { lines: '', config: { Env: [PATH] } },
  { lines: '', base: { Env: ['PATH=/x', 'A=1'] }, config: { Env: ['PATH=/x', 'A=1'] } },
  {
    lines: 'ENV A=2 B="x y"\nENV A=3',
    base: { Env: ['A=1', 'PATH=/x'] },
    config: { Env: ['A=3', 'PATH=/x', 'B=x y'] },
    history: ['ENV A=2 B=x y', 'ENV A=3'],
  },
  {
    lines: 'LABEL a=b c="d e"',
    base: { Labels: { z: '1', a: '0' } },
    config: { Labels: { z: '1', a: 'b', c: 'd e' } },
    history: ['LABEL a=b c=d e'],
  },
  {
    lines: 'EXPOSE 80 53/udp',
    base: { ExposedPorts: { '1/tcp': {} } },
    config: { ExposedPorts: { '1/tcp': {}, '80/tcp': {}, '53/udp': {} } },
    history: ['EXPOSE [53/udp 80/tcp]'],
  },
  { lines: 'VOLUME /a /b', config: { Volumes: { '/a': {}, '/b': {} } }, history: ['VOLUME [/a /b]'] },
  { lines: 'VOLUME ["/a"]', config: { Volumes: { '/a': {} } } },
  {
    lines: 'CMD echo hi',
    config: { Cmd: ['/bin/sh', '-c', 'echo hi'], ArgsEscaped: true },
    history: ['CMD ["/bin/sh" "-c" "echo hi"]'],
  },
  {
    lines: 'SHELL ["/bin/ash","-ec"]\nCMD x',
    config: { Shell: ['/bin/ash', '-ec'], Cmd: ['/bin/ash', '-ec', 'x'] },
    history: ['SHELL [/bin/ash -ec]', 'CMD ["/bin/ash" "-ec" "x"]'],
  },
  {
    lines: 'HEALTHCHECK --interval=5m --retries=300 CMD ["a", "\\"b\\""]',
    config: { Healthcheck: { Test: ['CMD', 'a', '"b"'], Interval: 300e9, Retries: 300 } },
    history: ['HEALTHCHECK &{["CMD" "a" "\\"b\\""] "5m0s" "0s" "0s" "0s" \'Ĭ\'}'],
  },
  { lines: 'ENTRYPOINT ["a"]', base: { Cmd: ['old'] }, config: { Entrypoint: ['a'], Cmd: null } },
  { lines: 'CMD ["b"]\nENTRYPOINT ["a"]', base: { Cmd: ['old'] }, config: { Entrypoint: ['a'], Cmd: ['b'] } },
  { lines: 'USER me:us', config: { User: 'me:us' }, history: ['USER me:us'] },
  { lines: 'STOPSIGNAL SIGINT', config: { StopSignal: 'SIGINT' } },
  {
    lines: 'WORKDIR a\nWORKDIR ../b/./c',
    base: { WorkingDir: '/x' },
    config: { WorkingDir: '/x/b/c' },
    history: ['WORKDIR /x/a', 'WORKDIR /x/b/c'],
  },
  { lines: 'WORKDIR /a/', config: { WorkingDir: '/a/' } },
  { lines: 'WORKDIR /..', config: { WorkingDir: '/' } },
  {
    lines: 'ONBUILD RUN x',
    base: { OnBuild: ['ENV FROM_BASE=1'] },
    config: { OnBuild: ['RUN x'], Env: [PATH, 'FROM_BASE=1'] },
    history: ['ENV FROM_BASE=1', 'ONBUILD RUN x'],
  },
  {
    lines: 'ARG A=1\nARG B\nRUN x',
    config: {},
    history: ['ARG A=1', 'ARG B', 'RUN |2 A=1 B= /bin/sh -c x # buildkit'],
  },
  { lines: 'RUN ["a","b c"]', config: {}, history: ['RUN a b c # buildkit'] },
  { lines: 'RUN <<E\none\ntwo\nE', config: {}, history: ['RUN /bin/sh -c one\ntwo\n # buildkit'] },
  { lines: 'RUN <<-E\n\tone\nE', config: {}, history: ['RUN /bin/sh -c one\n # buildkit'] },
  { lines: 'RUN cat <<E\none\nE', config: {}, history: ['RUN /bin/sh -c cat <<E\none\nE # buildkit'] },
  {
    lines: 'COPY --chown=1:2 --chmod=755 a b /c/',
    config: {},
    history: ['COPY --chmod=755 --chown=1:2 a b /c/ # buildkit'],
  },
  { lines: 'ADD <<E /c\nx\nE', config: {}, history: ['ADD <<E /c # buildkit'] },
];
