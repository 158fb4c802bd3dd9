// Records of a plan as bytes: docs/dev/native-protocol.md, "The plan". What is in them, encode-plan.ts knows.

import { encodeBytes } from '../core/bytes.ts';
import { EngineError } from '../core/errors.ts';

const MAGIC = 'SKIFPLN1';
/** Tag of the record that ends a plan. */
const END = 0;

/** Appends to one growing buffer; a record's length is filled in when the record is complete. */
export class Writer {
  #buffer = Buffer.alloc(8192);
  #length = 0;

  constructor() {
    this.#bytes(Buffer.from(MAGIC));
    this.u32(0); // total length: see finish()
  }

  record(tag: number, body: () => void): void {
    this.u32(tag);
    const at = this.#length;
    this.u32(0);
    body();
    this.#buffer.writeUInt32LE(this.#length - at - 4, at);
  }

  finish(): Buffer {
    this.record(END, () => {});
    this.#buffer.writeUInt32LE(this.#length, MAGIC.length);
    return this.#buffer.subarray(0, this.#length);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#buffer.writeUInt32LE(value >>> 0, this.#length);
    this.#length += 4;
  }

  u64(value: bigint): void {
    this.#reserve(8);
    this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
    this.#length += 8;
  }

  flag(value: boolean): void {
    this.u32(value ? 1 : 0);
  }

  choice<T extends string>(all: readonly T[], value: T): void {
    const index = all.indexOf(value);
    if (index < 0)
      throw new TypeError(`encoding a plan: ${JSON.stringify(value)} is none of ${all.join(', ')}`);
    this.u32(index);
  }

  list<T>(items: readonly T[], one: (item: T) => void): void {
    this.u32(items.length);
    for (const item of items) one(item);
  }

  blob(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.#bytes(bytes);
  }

  str(text: string): void {
    if (text.includes('\0')) {
      throw new EngineError('IO', `starting the container: ${JSON.stringify(text)} contains a NUL character`);
    }
    this.blob(encodeBytes(text));
    this.#reserve(1);
    this.#buffer[this.#length++] = 0;
  }

  #bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const grown = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + size));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
