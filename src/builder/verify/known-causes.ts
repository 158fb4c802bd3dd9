// Files that differ at every build of most images, and what people do about them. (pure)

const CAUSES: readonly [path: RegExp, cause: string][] = [
  [/^var\/log\//, 'a log: remove it in the same RUN'],
  [/^var\/cache\/ldconfig\/aux-cache$/, 'names inodes: remove it in the same RUN, ldconfig can do without'],
  [/^var\/(cache\/apt|lib\/apt\/lists)\//, 'of the mirror of that moment: remove it in the same RUN'],
  [
    /^etc\/ssl\/(certs|private)\/ssl-cert-snakeoil\.|^etc\/ssh\/ssh_host_/,
    'a random key: remove it, and make one when the container starts',
  ],
  [/^(etc|var\/lib\/dbus)\/machine-id$/, 'random: leave it empty'],
  [/^etc\/g?shadow-?$/, 'days and salts of passwords: SOURCE_DATE_EPOCH makes the days the same'],
  [/\.pyc$/, 'holds the time of its source: set SOURCE_DATE_EPOCH in that RUN'],
];

/** Why the file at this path of a layer is another one at each build; undefined: that is not known. */
export function knownCause(path: string): string | undefined {
  return CAUSES.find(([pattern]) => pattern.test(path))?.[1];
}
