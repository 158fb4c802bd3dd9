// What a build leaves to be looked at: build.json and a picture in the store, and a table for the page of a CI job.

import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync, chownSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { BuildReport } from '../../src/builder/report/record.ts';
import { ANY, sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { withTerminal } from '../helpers/terminal.ts';
import { world } from '../helpers/world.ts';
import { parseXml, textsOf } from '../helpers/xml.ts';

const { fixtures } = world();
const skiff = sandbox();
const build = ['build', '--network', 'none', '--progress', 'plain'];
const history = `${skiff.store}/build-cache/history`;

function context(name: string, dockerfile: string): string {
  const dir = skiff.makeDir(name);
  writeFileSync(`${dir}/Dockerfile`, dockerfile);
  writeFileSync(`${dir}/a.txt`, 'a');
  return dir;
}

function read(timeline: string): { report: BuildReport; texts: string } {
  const report = JSON.parse(
    readFileSync(timeline.replace(/timeline\.svg$/, 'build.json'), 'utf8'),
  ) as BuildReport;
  return { report, texts: textsOf(parseXml(readFileSync(timeline, 'utf8'))).join('\n') };
}

function timelineOf(stderr: string): string {
  return /^timeline: (\/.*\/timeline\.svg)$/m.exec(stderr)?.[1] ?? '';
}

const DOCKERFILE = 'FROM busybox AS one\nARG A=1\nCOPY a.txt /\nRUN echo "<b>&amp;" "$A" > /x\n';

test('what ran and what came from the cache, and why', async (cx) => {
  requires(cx, 'busybox-image');
  await skiff.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
  const dir = context('report', DOCKERFILE);
  const page = `${dir}/page.md`;
  writeFileSync(page, 'before');
  chmodSync(page, 0o666);
  await skiff.run([...build, '-t', 'report', dir], { stderr: ANY });
  const { stderr } = await skiff.run([...build, '-t', 'report', '--build-arg', 'A=2', dir], {
    stderr: ANY,
    env: { GITHUB_STEP_SUMMARY: page },
  });
  const { report, texts } = read(timelineOf(stderr));
  expect(report).toMatchObject({ version: 1, result: 'done', context: dir, tags: ['report:latest'] });
  const [image] = JSON.parse((await skiff.run(['image', 'inspect', 'report'], { stdout: ANY })).stdout) as [
    { Id: string; RootFS: { Layers: string[] } },
  ];
  expect(report.image?.id).toBe(image.Id);
  const steps = report.vertices.filter(({ cache }) => cache !== undefined);
  expect(steps).toMatchObject([
    { work: 'files', stage: 'one', cache: 'hit', bytes: 1, digest: image.RootFS.Layers.at(-2) },
    { work: 'run', cache: 'miss', reason: 'ARG A changed', digest: image.RootFS.Layers.at(-1) },
  ]);
  expect(report.vertices.map(({ work }) => work)).toEqual(
    expect.arrayContaining(['pull', 'context', 'base', 'export']),
  );
  for (const { startMs, endMs } of report.vertices) {
    expect(endMs).toBeGreaterThanOrEqual(startMs);
    expect(endMs).toBeLessThanOrEqual(report.durationMs);
  }
  expect(texts).toContain('<b>&amp;');
  expect(texts).toContain('not cached: ARG A changed');
  const summary = readFileSync(page, 'utf8');
  expect(summary).toMatch(/^before\n### ✅ Build of report:latest\n\ndone in .* 1 of 2 steps from the cache/);
  // A table is one only after an empty line and with as many cells in each row; no SVG or HTML is shown there.
  expect(summary).toMatch(
    /\n\n\| Stage \| Step \| Time \| Size \| Result \|\n\| --- \| --- \| ---: \| ---: \| --- \|\n/,
  );
  const rows = summary.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.length).toBeGreaterThan(4);
  for (const row of rows) expect(row.split('|')).toHaveLength(7);
  expect(summary).not.toMatch(/[<>]/);
  expect(summary).toMatch(/\n\nTimeline: .*timeline.svg\n\n$/);
  expect(summary).toMatch(/\| one \| &#91;one 3\/3&#93; RUN echo .* \| not cached: ARG A changed \|/);
});

test('a build that fails has a picture too', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = context('failing', 'FROM busybox\nRUN echo out; exit 3\n');
  const { stderr } = await skiff.run([...build, dir], { status: 1, stderr: ANY });
  const { report, texts } = read(timelineOf(stderr));
  expect(report).toMatchObject({ result: 'failed' });
  expect(report.error).toMatch(/exit code: 3$/);
  expect(report.vertices.at(-1)).toMatchObject({ work: 'run', state: 'failed', cache: 'miss' });
  expect(texts).toContain('exit code: 3');
});

test('what a secret holds is in none of it', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = context('secret', 'FROM busybox\nRUN --mount=type=secret,id=s cat /run/secrets/s; false\n');
  const { stderr } = await skiff.run([...build, '--secret', 'id=s,env=TOKEN', dir], {
    ...{ status: 1, stderr: ANY, env: { TOKEN: 'hunter2' } },
  });
  const { report, texts } = read(timelineOf(stderr));
  expect(JSON.stringify(report) + texts).not.toContain('hunter2');
});

