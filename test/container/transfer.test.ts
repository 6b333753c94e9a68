import { describe, expect, it } from 'vitest';
import { isPermanent } from '../../src/container/transfer.ts';
import { type ProgressMessage, readProgress } from '../../src/container/transfer-progress.ts';

describe('a failed transfer', () => {
  it.each([
    'unauthorized: authentication required',
    'denied: requested access to the resource is denied',
    'manifest for h/a:1 not found: manifest unknown: manifest unknown',
    'An image does not exist locally with the tag: h/a',
    'pull access denied for a, repository does not exist or may require authorization',
    'unexpected status code 403 Forbidden',
    'received unexpected HTTP status: 400 Bad Request',
    'name invalid: invalid repository name',
    'x509: certificate signed by unknown authority',
  ])('is final: %s', (message) => {
    expect(isPermanent(message, undefined)).toBe(true);
  });

  it.each([
    'toomanyrequests: Rate exceeded',
    'received unexpected HTTP status: 503 Service Unavailable',
    'unexpected status: 500 Internal Server Error: unknown',
    'Get "http://h/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    'net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
    'dial tcp: lookup registry.test: no such host',
    'unexpected EOF',
    'status code 408',
    'something else',
  ])('may pass: %s', (message) => {
    expect(isPermanent(message, undefined)).toBe(false);
  });

  it('goes by the status where the engine tells one', () => {
    expect([400, 404, 408, 429, 500, 503].map((status) => isPermanent('words', status))).toEqual([true, true, false, false, false, false]);
  });
});

describe('progress lines', () => {
  const read = async (...chunks: (string | Buffer)[]): Promise<ProgressMessage[]> => {
    const messages: ProgressMessage[] = [];
    const source = (async function* () {
      for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    })();
    for await (const message of readProgress(source)) messages.push(message);
    return messages;
  };

  it('may be cut anywhere, end without a line feed and hold other letters', async () => {
    const text = Buffer.from('{"status":"größer"}\r\n\n{"id":"x"}');
    const cuts = Array.from(text, (byte) => Buffer.from([byte]));
    expect(await read(...cuts)).toEqual([{ status: 'größer' }, { id: 'x' }]);
  });

  it('that are something else are an error', async () => {
    expect(await read('<html>\n', '"text"\n')).toEqual([
      { error: expect.stringContaining('<html>') },
      { error: expect.stringContaining('"text"') },
    ]);
  });
});
