// What is measured together: the same work by skiff and by its peers.

export interface Scenario {
  name: string;
  /** Highest allowed ratio to podman, or to the command that `against` names. */
  limit?: number;
  against?: string;
  runs: number;
  warmup: number;
  commands: { name: string; words: string[]; prepare?: string }[];
  /** Engines that keep so many containers meanwhile, the first of them under this name. */
  held?: { name: string; by: { words: string[]; count: number }[] };
}
