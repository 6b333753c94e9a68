/** One line of the engine's progress stream of a pull, a push or an import. */
export interface ProgressMessage {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string; readonly code?: number };
  readonly aux?: { readonly Tag?: string; readonly Digest?: string };
}

const LONGEST_LINE = 1024 * 1024;

/** Reads the JSON lines; what is not JSON (a proxy's page) becomes an error message. */
export async function* readProgress(source: AsyncIterable<Uint8Array>): AsyncGenerator<ProgressMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) rest = rest.slice(0, LONGEST_LINE);
    for (const line of lines) {
      const message = parseLine(line);
      if (message !== undefined) yield message;
    }
  }
  const last = parseLine(rest);
  if (last !== undefined) yield last;
}

function parseLine(line: string): ProgressMessage | undefined {
  const text = line.trim();
  if (text === '') return undefined;
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message === 'object' && message !== null) return message as ProgressMessage;
  } catch {
    // told below
  }
  return { error: `the engine sent something that is no progress message: ${text.slice(0, 200)}` };
}
