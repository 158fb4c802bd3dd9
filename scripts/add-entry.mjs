// Puts native/entry into an executable as its entry point: node scripts/add-entry.mjs ELF
// The code is appended to the file and mapped by the program header of the notes, which nobody needs at run time; the
// code jumps to the former entry point (elf(5), "Program header").

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'native/entry');
const PAGE = 0x10000; // the largest page size of the architectures we run on
const PT_LOAD = 1;
const PT_NOTE = 4;
const READ_EXECUTE = 5;
const PLACE_OF_DISTANCE = 0x0123456789abcdefn;

export function addEntry(path) {
  const elf = readFileSync(path);
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1)
    throw new Error(`${path}: not a 64-bit ELF`);
  const entry = elf.readBigUInt64LE(24);
  const headers = programHeaders(elf);
  const note = headers.find(({ type }) => type === PT_NOTE);
  if (note === undefined) throw new Error(`${path}: no program header to use`);
  const loads = headers.filter(({ type }) => type === PT_LOAD);
  const end = loads.reduce((max, { address, size }) => (address + size > max ? address + size : max), 0n);
  const address = alignUp(end, BigInt(PAGE)) + BigInt(PAGE);
  const offset = Number(alignUp(BigInt(elf.length), BigInt(PAGE)));

  const code = compile();
  const place = code.indexOf(bytesOf(PLACE_OF_DISTANCE));
  if (place === -1) throw new Error('native/entry has no place for the distance to the former entry point');
  code.writeBigInt64LE(entry - address, place);

  elf.writeUInt32LE(PT_LOAD, note.at);
  elf.writeUInt32LE(READ_EXECUTE, note.at + 4);
  elf.writeBigUInt64LE(BigInt(offset), note.at + 8);
  for (const field of [16, 24]) elf.writeBigUInt64LE(address, note.at + field);
  for (const field of [32, 40]) elf.writeBigUInt64LE(BigInt(code.length), note.at + field);
  elf.writeBigUInt64LE(BigInt(PAGE), note.at + 48);
  elf.writeBigUInt64LE(address, 24);
  writeFileSync(path, Buffer.concat([elf, Buffer.alloc(offset - elf.length), code]));
}

function programHeaders(elf) {
  const start = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  return Array.from({ length: elf.readUInt16LE(56) }, (_, i) => {
    const at = start + i * size;
    return {
      at,
      type: elf.readUInt32LE(at),
      address: elf.readBigUInt64LE(at + 16),
      size: elf.readBigUInt64LE(at + 40),
    };
  });
}

function compile() {
  const work = mkdtempSync(join(tmpdir(), 'skiff-entry-'));
  try {
    const flags = [
      '-c',
      '-Os',
      '-ffreestanding',
      '-fpie',
      '-fno-stack-protector',
      '-fno-asynchronous-unwind-tables',
    ];
    execFileSync('gcc', [
      ...flags,
      '-Wall',
      '-Wextra',
      '-Werror',
      join(SOURCE, 'entry.c'),
      '-o',
      join(work, 'entry.o'),
    ]);
    const link = ['-T', join(SOURCE, 'entry.ld'), '-e', 'entry', '--oformat=binary', join(work, 'entry.o')];
    execFileSync('ld', [...link, '-o', join(work, 'entry')], { stdio: ['ignore', 'inherit', 'pipe'] });
    return readFileSync(join(work, 'entry'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function bytesOf(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function alignUp(value, size) {
  return ((value + size - 1n) / size) * size;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) addEntry(process.argv[2]);
