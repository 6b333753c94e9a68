import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import type { PageCommand, PageFile } from './console-page.ts';

export interface PagePlace {
  readonly cwd: string;
  readonly home: string;
  /** Folder with the program. */
  readonly bin: string;
  /** `HOST:PORT` of the registry that the pages call `localhost:5000`. */
  readonly registry: string;
}

const SERVE = /^(?:SLIPWAY_[A-Z_]+=\S+ )*task serve\b/;

export interface Finished {
  readonly code: number | null;
  readonly printed: string;
}

/**
 * Does what a page says, in order, as a person at one terminal would: variables that a command exports stay. `task serve`, which may have
 * settings before it (`SLIPWAY_LOG_LEVEL=debug task serve`), goes on beside what comes after it, with a data directory and a port of its own.
 */
export class PageShell implements AsyncDisposable {
  readonly #place: PagePlace;
  #daemon: TestDaemon | undefined;

  constructor(place: PagePlace) {
    this.#place = place;
    for (const path of [place.cwd, place.home, this.#git]) mkdirSync(path);
    writeFileSync(this.#exports, '');
  }

  /** What the pages call `/srv/git`. */
  get #git(): string {
    return join(this.#place.home, 'git');
  }

  get #exports(): string {
    return join(this.#place.home, '.exports');
  }

  /** The page's names of what comes from elsewhere, as those of the test. */
  localised(text: string): string {
    const daemon = this.#daemon;
    const here = text
      .replaceAll('localhost:5000', this.#place.registry)
      .replaceAll('/srv/git', this.#git)
      .replaceAll(/busybox:(stable|1\.\d+)/g, 'busybox:local');
    if (daemon === undefined) return here;
    return here.replaceAll('127.0.0.1:7300', new URL(daemon.url).host).replaceAll('/var/lib/slipway', daemon.data);
  }

  write({ path, text }: PageFile): void {
    const file = join(this.#place.cwd, this.localised(path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, this.localised(text));
  }

  async run({ text }: PageCommand): Promise<Finished> {
    if (SERVE.test(text) && !text.includes('--check')) return this.#serve(text);
    return this.#command(this.localised(text));
  }

  async #serve(text: string): Promise<Finished> {
    if (this.#daemon !== undefined) throw new Error('bug: the daemon of this page runs already');
    const [settings = '', args = ''] = this.localised(text).split('task serve');
    const env = Object.fromEntries(words(settings).map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
    // For busybox, which readers have from a registry.
    this.#daemon = await startDaemon({
      args: words(args),
      isFoundByEnvironment: true,
      env: { SLIPWAY_UNTRUSTED_LOCAL_IMAGES: 'busybox:local', ...env },
    });
    return { code: 0, printed: this.#daemon.stdout };
  }

  #command(text: string): Promise<Finished> {
    const { cwd, home, bin } = this.#place;
    const script = `exec 2>&1\n. '${this.#exports}'\ntrap 'export -p > "${this.#exports}"' EXIT\n${text}`;
    const child = spawn('/bin/sh', ['-c', script], {
      cwd,
      env: {
        ...{ PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: home },
        ...(this.#daemon === undefined ? {} : { SLIPWAY_DATA: this.#daemon.data }),
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, printed }));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]();
  }
}

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}
