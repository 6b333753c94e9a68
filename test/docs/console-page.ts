/** One command of a page with what it prints there. */
export interface PageCommand {
  readonly kind: 'command';
  readonly line: number;
  /** Without the `$ `; more than one line where a line ends with a backslash. */
  readonly text: string;
  /** Lines; `…` stands for any text, a line of it alone for any lines. Empty: nothing is compared. */
  readonly output: readonly string[];
  readonly exitCode: number;
}

/** A file that the page tells to write. */
export interface PageFile {
  readonly kind: 'file';
  readonly line: number;
  readonly path: string;
  readonly text: string;
}

export type PagePart = PageCommand | PageFile;

const FENCE = /^(`{3,})([a-z]*)(?: title=(\S+))?$/;
const EXIT = /^<!-- exit (\d+) -->$/;
const NOT_RUN = /^<!-- not run: .+ -->$/;

/**
 * The files and commands of a page, in order. A fenced block with `title=PATH` is a file. Every `console` block is run: lines that start
 * with `$ ` are commands, which go on behind a backslash at their end; what follows is their output. `<!-- exit N -->` before a block gives the exit code of its last command;
 * `<!-- not run: REASON -->` leaves the block out.
 */
export function readPage(markdown: string): PagePart[] {
  const lines = markdown.split('\n');
  const parts: PagePart[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, ticks = '', language, path] = FENCE.exec(lines[at] ?? '') ?? [];
    if (ticks === '') continue;
    const end = lines.indexOf(ticks, at + 1);
    if (end === -1) throw new Error(`line ${at + 1}: this block is never closed`);
    const body = lines.slice(at + 1, end);
    const note = lines[at - 1] ?? '';
    if (path !== undefined) parts.push({ kind: 'file', line: at + 1, path, text: `${body.join('\n')}\n` });
    else if (language === 'console' && !NOT_RUN.test(note)) parts.push(...readCommands(body, at + 2, Number(EXIT.exec(note)?.[1] ?? 0)));
    at = end;
  }
  return parts;
}

function readCommands(body: readonly string[], firstLine: number, exitCode: number): PageCommand[] {
  const starts = body.flatMap((line, index) => (line.startsWith('$ ') ? [index] : []));
  return starts.map((start, index) => {
    const lines = body.slice(start, starts[index + 1] ?? body.length);
    const words = lines.findIndex((line) => !line.endsWith('\\')) + 1;
    return {
      kind: 'command',
      line: firstLine + start,
      text: lines.slice(0, words).join('\n').slice(2),
      output: lines.slice(words),
      exitCode: index === starts.length - 1 ? exitCode : 0,
    };
  });
}

/** What differs from run to run, the same in every text: times, durations, digests, commits, random ids, ids of events and of runs on this machine. */
export function steady(text: string): string {
  return text
    .replaceAll(/\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?Z)?/g, '2000-01-01')
    .replaceAll(/\b(?:in \d+[smhd]|\d+[smhd] ago)\b/g, 'now')
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID')
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, '00:00:00')
    .replaceAll(/\b\d+(?:\.\d+)?(?:ms|s)\b/g, '0.0s')
    .replaceAll(/sha256:[0-9a-f]{8,64}/g, 'sha256:0')
    .replaceAll(/\b(?:[0-9a-f]{40}|[0-9a-f]{12}|[0-9a-f]{7})\b/g, 'COMMIT')
    .replaceAll(/\be\d+\b/g, 'EVENT')
    .replaceAll(/\bm[a-z0-9]{11}\b/g, 'RUN')
    .replaceAll(/ +/g, ' ')
    .trimEnd();
}

/** Whether the printed lines are those of the page. */
export function matchesOutput(expected: readonly string[], printed: readonly string[]): boolean {
  const pattern = expected
    .map((line) => (line.trim() === '…' ? '(?:.*\\n)*?' : `${steady(line).split('…').map(escaped).join('.*')}\\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(printed.map((line) => `${steady(line)}\n`).join(''));
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
