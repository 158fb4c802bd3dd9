// docker's `Config` object where nothing is set: every field of the API reference with its zero value, since templates and
// scripts read fields without asking whether they are there. Images and containers share it. (constants)

/** API reference v1.47, ContainerConfig. */
export const ZERO_CONFIG: Readonly<Record<string, unknown>> = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  ExposedPorts: null,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: [],
  Cmd: null,
  Healthcheck: null,
  ArgsEscaped: false,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  NetworkDisabled: false,
  MacAddress: '',
  OnBuild: null,
  Labels: null,
  StopSignal: '',
  StopTimeout: null,
  Shell: null,
};

/** Data of the overlay2 driver. */
export const ZERO_OVERLAY: Readonly<Record<string, string>> = {
  LowerDir: '',
  MergedDir: '',
  UpperDir: '',
  WorkDir: '',
};
