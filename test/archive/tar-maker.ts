export interface TarEntry {
  readonly name: string;
  /** Type flag: `0` file, `1` hard link, `2` symbolic link, `5` directory, …; a file by default. */
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly linkname?: string;
  readonly mode?: number;
  /** Claimed size, when it should differ from the body's. */
  readonly size?: number;
}

/** A ustar archive byte by byte: writers refuse to make what the tests need. */
export function makeTar(entries: readonly TarEntry[], options: { readonly end?: boolean } = {}): Buffer {
  return Buffer.concat([...entries.map(entryBytes), options.end === false ? Buffer.alloc(0) : Buffer.alloc(1024)]);
}

/** The entry of an extended header, which replaces fields of the entry after it. */
export function paxEntry(records: Readonly<Record<string, string>>): TarEntry {
  return { name: 'pax', type: 'x', body: Object.entries(records).map(paxRecord).join('') };
}

function paxRecord([key, value]: readonly [string, string]): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function entryBytes(entry: TarEntry): Buffer {
  const body = Buffer.from(entry.body ?? '');
  const header = Buffer.alloc(512);
  header.write(entry.name, 0, 100, 'utf8');
  octal(header, 100, 8, entry.mode ?? 0o644);
  octal(header, 108, 8, 0);
  octal(header, 116, 8, 0);
  octal(header, 124, 12, entry.size ?? body.length);
  octal(header, 136, 12, 1_700_000_000);
  header.write(entry.type ?? '0', 156, 1, 'latin1');
  header.write(entry.linkname ?? '', 157, 100, 'utf8');
  header.write('ustar\0', 257, 'latin1');
  header.write('00', 263, 'latin1');
  header.fill(' ', 148, 156);
  octal(
    header,
    148,
    8,
    header.reduce((sum, byte) => sum + byte, 0),
  );
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

function octal(header: Buffer, offset: number, length: number, value: number): void {
  header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, length, 'latin1');
}
