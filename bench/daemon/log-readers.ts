import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { CHUNK, FOLLOWERS, nowMs, RATE, SECONDS } from './flood.ts';

/** Follows one log over HTTP, so many times at once; keeps the time at which the last byte of each chunk came, for each follower. */
const [folder = '', url = '', token = '', run = ''] = process.argv.slice(2);
const total = Math.floor((RATE * SECONDS) / CHUNK);
const cameAt = new Float64Array(total * FOLLOWERS);
const agent = new Agent({ maxSockets: FOLLOWERS });
let following = 0;

async function follow(reader: number): Promise<void> {
  const place = `${url}/api/v1/runs/${run}/log?follow=true`;
  const headers = { authorization: `Bearer ${token}`, accept: 'text/plain' };
  await new Promise<void>((resolve, reject) => {
    const sent = request(place, { agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${place}: ${response.statusCode}`));
      response.once('data', () => {
        following += 1;
        if (following === FOLLOWERS) process.stdout.write('following\n');
      });
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        const now = nowMs();
        const first = Math.floor(bytes / CHUNK);
        bytes += part.length;
        for (let chunk = first; chunk < Math.floor(bytes / CHUNK); chunk += 1) cameAt[reader * total + chunk] = now;
      });
      response.on('end', () => (bytes === total * CHUNK ? resolve() : reject(new Error(`a follower got ${bytes} bytes`))));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

await Promise.all(Array.from({ length: FOLLOWERS }, (_, reader) => follow(reader)));
writeFileSync(join(folder, 'came'), cameAt);
const cpu = process.cpuUsage();
process.stdout.write(`${JSON.stringify({ cpuMs: (cpu.user + cpu.system) / 1000 })}\n`);