test('-q says nothing of it, and what cannot be written fails nothing', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = `${skiff.dir}/report`;
  await skiff.run([...build, '-q', dir], { stdout: /^sha256:/ });
  await skiff.run([...build, '-q', dir], {
    stdout: /^sha256:/,
    stderr: /GITHUB_STEP_SUMMARY "\/nowhere\/page": ENOENT/,
    env: { GITHUB_STEP_SUMMARY: '/nowhere/page' },
  });
  chmodSync(history, 0o500);
  try {
    await skiff.run([...build, '-q', dir], {
      stdout: /^sha256:/,
      stderr: /keeping the picture of the build: writing ".*": permission denied/,
    });
  } finally {
    chmodSync(history, 0o700);
  }
});

test('the last thirty are kept, leftovers of killed builds are not, and builder prune takes them all', async (cx) => {
  requires(cx, 'busybox-image');
  const own = (path: string): void => {
    mkdirSync(path);
    if (process.getuid?.() === 0) chownSync(path, skiff.user.uid, skiff.user.gid);
  };
  for (let i = 0; i < 40; i++) own(`${history}/20200101T000000${String(100 + i)}Z-0000000a`);
  own(`${history}/.20200101T000000000Z-0000000b.4194305.0.tmp`);
  const before = readdirSync(history).filter((name) => !name.startsWith('2020') && !name.startsWith('.'));
  await skiff.run([...build, '-q', `${skiff.dir}/report`], { stdout: ANY });
  const after = readdirSync(history);
  expect(after).toHaveLength(30);
  expect(after).toEqual(expect.arrayContaining(before));
  expect(after.filter((name) => name.startsWith('.'))).toEqual([]);
  await skiff.run(['builder', 'prune', '-f', '--filter', 'until=24h'], { stdout: ANY, stderr: ANY });
  expect(readdirSync(history)).toHaveLength(before.length + 1);
  await skiff.run(['builder', 'prune', '-f'], { stdout: ANY, stderr: ANY });
  expect(readdirSync(history)).toEqual([]);
});

test('on a terminal the build is a picture that moves, and the cursor comes back', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = context(
    'live',
    'FROM busybox\nRUN for i in 1 2 3 4 5 6 7 8; do echo "line $i"; done; sleep 1\n',
  );
  const terminal = withTerminal(skiff, ['build', '--network', 'none', dir], {
    before: 'stty columns 60 rows 20;',
  });
  await terminal.waitFor(/ => \[2\/2\] RUN for i in 1 2 3.*… +0\.\ds/);
  await terminal.waitFor(/ => => # line 3.*\r\n => => # line 4/);
  const { status, output } = await terminal.end;
  expect(status).toBe(0);
  expect(output).toMatch(/\[\+\] Building \d\.\ds \((\d)\/\1\) FINISHED/);
  expect(output.indexOf('\u001b[?25l')).toBeLessThan(output.indexOf('[+]'));
  expect(output.lastIndexOf('\u001b[?25h')).toBeGreaterThan(output.lastIndexOf('[+]'));
  expect(output).toMatch(/timeline: \/.*timeline\.svg\r\n$/);
});

