import { type IncomingMessage, request } from 'node:http';

/** Plain requests to an engine's socket, to look at what the adapter made from outside of it. */
export interface EngineHttp {
  json<T>(method: string, path: string, body?: object): Promise<T>;
  status(method: string, path: string): Promise<number>;
  bytes(method: string, path: string, body?: Uint8Array): Promise<Buffer>;
}

export function engineHttp(socketPath: string): EngineHttp {
  const send = (method: string, path: string, body?: Uint8Array, type = 'application/json'): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': type, 'content-length': body.length };
      const call = request({ socketPath, method, path, headers }, resolve).on('error', reject);
      call.end(body);
    });
  const read = async (answer: IncomingMessage): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };
  const checked = async (answer: IncomingMessage, what: string): Promise<Buffer> => {
    const content = await read(answer);
    if ((answer.statusCode ?? 500) >= 400) throw new Error(`${what}: ${answer.statusCode} ${content.toString()}`);
    return content;
  };
  return {
    json: async <T>(method: string, path: string, body?: object) => {
      const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const content = await checked(await send(method, path, sent), `${method} ${path}`);
      return (content.toString().trim() === '' ? undefined : JSON.parse(content.toString())) as T;
    },
    status: async (method, path) => {
      const answer = await send(method, path);
      await read(answer);
      return answer.statusCode ?? 0;
    },
    bytes: async (method, path, body) => checked(await send(method, path, body, 'application/x-tar'), `${method} ${path}`),
  };
}
