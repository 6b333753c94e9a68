import { type ClientRequest, type IncomingMessage, request } from 'node:http';

export interface StreamMessage {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

/** A reader of server-sent events that takes them one by one; `comments` counts heartbeats. */
export interface EventStream {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly comments: () => number;
  next(): Promise<StreamMessage | undefined>;
  /** All until the stream ends. */
  rest(): Promise<readonly StreamMessage[]>;
  close(): void;
}

export async function openStream(
  to: string,
  path: string,
  more: { readonly token?: string; readonly lastId?: string } = {},
): Promise<EventStream> {
  const [sent, answer] = await start(to, path, {
    accept: 'text/event-stream',
    ...(more.token === undefined ? {} : { authorization: `Bearer ${more.token}` }),
    ...(more.lastId === undefined ? {} : { 'last-event-id': more.lastId }),
  });
  let comments = 0;
  async function* messages(): AsyncGenerator<StreamMessage> {
    let text = '';
    answer.setEncoding('utf8');
    for await (const chunk of answer) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const field = (name: string): string | undefined =>
          block
            .split('\n')
            .find((line) => line.startsWith(`${name}: `))
            ?.slice(name.length + 2);
        const data = field('data');
        if (data !== undefined) yield { id: field('id'), event: field('event'), data: JSON.parse(data) };
        else if (block.startsWith(':')) comments += 1;
      }
    }
  }
  const iterator = messages();
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    comments: () => comments,
    next: async () => (await iterator.next()).value ?? undefined,
    rest: async () => {
      const all: StreamMessage[] = [];
      for await (const message of iterator) all.push(message);
      return all;
    },
    close: () => sent.destroy(),
  };
}

function start(to: string, path: string, headers: Record<string, string>): Promise<[ClientRequest, IncomingMessage]> {
  const where = to.startsWith('/') ? { socketPath: to } : { host: new URL(to).hostname, port: new URL(to).port };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request({ ...where, path, headers, agent: false }, (answer) => {
      answer.on('error', () => undefined);
      resolve([sent, answer]);
    });
    sent.on('error', reject);
    sent.end();
  });
}
