import type { ContextEntry } from './context/context-entry.ts';

const BLOCK = 512;
const MAX_OCTAL_SIZE = 8 ** 11;

const TYPE_FLAGS: Readonly<Record<ContextEntry['kind'], string>> = {
  file: '0',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};

/**
 * The header blocks of one tar entry owned by root (POSIX ustar), with a pax record before it for what ustar cannot
 * hold: long or non-ASCII names and links, and sizes from 8 GiB.
 */
export function tarHeader(entry: ContextEntry): Buffer {
  const isLink = entry.kind === 'file' && entry.linkname !== undefined;
  const name = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const linkname = entry.linkname ?? '';
  const records: string[] = [];
  if (!fitsUstar(name)) records.push(paxRecord('path', name));
  if (!fitsUstar(linkname)) records.push(paxRecord('linkpath', linkname));
  if (entry.size >= MAX_OCTAL_SIZE) records.push(paxRecord('size', String(entry.size)));
  const header = ustarBlock({
    name,
    linkname,
    mode: entry.mode,
    size: entry.size,
    mtime: Number(entry.mtimeNs / 1_000_000_000n),
    flag: isLink ? '1' : TYPE_FLAGS[entry.kind],
    major: entry.deviceMajor ?? 0,
    minor: entry.deviceMinor ?? 0,
  });
  if (records.length === 0) return header;
  const content = Buffer.from(records.join(''), 'utf8');
  const pax = ustarBlock({ name: 'PaxHeader', linkname: '', mode: 0o644, size: content.length, mtime: 0, flag: 'x', major: 0, minor: 0 });
  return Buffer.concat([pax, content, tarPadding(content.length), header]);
}

/** The zero bytes after a content of this size. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two zero blocks end an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

interface UstarFields {
  readonly name: string;
  readonly linkname: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
  readonly flag: string;
  readonly major: number;
  readonly minor: number;
}

function ustarBlock(fields: UstarFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(fields.name, 0, 100, 'utf8');
  writeOctal(block, fields.mode, 100, 8);
  writeOctal(block, 0, 108, 8);
  writeOctal(block, 0, 116, 8);
  writeOctal(block, fields.size < MAX_OCTAL_SIZE ? fields.size : 0, 124, 12);
  writeOctal(block, Math.min(Math.max(0, fields.mtime), MAX_OCTAL_SIZE - 1), 136, 12);
  block.fill(' ', 148, 156);
  block.write(fields.flag, 156, 1, 'latin1');
  block.write(fields.linkname, 157, 100, 'utf8');
  block.write('ustar\u000000', 257, 8, 'latin1');
  writeOctal(block, fields.major, 329, 8);
  writeOctal(block, fields.minor, 337, 8);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

function writeOctal(block: Buffer, value: number, offset: number, width: number): void {
  block.write(value.toString(8).padStart(width - 1, '0'), offset, width - 1, 'latin1');
}

function fitsUstar(text: string): boolean {
  return text.length <= 100 && /^[\x20-\x7e]*$/.test(text);
}

/** `LENGTH key=value\n`, where LENGTH counts its own digits too. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
