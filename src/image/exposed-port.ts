// `8080`, `53/udp`, `8000-8010/tcp` of EXPOSE → the keys of ExposedPorts. (pure)

const MAX_PORT = 65535;
const PORT = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(|tcp|udp|sctp))?$/i;
/** `[ip:]host:` ahead of it, which means nothing in an image, but docker still takes it. */
const HOST_PART = /^(?:\[[0-9a-fA-F:.]+\]:|\d{1,3}(?:\.\d{1,3}){3}:)?(?:\d{1,5}(?:-\d{1,5})?)?:/;

/** One `8080/tcp` a port; undefined: it is none. */
export function parseExposedPort(word: string): string[] | undefined {
  const match = PORT.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (match === null || first > last || last > MAX_PORT) return undefined;
  const protocol = (match[3] ?? '').toLowerCase();
  return Array.from(
    { length: last - first + 1 },
    (_, i) => `${first + i}/${protocol === '' ? 'tcp' : protocol}`,
  );
}

/** `127.0.0.1:80:8080/tcp` → `8080/tcp`. */
export function withoutHostPart(word: string): string {
  return word.replace(HOST_PART, '');
}
