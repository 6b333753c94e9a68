import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CHUNK, FOLLOWERS, nowMs, RATE, SECONDS } from './flood.ts';

/**
 * Follows one log over HTTP, so many times at once; keeps the time at which the last byte of each chunk came, for each follower. It speaks
 * HTTP itself, into one buffer per connection: the readers have to share the machine with the daemon that is measured.
 */
const [folder = '', url = '', token = '', run = ''] = process.argv.slice(2);
const BUFFER_BYTES = 512 * 1024;
const total = Math.floor((RATE * SECONDS) / CHUNK);
const cameAt = new Float64Array(total * FOLLOWERS);
let following = 0;

function follow(reader: number): Promise<void> {
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const came = (more: number): void => {
      const now = nowMs();
      const first = Math.floor(bytes / CHUNK);
      if (bytes === 0) following += 1;
      if (bytes === 0 && following === FOLLOWERS) process.stdout.write('following\n');
      bytes += more;
      for (let chunk = first; chunk < Math.floor(bytes / CHUNK); chunk += 1) cameAt[reader * total + chunk] = now;
    };
    const answer = new ChunkedAnswer(came);
    const take = (count: number, buffer: Uint8Array): boolean => {
      answer.take(Buffer.from(buffer.buffer, buffer.byteOffset, count));
      return true;
    };
    const socket = connect({ host: hostname, port: Number(port), onread: { buffer: Buffer.alloc(BUFFER_BYTES), callback: take } });
    socket.on('error', reject);
    socket.on('close', () => (bytes === total * CHUNK ? resolve() : reject(new Error(`a follower got ${bytes} bytes: ${answer.head}`))));
    socket.write(
      `GET /api/v1/runs/${run}/log?follow=true HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
  });
}

/** Counts the bytes of an answer in chunked coding. */
class ChunkedAnswer {
  readonly #came: (bytes: number) => void;
  /** What has been read of the head; of the line with the length of the next part. */
  head = '';
  #line = '';
  #left = 0;

  constructor(came: (bytes: number) => void) {
    this.#came = came;
  }

  take(part: Buffer): void {
    for (let at = this.#skipHead(part); at < part.length; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, part.length - at);
        this.#left -= taken;
        at += taken;
        this.#came(taken);
        continue;
      }
      const newline = part.indexOf(10, at);
      const end = newline === -1 ? part.length : newline + 1;
      this.#line += part.toString('latin1', at, end);
      at = end;
      if (newline === -1) return;
      // The empty line is the end of the part before.
      if (this.#line !== '\r\n') this.#left = Number.parseInt(this.#line, 16);
      this.#line = '';
    }
  }

  #skipHead(part: Buffer): number {
    if (this.head.endsWith('\r\n\r\n')) return 0;
    const before = this.head.length;
    const text = this.head + part.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    this.head = end === -1 ? text : text.slice(0, end + 4);
    return this.head.length - before;
  }
}

await Promise.all(Array.from({ length: FOLLOWERS }, (_, reader) => follow(reader)));
writeFileSync(join(folder, 'came'), cameAt);
process.stdout.write('read\n');
