import type { BuildIo } from '../../model/ports/container-engine.ts';
import { type BuilderResult, outcomeOfFailure } from './build-result.ts';
import type { BuildMessage } from './json-lines.ts';
import { LogTail } from './log-tail.ts';

const TAIL_BYTES = 8 * 1024;
const TAIL_LINES = 20;

/** `Step 2/5 : RUN make` of Docker, `STEP 2/5: RUN make` of Podman. */
const STEP = /^step (\d+)\/(\d+) ?: (.*)$/is;
const CACHED = /^ ?-+> Using cache/;
const IMAGE_ID = /^[0-9a-f]{64}$/;
/** The builders' own remarks between the steps, matched whole: a command may print something alike. */
const REMARKS: readonly RegExp[] = [
  /^ ---> (?:[0-9a-f]{12}|Using cache|Running in [0-9a-f]{12})$/,
  /^--> (?:Using cache )?[0-9a-f]{11,64}$/,
  /^Removing intermediate container [0-9a-f]{12}$/,
  /^Successfully (?:built [0-9a-f]{12}|tagged \S+)$/,
  /^COMMIT(?: \S+)?$/,
  IMAGE_ID,
];
const RED = '\u001b[91m';
const COLOUR_END = '\u001b[0m';

/** Turns the classic builder's stream of text into progress and output. */
export class ClassicProgress {
  readonly #io: BuildIo;
  #step: { readonly vertex: string; readonly name: string; readonly startedAt: number; cached: boolean } | undefined;
  #tail = new LogTail(TAIL_BYTES);
  #imageId = '';
  #report: string | undefined;

  constructor(io: BuildIo) {
    this.#io = io;
  }

  async handle(message: BuildMessage): Promise<void> {
    this.#report ??= message.errorDetail?.message ?? message.error;
    if (message.aux !== undefined) this.#imageId = (message.aux as { readonly ID?: string } | null)?.ID ?? this.#imageId;
    if (message.status !== undefined) this.#transfer(message);
    if (message.stream !== undefined) await this.#line(message.stream);
  }

  result(): BuilderResult {
    if (this.#report !== undefined) {
      if (this.#step === undefined) return { ok: false, message: this.#report };
      this.#io.onProgress({ vertex: this.#step.vertex, name: this.#step.name, state: 'failed', error: this.#report });
      return outcomeOfFailure(this.#report, { name: this.#step.name, error: this.#report, lastLines: this.#tail.lines(TAIL_LINES) });
    }
    this.#finishStep();
    const id = this.#imageId;
    return { ok: true, imageId: IMAGE_ID.test(id) ? `sha256:${id}` : id };
  }

  async #line(text: string): Promise<void> {
    const step = STEP.exec(text.trimEnd());
    if (step !== null) {
      this.#finishStep();
      const name = `[${step[1]}/${step[2]}] ${step[3]}`;
      this.#step = { vertex: `step-${step[1]}`, name, startedAt: performance.now(), cached: false };
      this.#tail = new LogTail(TAIL_BYTES);
      this.#io.onProgress({ vertex: this.#step.vertex, name, state: 'started' });
      return;
    }
    if (CACHED.test(text) && this.#step !== undefined) this.#step.cached = true;
    const line = text.replace(/\r?\n$/, '');
    if (IMAGE_ID.test(line)) this.#imageId = line;
    if (line === '' || REMARKS.some((remark) => remark.test(line))) return;
    // Standard error comes coloured red and is not marked otherwise.
    const isError = text.startsWith(RED);
    const plain = isError ? text.slice(RED.length).replace(COLOUR_END, '') : text;
    const chunk = Buffer.from(plain, 'utf8');
    this.#tail.add(chunk);
    await this.#io.onOutput(isError ? 'stderr' : 'stdout', chunk);
  }

  #transfer(message: BuildMessage): void {
    const { current, total } = message.progressDetail ?? {};
    this.#io.onProgress({
      vertex: message.id ?? this.#step?.vertex ?? 'pull',
      name: message.status ?? '',
      state: 'running',
      ...(current === undefined ? {} : { current }),
      ...(total === undefined ? {} : { total }),
    });
  }

  #finishStep(): void {
    if (this.#step === undefined) return;
    const { vertex, name, startedAt, cached } = this.#step;
    this.#io.onProgress({ vertex, name, state: cached ? 'cached' : 'done', durationMs: performance.now() - startedAt });
    this.#step = undefined;
  }
}
