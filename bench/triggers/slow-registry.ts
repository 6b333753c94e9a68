import type { IncomingMessage, ServerResponse } from 'node:http';
import { startHttpServer } from '../../test/support/http-server.ts';
import { digestOf } from '../../test/support/registry-server.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const MANIFEST = /^\/v2\/(.+)\/manifests\/([^/]+)$/;

/** A registry of multi-platform images that any name has, each answer later by a latency: so many images as are asked for. */
export interface SlowRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** How often the manifest of each repository was looked at (HEAD). */
  readonly looks: Map<string, number>;
  /** Most requests that it had at once. */
  mostAtOnce: number;
  /** Moments of all requests, since they were last taken. */
  readonly requestsAt: number[];
}

export async function startSlowRegistry(latencyMs: number, onLook: (times: number) => void): Promise<SlowRegistry> {
  const looks = new Map<string, number>();
  const requestsAt: number[] = [];
  const bodies = new Map<string, Buffer>();
  let atOnce = 0;
  const state = { mostAtOnce: 0 };
  const answer = ({ method, url = '' }: IncomingMessage, response: ServerResponse): void => {
    const [, repository = '', name = ''] = MANIFEST.exec(url) ?? [];
    if (repository === '') return void response.writeHead(url === '/v2/' ? 200 : 404).end();
    const body = bodies.get(repository) ?? indexOf(repository);
    bodies.set(repository, body);
    const digest = digestOf(body);
    if (name.startsWith('sha256:') && name !== digest) return void response.writeHead(404).end();
    if (method === 'HEAD') {
      const times = (looks.get(repository) ?? 0) + 1;
      looks.set(repository, times);
      onLook(times);
    }
    response.writeHead(200, { 'content-type': INDEX_TYPE, 'content-length': body.length, 'docker-content-digest': digest });
    response.end(method === 'HEAD' ? undefined : body);
  };
  const server = await startHttpServer((request, response) => {
    requestsAt.push(performance.now());
    atOnce += 1;
    state.mostAtOnce = Math.max(state.mostAtOnce, atOnce);
    setTimeout(() => {
      atOnce -= 1;
      answer(request, response);
    }, latencyMs);
  });
  return {
    ...{ host: `127.0.0.1:${server.port}`, looks, requestsAt },
    get mostAtOnce() {
      return state.mostAtOnce;
    },
    set mostAtOnce(value) {
      state.mostAtOnce = value;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function indexOf(repository: string): Buffer {
  const manifests = ['amd64', 'arm64'].map((architecture) => ({
    ...{ mediaType: MANIFEST_TYPE, digest: digestOf(Buffer.from(`${repository} ${architecture}`)), size: 1000 },
    platform: { os: 'linux', architecture },
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
}
