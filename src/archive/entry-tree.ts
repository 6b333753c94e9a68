import { EngineError } from '../model/engine-error.ts';
import type { ArchiveLimits } from './limits.ts';

type Entry = { readonly kind: 'directory' } | { readonly kind: 'file' } | { readonly kind: 'symlink'; readonly target: string };

const MOST_LINKS = 40;

/**
 * What an archive has unpacked so far. The target directory started empty and is written by nobody else, so this is the
 * file system, and a path can be checked without races: nothing is ever written through a link.
 */
export class EntryTree {
  readonly #entries = new Map<string, Entry>();
  /** Folded name → name, where the file system takes names that differ only in case for the same. */
  readonly #folded: Map<string, string> | undefined;
  readonly #limits: ArchiveLimits;

  constructor(limits: ArchiveLimits, ignoresCase: boolean) {
    this.#limits = limits;
    this.#folded = ignoresCase ? new Map() : undefined;
  }

  /** The checked components of an entry's name; none for the root. Throws EngineError `context-rejected`. */
  components(name: string): readonly string[] {
    if (name.includes('\0')) throw rejected(name, 'its name contains a NUL character');
    if (name.startsWith('/')) throw rejected(name, 'its name is absolute');
    if (Buffer.byteLength(name) > this.#limits.maxNameBytes)
      throw rejected(name, `its name is longer than ${this.#limits.maxNameBytes} bytes`);
    const components = name.split('/').filter((component) => component !== '' && component !== '.');
    if (components.includes('..')) throw rejected(name, 'its name contains ".."');
    if (components.length > this.#limits.maxDepth) throw rejected(name, `it is more than ${this.#limits.maxDepth} directories deep`);
    if (components.some((component) => Buffer.byteLength(component) > 255))
      throw rejected(name, 'a part of its name is longer than 255 bytes');
    return components;
  }

  /** Directories that have to be made before an entry can be put at `components`, outermost first. */
  missingParents(components: readonly string[]): readonly string[] {
    const missing: string[] = [];
    for (let depth = 1; depth < components.length; depth += 1) {
      const path = components.slice(0, depth).join('/');
      const entry = this.#entries.get(path);
      if (entry === undefined) missing.push(path);
      else if (entry.kind !== 'directory')
        throw rejected(components.join('/'), `"${path}" above it is a ${entry.kind === 'symlink' ? 'symbolic link' : 'file'}`);
    }
    return missing;
  }

  kindOf(path: string): Entry['kind'] | undefined {
    return this.#entries.get(path)?.kind;
  }

  add(path: string, entry: Entry): void {
    const folded = path.normalize('NFC').toLowerCase();
    const twin = this.#folded?.get(folded) ?? path;
    if (twin !== path) throw rejected(path, `it differs from "${twin}" only in case, which this file system ignores`);
    this.#folded?.set(folded, path);
    this.#entries.set(path, entry);
  }

  /** Throws when a symbolic link leads out of the root, other links on its way included. Call when all entries are known. */
  checkLinks(): void {
    for (const [path, entry] of this.#entries) {
      if (entry.kind === 'symlink' && !this.#staysInside(path, entry.target))
        throw rejected(path, `it is a symbolic link that leads out of the archive (to "${entry.target}")`);
    }
  }

  #staysInside(path: string, target: string): boolean {
    if (target.startsWith('/')) return false;
    const resolved = path.split('/').slice(0, -1);
    const waiting = target.split('/');
    for (let links = 0; waiting.length > 0; ) {
      const component = waiting.shift() ?? '';
      if (component === '' || component === '.') continue;
      if (component === '..') {
        if (resolved.pop() === undefined) return false;
        continue;
      }
      const entry = this.#entries.get([...resolved, component].join('/'));
      if (entry?.kind !== 'symlink') {
        resolved.push(component);
        continue;
      }
      links += 1;
      // A loop leads nowhere; it is the reader's error, not a way out.
      if (links > MOST_LINKS) return true;
      if (entry.target.startsWith('/')) return false;
      waiting.unshift(...entry.target.split('/'));
    }
    return true;
  }
}

export function rejected(name: string, reason: string): EngineError {
  const shown = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
  return new EngineError('context-rejected', `the archive's entry ${shown} is not allowed: ${reason}`);
}
