// What `skiff info` tells: the store, what is in it, and how containers of this caller are isolated. Keys that docker has
// too carry docker's names and meanings, since scripts read them; the rest is under Skiff.

import * as fs from 'node:fs';
import * as os from 'node:os';
import type { Config } from '../core/config.ts';
import type { Paths } from '../core/paths.ts';
import { VERSION } from '../core/version.ts';
import { chooseIdMap, type IdMapChoice } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import { listContainerUses } from '../store/containers.ts';
import { idOf, listImages } from '../store/images.ts';

export interface InfoParts {
  paths: Paths;
  config: () => Config;
  env: Readonly<Record<string, string | undefined>>;
  hostUid: number;
  hostGid: number;
}

export interface Info {
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  Driver: string;
  CgroupDriver: string;
  CgroupVersion: string;
  KernelVersion: string;
  OperatingSystem: string;
  OSType: string;
  Architecture: string;
  NCPU: number;
  MemTotal: number;
  Name: string;
  ServerVersion: string;
  DockerRootDir: string;
  /** As docker spells them: `name=seccomp,profile=builtin`, `name=rootless`. */
  SecurityOptions: string[];
  RegistryConfig: { Mirrors: Config['mirrors']; InsecureRegistries: readonly string[] };
  HttpProxy: string;
  HttpsProxy: string;
  NoProxy: string;
  Warnings: string[];
  Skiff: {
    GraphRoot: string;
    RunRoot: string;
    Isolation: Isolation;
    Offline: boolean;
    /** Program that connects containers to the network by default; '' when none is installed. */
    NetworkProgram: string;
  };
}

/** The rung of the ladder that a container without --userns gets. */
export interface Isolation {
  Mode: 'no user namespace' | 'id ranges' | 'single id';
  UidMap: string[];
  GidMap: string[];
}

/** Opens no socket and makes nothing. A store that does not exist yet is an empty one. */
export function readInfo(parts: InfoParts): Info {
  const { paths, env, hostUid } = parts;
  const containers = listContainerUses(paths);
  const running = containers.filter((container) => container.running).length;
  const { images, damaged } = listImages(paths);
  const choice = chooseIdMap(readIdMapInput(parts, undefined));
  const config = parts.config();
  const cgroup = cgroupVersion();
  const proxy = (name: string) => env[name] ?? env[name.toUpperCase()] ?? '';
  return {
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: 0,
    ContainersStopped: containers.length - running,
    Images: new Set(images.map(({ image }) => idOf(image))).size,
    Driver: 'overlay',
    CgroupDriver: cgroup === '2' && fs.existsSync('/run/systemd/system') ? 'systemd' : 'cgroupfs',
    CgroupVersion: cgroup,
    KernelVersion: os.release(),
    OperatingSystem: distribution(),
    OSType: 'linux',
    Architecture: os.machine(),
    NCPU: os.availableParallelism(),
    MemTotal: os.totalmem(),
    Name: os.hostname(),
    ServerVersion: VERSION,
    DockerRootDir: paths.graphRoot,
    SecurityOptions: [
      'name=seccomp,profile=builtin',
      ...(hostUid === 0 ? [] : ['name=rootless']),
      ...(fs.existsSync('/proc/self/ns/cgroup') ? ['name=cgroupns'] : []),
    ],
    RegistryConfig: { Mirrors: config.mirrors, InsecureRegistries: config.insecureRegistries },
    HttpProxy: withoutPassword(proxy('http_proxy')),
    HttpsProxy: withoutPassword(proxy('https_proxy')),
    NoProxy: proxy('no_proxy'),
    Warnings: [...choice.notes, ...damaged.map(({ error }) => error.message)],
    Skiff: {
      GraphRoot: paths.graphRoot,
      RunRoot: paths.runRoot,
      Isolation: isolationOf(choice),
      Offline: config.offline,
      NetworkProgram: ['pasta', 'slirp4netns'].find((program) => inPath(program, env['PATH'])) ?? '',
    },
  };
}

function isolationOf({ idMap }: IdMapChoice): Isolation {
  if (idMap === undefined) return { Mode: 'no user namespace', UidMap: [], GidMap: [] };
  const shown = (mappings: typeof idMap.uid) =>
    mappings.map(({ containerID, hostID, size }) => `${containerID}:${hostID}:${size}`);
  const ids = idMap.uid.reduce((sum, { size }) => sum + size, 0);
  return { Mode: ids > 1 ? 'id ranges' : 'single id', UidMap: shown(idMap.uid), GidMap: shown(idMap.gid) };
}

/** '2' where the unified hierarchy is mounted, '1' otherwise, '' without any. */
function cgroupVersion(): string {
  if (fs.existsSync('/sys/fs/cgroup/cgroup.controllers')) return '2';
  return fs.existsSync('/proc/self/cgroup') && fs.readFileSync('/proc/self/cgroup', 'utf8') !== '' ? '1' : '';
}

/** os-release(5) PRETTY_NAME. */
function distribution(): string {
  for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      const name = /^PRETTY_NAME=["']?(.*?)["']?$/m.exec(fs.readFileSync(file, 'utf8'))?.[1];
      if (name !== undefined) return name;
    } catch {
      // Not there: the next one, or nothing.
    }
  }
  return 'Linux';
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

function inPath(program: string, path = '/usr/bin:/bin'): boolean {
  return path.split(':').some((dir) => dir.startsWith('/') && fs.existsSync(`${dir}/${program}`));
}
