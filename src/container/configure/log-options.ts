// --log-opt: max-size and max-file of the json-file log, tag of journald. (pure)

import { EngineError } from '../../core/errors.ts';
import { parseSize } from '../../core/sizes.ts';
import type { HostSpec, LogOptions } from '../../runtime/spec.ts';

/** @throws USAGE in docker's words for what the driver does not know */
export function parseLogOptions(texts: readonly string[], driver: HostSpec['logDriver']): LogOptions {
  const options: LogOptions = { maxSizeBytes: 0, maxFiles: 1, typed: {} };
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = at < 0 ? text : text.slice(0, at);
    const value = at < 0 ? '' : text.slice(at + 1);
    if (driver === 'journald') {
      if (key !== 'tag')
        throw invalid(text, `unknown log opt '${key}' for journald log driver, expected tag=TEXT`);
      options.tag = tagOf(text, value);
      options.typed[key] = value;
      continue;
    }
    if (driver !== 'json-file') throw invalid(text, `the log driver ${driver} has no options`);
    options.typed[key] = value;
    if (key === 'max-size') options.maxSizeBytes = value === '-1' ? 0 : maxSize(text, value);
    else if (key === 'max-file') options.maxFiles = maxFile(text, value);
    else
      throw invalid(
        text,
        `unknown log opt '${key}' for json-file log driver, expected max-size=SIZE or max-file=N`,
      );
  }
  if (options.maxFiles > 1 && options.maxSizeBytes === 0)
    throw invalid(`max-file=${options.maxFiles}`, 'max-file needs max-size');
  return options;
}

function tagOf(text: string, value: string): string {
  if (value.includes('{{'))
    throw invalid(text, 'templates are not supported; journalctl finds the name as CONTAINER_NAME');
  if (value === '' || /[\0-\x1f\x7f]/.test(value)) throw invalid(text, 'expected a text on one line');
  return value;
}

function maxSize(text: string, value: string): number {
  const bytes = parseSize(value, '--log-opt max-size');
  if (bytes === 0) throw invalid(text, 'max-size must be a positive number');
  return bytes;
}

function maxFile(text: string, value: string): number {
  const count = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (count < 1) throw invalid(text, 'max-file cannot be less than 1, nor more than 9999');
  return count;
}

function invalid(text: string, why: string): EngineError {
  return new EngineError('USAGE', `--log-opt ${JSON.stringify(text)}: ${why}`);
}
