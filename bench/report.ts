// The results of a bench run and the table a person reads.

export interface Measured {
  name: string;
  command: string;
  medianMs: number;
  minMs: number;
  maxMs: number;
  stddevMs: number;
  /** User and system time of all its processes, mean. */
  cpuMs: number;
  runs: number;
}

export interface ScenarioResult {
  name: string;
  commands: Measured[];
  /** Highest allowed ratio skiff : `against`, which is podman where nothing else is said. */
  limit?: number;
  against?: string;
}

/** While a foreground container waits. */
export interface WaitingMemory {
  /** Resident set of the process that waits for the container, KiB. */
  helperRssKiB: number;
  limitKiB: number;
  /** Other processes of ours; pasta is not counted. */
  others: string[];
}

export interface Report {
  machine: Record<string, string | number>;
  smoke: boolean;
  results: ScenarioResult[];
  memory?: WaitingMemory;
}

export function formatTable({ machine, results, memory, smoke }: Report): {
  text: string;
  overLimit: string[];
} {
  const overLimit: string[] = [];
  const rows: string[][] = [
    ['scenario', 'command', 'median ms', 'min', 'max', 'cpu ms', 'skiff ÷ this', 'by cpu', 'limit'],
  ];
  for (const { name, commands, limit, against = 'podman' } of results) {
    const skiff = commands.find((command) => command.name === 'skiff');
    for (const command of commands) {
      const ratio = (skiff?.medianMs ?? NaN) / command.medianMs;
      const isLimited = command.name === against && limit !== undefined;
      if (isLimited && !(ratio <= limit)) overLimit.push(name);
      rows.push([
        name,
        command.name,
        command.medianMs.toFixed(1),
        command.minMs.toFixed(1),
        command.maxMs.toFixed(1),
        command.cpuMs.toFixed(1),
        command.name === 'skiff' ? '' : ratio.toFixed(3),
        command.name === 'skiff' ? '' : ((skiff?.cpuMs ?? NaN) / command.cpuMs).toFixed(3),
        isLimited ? `${limit.toFixed(2)} ${ratio <= limit ? 'held' : 'MISSED'}` : '',
      ]);
    }
  }
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const about = Object.entries(machine).map(([key, value]) => `${key}: ${value}`);
  if (memory !== undefined) {
    const held = memory.helperRssKiB <= memory.limitKiB && memory.others.length === 0;
    if (!held) overLimit.push('memory');
    const others = memory.others.length === 0 ? 'no other process' : `also ${memory.others.join(', ')}`;
    lines.push(
      '',
      `waiting helper: ${memory.helperRssKiB} KiB resident of ${memory.limitKiB}, ${others}: ${held ? 'held' : 'MISSED'}`,
    );
  }
  const note = smoke ? ['(--smoke: too few runs and a small image, so no figure here means anything)'] : [];
  return { text: [about.join('; '), '', ...lines, ...note].join('\n'), overLimit };
}