test('Ctrl-C brings the cursor back too', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = context('interrupted', 'FROM busybox\nRUN echo here; sleep 60\n');
  const terminal = withTerminal(skiff, ['build', '--network', 'none', dir], { env: { NO_COLOR: '1' } });
  await terminal.waitFor(/=> => # here/);
  terminal.type('\u0003');
  const { status, output } = await terminal.end;
  expect(status).toBe(130);
  expect(output).toMatch(/=> CANCELED \[2\/2\] RUN/);
  expect(output.lastIndexOf('\u001b[?25h')).toBeGreaterThan(output.lastIndexOf('[+]'));

  expect(output).not.toMatch(/\u001b\[3\dm/);
});

test('a terminal that can move no cursor gets plain lines, and so does a pipe', async (cx) => {
  requires(cx, 'busybox-image');
  const args = ['build', '--network', 'none', '--progress', 'tty', `${skiff.dir}/report`];
  const { output } = await withTerminal(skiff, args, { env: { TERM: 'dumb' } }).end;
  expect(output).toMatch(/^#\d+ \[one 2\/3\] COPY/m);
  const { stderr } = await skiff.run(args, { stderr: ANY });
  expect(stderr).toMatch(/^#\d+ \[one 2\/3\] COPY/m);
});

test('--verify-repro says what it proved, or names the step and the file', async (cx) => {
  requires(cx, 'busybox-image');
  const verify = [...build, '--verify-repro'];
  const same = context('same', 'FROM busybox AS one\nRUN echo a > /a\nFROM busybox\nCOPY --from=one /a /\n');
  const { stderr } = await skiff.run([...verify, '-t', 'same', same], { stderr: ANY });
  expect(stderr).toMatch(/^#100\d again: \[one 2\/2\] RUN echo a/m);
  const [image] = JSON.parse((await skiff.run(['image', 'inspect', 'same'], { stdout: ANY })).stdout) as [
    { Descriptor: { digest: string } },
  ];
  expect(stderr).toContain(
    `reproducible: running all 2 steps again gave the same image, ${image.Descriptor.digest}\n`,
  );
  // The step to blame is another than the one whose layer differs in the image; the first build is kept.
  const other = context(
    'other',
    'FROM busybox AS one\nRUN echo a > /a\nRUN cat /proc/sys/kernel/random/uuid > /b; echo > /c\nFROM busybox\nCOPY --from=one /b /\n',
  );
  const { stderr: blame } = await skiff.run([...verify, '-t', 'other', other], { status: 1, stderr: ANY });
  expect(blame).toMatch(
    /Error: verifying the build: Dockerfile:3: \[one 3\/3\] RUN cat .* is not reproducible: "b": content differs\n$/,
  );
  const { stdout: kept } = await skiff.run(['run', '--rm', '--network', 'none', 'other', 'cat', '/b'], {
    stdout: ANY,
  });
  // All files of that step are named at once.
  const several = context(
    'several',
    'FROM busybox\nRUN cp /proc/sys/kernel/random/uuid /a; cp /a /b; mkdir -p /var/log; cp /a /var/log/c; echo a step with a long name > /d\n',
  );
  const { stderr: list } = await skiff.run([...verify, several], { status: 1, stderr: ANY });
  const lines = list.trimEnd().split('\n').slice(-5);
  expect(lines.slice(0, 4)).toEqual([
    'What two runs of Dockerfile:2 left different:',
    '  "a": content differs',
    '  "b": content differs',
    '  "var/log/c": content differs (a log: remove it in the same RUN)',
  ]);
  expect(lines[4]).toMatch(/ RUN cp .{60,80}… is not reproducible: "a": content differs, and 2 more$/);
  // Nothing of the second build is in the cache.
  await skiff.run([...build, '-t', 'again', other], { stderr: /CACHED/ });
  await skiff.run(['run', '--rm', '--network', 'none', 'again', 'cat', '/b'], { stdout: kept });
  await skiff.run(['system', 'check'], { stdout: ANY, stderr: ANY });
});
