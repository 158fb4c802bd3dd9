// A cursor over parsed JSON that knows its path, so that an error says where: `syscalls[3].args[0].op`.

type Problem = (path: string, problem: string) => Error;

export class ReaderAt {
  readonly value: unknown;
  readonly #path: string;
  readonly #problem: Problem;

  constructor(value: unknown, path: string, problem: Problem) {
    this.value = value;
    this.#path = path;
    this.#problem = problem;
  }

  error(problem: string): Error {
    return this.#problem(this.#path, problem);
  }

  /** A missing key is a cursor at `undefined`. Go's null means absent. */
  get(key: string): ReaderAt {
    const { value } = this;
    if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      if (value !== null) throw this.error('expected an object');
    }
    const path = this.#path === '' ? key : `${this.#path}.${key}`;
    const object = value as Record<string, unknown> | null | undefined;
    const child =
      object !== null && object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
    return new ReaderAt(child ?? undefined, path, this.#problem);
  }

  /** Absent: empty. */
  array<T>(each: (item: ReaderAt) => T): T[] {
    if (this.value === undefined) return [];
    if (!Array.isArray(this.value)) throw this.error('expected an array');
    return this.value.map((item, i) => each(new ReaderAt(item, `${this.#path}[${i}]`, this.#problem)));
  }

  string(absent?: string): string {
    if (this.value === undefined && absent !== undefined) return absent;
    if (typeof this.value !== 'string')
      throw this.error(this.value === undefined ? 'missing' : 'expected a string');
    return this.value;
  }

  oneOf<T extends string>(choices: readonly T[], kind: string): T {
    const text = this.string();
    if ((choices as readonly string[]).includes(text)) return text as T;
    throw this.error(`${JSON.stringify(text)} is not ${kind}: expected one of ${choices.join(', ')}`);
  }

  /** 0 … 2^64-1, from a number or a string of digits. */
  bigint(absent?: bigint): bigint {
    const { value } = this;
    if (value === undefined && absent !== undefined) return absent;
    const digits =
      typeof value === 'number' && Number.isSafeInteger(value)
        ? String(value)
        : typeof value === 'string'
          ? value
          : '';
    if (!/^\d{1,20}$/.test(digits) || BigInt(digits) > 0xffff_ffff_ffff_ffffn) {
      throw this.error(
        `${value === undefined ? 'nothing' : JSON.stringify(value)} is not a number from 0 to 2^64-1`,
      );
    }
    return BigInt(digits);
  }

  integer(least: bigint, most: bigint, absent?: bigint): number {
    const number = this.bigint(absent);
    if (number < least || number > most) throw this.error(`${number} is out of range: ${least} to ${most}`);
    return Number(number);
  }
}
