import { describe, expect, it } from 'vitest';
import { parsePublish, publishExposed, type PortMapping } from '../../../src/network/publish.ts';
import { BAD, GOOD } from './publish.cases.ts';

const show = ({ hostIp, hostFirst, hostLast, containerPort, protocol }: PortMapping): string =>
  `${hostIp === '' ? '*' : hostIp}:${hostFirst}-${hostLast}>${containerPort}/${protocol}`;

describe('parsePublish', () => {
  it.each(GOOD)('$text', ({ text, mappings }) => {
    expect(parsePublish(text).map(show)).toEqual(mappings);
  });

  it.each(BAD)('refuses "$text"', ({ text, message }) => {
    expect(() => parsePublish(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: `-p ${JSON.stringify(text)}: ${message}` }),
    );
  });
});

describe('publishExposed', () => {
  it('takes what no -p publishes, and leaves sctp', () => {
    const published = parsePublish('8080:80');
    expect(publishExposed(['80/tcp', '80/udp', '443/tcp', '5/sctp'], published).map(show)).toEqual([
      '*:0-0>80/udp',
      '*:0-0>443/tcp',
    ]);
  });
});
