import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHttpClient } from '../../src/util/http.ts';
import { proxyFor } from '../../src/util/proxy.ts';
import { startHttpServer } from '../support/http-server.ts';

const proxy = 'http://proxy.lan:3128';

describe('proxyFor', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://a.example/x', { https_proxy: proxy }, proxy],
    ['https://a.example/x', { HTTPS_PROXY: proxy }, proxy],
    ['https://a.example/x', { http_proxy: proxy }, undefined],
    ['http://a.example/x', { http_proxy: proxy }, proxy],
    ['http://a.example/x', { ALL_PROXY: proxy }, proxy],
    ['https://a.example/x', { https_proxy: proxy, no_proxy: '*' }, undefined],
    ['https://a.example/x', { https_proxy: proxy, no_proxy: 'b.lan, example' }, undefined],
    ['https://a.example/x', { https_proxy: proxy, NO_PROXY: '.example' }, undefined],
    ['https://a.example/x', { https_proxy: proxy, no_proxy: 'xample,a.example:444' }, proxy],
    ['https://a.example:444/x', { https_proxy: proxy, no_proxy: 'a.example:444' }, undefined],
    ['https://10.1.2.3/x', { https_proxy: proxy, no_proxy: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3/x', { https_proxy: proxy, no_proxy: '10.0.0.0/8,10.0.0.0/99,fd00::/8' }, proxy],
    ['http://127.0.0.1:5000/v2/', { http_proxy: proxy, all_proxy: proxy }, undefined],
    ['http://localhost:5000/v2/', { http_proxy: proxy }, undefined],
    ['http://[::1]:5000/v2/', { http_proxy: proxy }, undefined],
    ['https://a.example/x', { https_proxy: 'socks5://h:1' }, undefined],
    ['https://a.example/x', { https_proxy: '' }, undefined],
  ])('%s with %j', (url, environment, expected) => {
    expect(proxyFor(new URL(url), environment)).toBe(expected);
  });
});

describe('a client behind a proxy', () => {
  it('sends its requests there, TLS through a tunnel, and loopback directly', async () => {
    const tunnels: string[] = [];
    await using target = await startHttpServer((_, response) => response.end('direct'));
    const server = createServer((request, response) => response.end(`proxied ${request.url}`));
    server.on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      const onward = connect(target.port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      socket.pipe(onward).pipe(socket);
      socket.on('error', () => onward.destroy());
      onward.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createHttpClient({
      addresses: { allowPrivate: true, allowLoopback: true },
      environment: { http_proxy: address, https_proxy: address },
    });
    const read = async (url: string): Promise<string> => (await client.request({ url })).text();
    expect(await read('http://nowhere.invalid/x')).toBe('proxied http://nowhere.invalid/x');
    await expect(read('https://nowhere.invalid/x')).rejects.toMatchObject({ kind: 'not-tls' });
    expect(tunnels).toEqual(['nowhere.invalid:443']);
    expect(await read(target.url)).toBe('direct');
    await expect(read('http://169.254.169.254/')).rejects.toMatchObject({ kind: 'refused-address' });
    client.close();
    server.closeAllConnections();
    server.close();
  });
});
