// SHA-256 (FIPS 180-4) of short texts, for the names of files. node:crypto takes 2.5 ms to load, more than everything
// else a warm `run` does in JavaScript; whatever is longer than a reference is hashed by node:crypto.

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes; of the square roots of the first 8. */
const [K, START] = constants();

/** 64 lower-case hex digits. Text as UTF-8. */
export function sha256OfText(text: string): string {
  const message = padded(Buffer.from(text, 'utf8'));
  const state = Int32Array.from(START);
  const words = new Int32Array(64);
  for (let block = 0; block < message.length; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = message.readInt32BE(block + 4 * i);
    compress(state, words);
  }
  const digest = Buffer.alloc(32);
  state.forEach((word, i) => digest.writeInt32BE(word, 4 * i));
  return digest.toString('hex');
}

/** A one bit, zeros, and the length in bits as 64 bits, to a multiple of 64 bytes. */
function padded(bytes: Buffer): Buffer {
  const message = Buffer.alloc(Math.ceil((bytes.length + 9) / 64) * 64);
  bytes.copy(message);
  message[bytes.length] = 0x80;
  message.writeUIntBE(bytes.length * 8, message.length - 6, 6);
  return message;
}

function compress(state: Int32Array, w: Int32Array): void {
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15] as number;
    const b = w[i - 2] as number;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = (w[i - 16] as number) + s0 + (w[i - 7] as number) + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let i = 0; i < 64; i++) {
    const t1 =
      h +
      (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
      ((e & f) ^ (~e & g)) +
      (K[i] as number) +
      (w[i] as number);
    const t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = (state[i] as number) + word));
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function constants(): [Int32Array, Int32Array] {
  const k = new Int32Array(64);
  const start = new Int32Array(8);
  let count = 0;
  for (let n = 2; count < 64; n++) {
    let prime = true;
    for (let i = 2; i * i <= n && prime; i++) prime = n % i !== 0;
    if (!prime) continue;
    if (count < 8) start[count] = (n ** (1 / 2) % 1) * 2 ** 32;
    k[count++] = (n ** (1 / 3) % 1) * 2 ** 32;
  }
  return [k, start];
}
