// skiff.conf (ini) merged with the environment. Every key is also a variable; the variable wins.

export interface Config {
  /** SKIFF_OFFLINE: open no socket to a registry. */
  offline: boolean;
  /** SKIFF_MIRRORS / [registry "docker.io"] mirrors = host[,host]: tried in order before the registry itself. */
  mirrors: Readonly<Record<string, readonly string[]>>;
  /** SKIFF_INSECURE_REGISTRIES / insecure = true: plain http or unverified TLS allowed. */
  insecureRegistries: readonly string[];
  /** SKIFF_NETWORK: default of --network. */
  network: string | undefined;
  /** SKIFF_PARALLEL_DOWNLOADS, 4 unless set. */
  parallelDownloads: number;
}
