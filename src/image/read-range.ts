// Reads of a file by offset.

import type { FileHandle } from 'node:fs/promises';
import { EngineError } from '../core/errors.ts';

/** At most `length` bytes from `offset` on, at least one. @throws IO at the end of the file */
export async function readRange(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  if (bytesRead === 0) throw new EngineError('IO', 'reading a blob: the file is shorter than it was');
  return buffer.subarray(0, bytesRead);
}
