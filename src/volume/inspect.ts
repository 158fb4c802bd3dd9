// docker's JSON of a volume. (pure)

import { dataDir, type Volume } from './records.ts';

export interface VolumeInspect {
  CreatedAt: string;
  Driver: 'local';
  Labels: Readonly<Record<string, string>> | null;
  Mountpoint: string;
  Name: string;
  Options: Readonly<Record<string, string>> | null;
  Scope: 'local';
}

export function inspectVolume(volume: Volume): VolumeInspect {
  const { createdAt, labels, name, options } = volume;
  return {
    CreatedAt: createdAt,
    Driver: 'local',
    Labels: Object.keys(labels).length === 0 ? null : labels,
    Mountpoint: dataDir(volume),
    Name: name,
    Options: Object.keys(options).length === 0 ? null : options,
    Scope: 'local',
  };
}
