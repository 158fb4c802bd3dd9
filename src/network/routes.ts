// /proc/net/route and /proc/net/ipv6_route. (pure)

const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

export interface Routes4 {
  defaultIface: string | undefined;
  /** [network, mask], host byte order. */
  others: [network: number, mask: number][];
}

/** Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses as little-endian hex. */
export function parseRoutes4(text: string): Routes4 {
  const routes: Routes4 = { defaultIface: undefined, others: [] };
  let metric = Infinity;
  for (const line of text.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    const [iface, destination, , flagText, , , metricText, mask] = columns;
    if (iface === undefined || destination === undefined || flagText === undefined || mask === undefined)
      continue;
    const flags = parseInt(flagText, 16);
    if ((flags & RTF_UP) === 0 || (flags & RTF_REJECT) !== 0) continue;
    if (mask === '00000000') {
      if (Number(metricText) < metric) [routes.defaultIface, metric] = [iface, Number(metricText)];
    } else {
      routes.others.push([littleEndian(destination), littleEndian(mask)]);
    }
  }
  return routes;
}

/** Whether there is an IPv6 default route. Columns: destination prefix source prefix gateway metric ref use flags iface. */
export function parseRoutes6(text: string): boolean {
  return text.split('\n').some((line) => {
    const columns = line.trim().split(/\s+/);
    const flags = parseInt(columns[8] ?? '0', 16);
    return (
      /^0{32}$/.test(columns[0] ?? '') &&
      columns[1] === '00' &&
      columns[9] !== 'lo' &&
      (flags & RTF_UP) !== 0 &&
      (flags & RTF_REJECT) === 0
    );
  });
}

function littleEndian(hex: string): number {
  const bytes = hex.match(/../g) ?? [];
  return parseInt(bytes.reverse().join(''), 16);
}
