// Is it an address? node:net would say so too, but loading it is felt in a warm start. (pure)

const V4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** 4, 6, or 0 for neither. A zone (`fe80::1%eth0`) is part of an IPv6 address. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (V4.test(text)) return 4;
  return isV6(text.replace(/%[^%\s]+$/, '')) ? 6 : 0;
}

function isV6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2 || !/^[0-9a-f:.]+$/i.test(text)) return false;
  let groups = 0;
  for (const [i, half] of halves.entries()) {
    if (half === '') continue;
    const words = half.split(':');
    for (const [j, word] of words.entries()) {
      const isLast = i === halves.length - 1 && j === words.length - 1;
      if (isLast && V4.test(word)) groups += 2;
      else if (/^[0-9a-f]{1,4}$/i.test(word)) groups++;
      else return false;
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8;
}
