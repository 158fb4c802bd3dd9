// The one command that installs what is missing, in the words of the host's distribution. (pure)

/** Our names for what skiff uses; the packages differ by distribution. */
export type Tool = 'pasta' | 'slirp4netns' | 'newuidmap' | 'fuse-overlayfs';

interface Manager {
  command: string;
  packages: Partial<Record<Tool, string>>;
}

const MANAGERS: Readonly<Record<string, Manager>> = {
  debian: { command: 'apt-get install -y', packages: { newuidmap: 'uidmap' } },
  fedora: { command: 'dnf install -y', packages: { newuidmap: 'shadow-utils' } },
  suse: { command: 'zypper install -y', packages: { newuidmap: 'shadow' } },
  arch: { command: 'pacman -S --noconfirm', packages: { newuidmap: 'shadow' } },
  alpine: { command: 'apk add', packages: { newuidmap: 'shadow-uidmap' } },
};

const FAMILY: Readonly<Record<string, string>> = {
  ubuntu: 'debian',
  rhel: 'fedora',
  centos: 'fedora',
  opensuse: 'suse',
  sles: 'suse',
};

/** osRelease: text of /etc/os-release (os-release(5)). asRoot: no sudo is needed. */
export function installCommand(tool: Tool, osRelease: string, asRoot = false): string {
  const ids = [...osRelease.matchAll(/^(?:ID|ID_LIKE)=["']?([^"'\n]*)/gm)].flatMap(([, value]) =>
    (value ?? '').split(' '),
  );
  const family = ids.map((id) => FAMILY[id] ?? id).find((id) => Object.hasOwn(MANAGERS, id)) ?? 'debian';
  const { command, packages } = MANAGERS[family] as Manager;
  return `${asRoot ? '' : 'sudo '}${command} ${packages[tool] ?? (tool === 'pasta' ? 'passt' : tool)}`;
}
