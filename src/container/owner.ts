import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Who made a thing, as its label says: enough to tell later, on the same machine, whether that process still lives.
 * A process number alone is reused; with its start time, the boot and the process namespace it is not.
 */
interface Owner {
  readonly host: string;
  readonly boot: string;
  readonly namespace: string;
  readonly pid: number;
  readonly started: string;
}

/** The label of this process. */
export function ownLabel(): string {
  return encode(describeProcess(process.pid));
}

/**
 * Whether the process of a label is surely gone. Labels of other machines, of other process namespaces and of unknown
 * shape say nothing, so their things are left alone.
 */
export function isOwnerGone(label: string): boolean {
  const owner = decode(label);
  const here = describeProcess(process.pid);
  if (owner === undefined || owner.host !== here.host) return false;
  if (owner.boot !== here.boot) return owner.boot !== '' && here.boot !== '';
  if (owner.namespace !== here.namespace) return false;
  if (!processExists(owner.pid)) return true;
  return owner.started !== '' && describeProcess(owner.pid).started !== owner.started;
}

function describeProcess(pid: number): Owner {
  return {
    host: hostname(),
    boot: tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: tryRead(() => readlinkSync('/proc/self/ns/pid')),
    pid,
    // Field 22, counted after the parenthesised command name, which may hold blanks and parentheses.
    started: tryRead(
      () =>
        readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')[19] ?? '',
    ),
  };
}

function tryRead(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function encode(owner: Owner): string {
  return [owner.host, owner.boot, owner.namespace, owner.pid, owner.started].join('/');
}

function decode(label: string): Owner | undefined {
  const [host, boot, namespace, pid, started, ...more] = label.split('/');
  if (host === undefined || boot === undefined || namespace === undefined || started === undefined || more.length > 0) return undefined;
  if (pid === undefined || !/^[1-9]\d{0,9}$/.test(pid)) return undefined;
  return { host, boot, namespace, pid: Number(pid), started };
}
