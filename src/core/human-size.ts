// Sizes as docker prints them (go-units), since scripts and eyes are used to that. (pure)

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** 1.23MB: decimal units, three significant digits. */
export function humanSize(bytes: number, digits = 3): string {
  return scaled(bytes, 1000, DECIMAL, digits);
}

/** 1.234MiB: binary units, four significant digits; docker uses it for memory. */
export function humanMemory(bytes: number, digits = 4): string {
  return scaled(bytes, 1024, BINARY, digits);
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  // Rounded before it is compared, so that 999,999 is 1MB and not 1000kB.
  while (Number(value.toPrecision(digits)) >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit] as string}`;
}
