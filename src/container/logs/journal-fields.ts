// What each entry of a container's log says about it in systemd's journal, with docker's names. (pure)

import { encodeBytes } from '../../core/bytes.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';

/** "NAME=value" and a newline each. Values are names of ours or checked to be one line. */
export function journalFields({
  id,
  name,
  image,
  host,
}: Pick<ContainerSpec, 'id' | 'name'> & {
  image: { name: string } | undefined;
  host: Pick<ContainerSpec['host'], 'logOptions'>;
}): Uint8Array {
  const shortId = id.slice(0, 12);
  const tag = host.logOptions.tag ?? shortId;
  const fields = {
    CONTAINER_ID: shortId,
    CONTAINER_ID_FULL: id,
    CONTAINER_NAME: name,
    CONTAINER_TAG: tag,
    SYSLOG_IDENTIFIER: tag,
    ...(image === undefined ? {} : { IMAGE_NAME: image.name }),
  };
  return encodeBytes(
    Object.entries(fields)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
}
