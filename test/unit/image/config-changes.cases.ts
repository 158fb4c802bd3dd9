// --change of commit and import: what is asked, on top of CONFIG, and what comes of it.

import type { ImageConfigSection } from '../../../src/oci/image.ts';

export const CONFIG: ImageConfigSection = {
  Env: ['PATH=/bin', 'A=old'],
  Cmd: ['serve'],
  Labels: { kept: '1' },
  ExposedPorts: { '80/tcp': {} },
  WorkingDir: '/srv',
};

export const GOOD: readonly [changes: string[], expected: ImageConfigSection][] = [
  [['CMD ["a", "b c"]'], { Cmd: ['a', 'b c'] }],
  [['cmd echo  hi'], { Cmd: ['/bin/sh', '-c', 'echo  hi'] }],
  [['CMD [not json'], { Cmd: ['/bin/sh', '-c', '[not json'] }],
  [['CMD=sh'], { Cmd: ['/bin/sh', '-c', 'sh'] }],
  [['ENTRYPOINT ["e"]'], { Entrypoint: ['e'], Cmd: null }],
  [['CMD ["c"]', 'ENTRYPOINT ["e"]'], { Entrypoint: ['e'], Cmd: ['c'] }],
  [['ENV A=new B="x y" C=\'$d\' D=e\\ f'], { Env: ['PATH=/bin', 'A=new', 'B=x y', 'C=$d', 'D=e f'] }],
  [['ENV A  the  rest'], { Env: ['PATH=/bin', 'A=the  rest'] }],
  [['ENV=A=podman'], { Env: ['PATH=/bin', 'A=podman'] }],
  [['LABEL a=1 "b c"=2', 'LABEL a=3'], { Labels: { kept: '1', a: '3', 'b c': '2' } }],
  [
    ['EXPOSE 443 53/udp 8000-8001/TCP'],
    { ExposedPorts: { '80/tcp': {}, '443/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {} } },
  ],
  [['VOLUME /a /b', 'VOLUME ["/c d"]'], { Volumes: { '/a': {}, '/b': {}, '/c d': {} } }],
  [['USER 1000:1000'], { User: '1000:1000' }],
  [['WORKDIR sub', 'WORKDIR er'], { WorkingDir: '/srv/sub/er' }],
  [['WORKDIR /abs'], { WorkingDir: '/abs' }],
  [['STOPSIGNAL SIGINT'], { StopSignal: 'SIGINT' }],
  [['ONBUILD RUN make'], { OnBuild: ['RUN make'] }],
  [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
  [
    ['HEALTHCHECK --interval=1m30s --timeout=1.5s --retries=3 CMD ["check", "-v"]'],
    { Healthcheck: { Test: ['CMD', 'check', '-v'], Interval: 90e9, Timeout: 1.5e9, Retries: 3 } },
  ],
  [['HEALTHCHECK CMD curl -f /'], { Healthcheck: { Test: ['CMD-SHELL', 'curl -f /'] } }],
  [
    ['HEALTHCHECK=cmd curl  -f / || exit 1'],
    { Healthcheck: { Test: ['CMD-SHELL', 'curl  -f / || exit 1'] } },
  ],
  [
    ['healthcheck --start-period=1m --start-interval=500ms --retries=0 --timeout=0 CMD x'],
    {
      Healthcheck: {
        Test: ['CMD-SHELL', 'x'],
        StartPeriod: 60e9,
        StartInterval: 5e8,
        Retries: 0,
        Timeout: 0,
      },
    },
  ],
  [['HEALTHCHECK CMD a', 'HEALTHCHECK none'], { Healthcheck: { Test: ['NONE'] } }],
];

export const BAD: readonly [change: string, message: RegExp][] = [
  ['FROM scratch', /FROM is not a valid change command/],
  ['RUN make', /RUN is not a valid change command/],
  ['CMD', /expected an instruction and its value/],
  ['', /expected an instruction/],
  ['ENV =x', /NAME=VALUE/],
  ['ENV A', /NAME=VALUE/],
  ['ENV A="x', /not closed/],
  ['EXPOSE 70000', /invalid containerPort: 70000/],
  ['EXPOSE 9-8', /invalid containerPort: 9-8/],
  ['EXPOSE http', /invalid containerPort: http/],
  ['HEALTHCHECK --interval=soon CMD x', /invalid duration "soon"/],
  ['HEALTHCHECK --often=1 CMD x', /no option of HEALTHCHECK/],
  ['HEALTHCHECK --constructor=1s CMD x', /no option of HEALTHCHECK/],
  ['HEALTHCHECK x', /expected HEALTHCHECK/],
  ['HEALTHCHECK NONE x', /NONE takes no arguments/],
  ['HEALTHCHECK --retries=3 NONE', /NONE takes no arguments/],
  ['HEALTHCHECK CMD', /Missing command after HEALTHCHECK CMD/],
  ['HEALTHCHECK CMD []', /Missing command after HEALTHCHECK CMD/],
  ['HEALTHCHECK --timeout=5us CMD x', /--timeout cannot be less than 1ms/],
  ['HEALTHCHECK --timeout=-5s CMD x', /--timeout cannot be less than 1ms/],
  ['HEALTHCHECK --interval=5 CMD x', /missing unit in duration "5"/],
  ['HEALTHCHECK --retries=-1 CMD x', /--retries cannot be negative/],
  ['HEALTHCHECK --retries=x CMD x', /--retries=x: expected a whole number/],
  ['ONBUILD ONBUILD RUN x', /isn't allowed as an ONBUILD trigger/],
];
