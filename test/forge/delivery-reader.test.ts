import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDeliveryReader } from '../../src/forge/delivery-reader.ts';
import { fixture, hmac, NOW, SECRET, type Sending, sent } from './sign.ts';

const reader = createDeliveryReader({ clock: { now: () => new Date(NOW) } });
type Kind = Parameters<typeof sent>[0];

/** A delivery of every kind that makes happenings. */
const SAMPLES: readonly (readonly [Kind, Sending])[] = [
  ['Github', { body: fixture('github/push') }],
  ['GitLab', { body: fixture('gitlab/push'), event: 'Push Hook' }],
  ['Gitea', { body: fixture('gitea/push') }],
  ['Bitbucket', { body: fixture('bitbucket/push'), event: 'repo:push' }],
  ['VisualStudioTeamService', { body: fixture('azure-devops/push') }],
  ['Generic', { body: fixture('generic/push') }],
  ['distribution', { body: fixture('distribution/multi-platform-push') }],
  ['acr', { body: fixture('acr/push') }],
  ['harbor', { body: fixture('harbor/push-artifact') }],
  ['dockerhub', { body: fixture('dockerhub/push') }],
  ['ghcr', { body: fixture('ghcr/package'), event: 'package' }],
  ['quay', { body: fixture('quay/push') }],
];
const SIGNED: readonly Kind[] = ['Github', 'Gitea', 'Bitbucket', 'Generic', 'ghcr'];

describe.each(SAMPLES)('the proof of %s', (kind, sending) => {
  const delivery = sent(kind, sending);
  const verdict = async (change: Partial<typeof delivery>) => reader.read({ ...delivery, ...change });

  it('lets a genuine delivery through, under the present secret and the one before', async () => {
    expect(await verdict({})).toMatchObject({ kind: 'happenings' });
    expect(await verdict({ secrets: ['a new secret', SECRET] })).toMatchObject({ kind: 'happenings' });
    expect(await verdict({ secrets: [SECRET, 'an old secret'] })).toMatchObject({ kind: 'happenings' });
  });

  it('refuses other secrets, and tells none', async () => {
    for (const secrets of [['another secret'], [`${SECRET} `], [SECRET.toUpperCase()], [SECRET.slice(0, -1)], ['x', 'y']]) {
      const refused = await verdict({ secrets });
      expect(refused).toMatchObject({ kind: 'refused', status: 401 });
      for (const secret of [...secrets, SECRET]) if (secret.length > 1) expect(JSON.stringify(refused)).not.toContain(secret);
    }
  });

  it('refuses everything when the hook has no secret, also what is signed with none', async () => {
    const unsigned = sent(kind, { ...sending, secret: '' });
    for (const secrets of [[], [''], ['', '']]) {
      expect(await verdict({ secrets })).toMatchObject({ kind: 'refused', status: 401, because: 'the hook has no secret' });
      expect(await reader.read({ ...unsigned, secrets })).toMatchObject({ kind: 'refused', status: 401 });
    }
    expect(await reader.read(unsigned)).toMatchObject({ kind: 'refused', status: 401 });
  });

  it('refuses a delivery without proof, with a part of it, and in other headers', async () => {
    const bare = { 'content-type': 'application/json', 'x-github-event': 'push', 'x-gitea-event': 'push', 'x-event-key': 'repo:push' };
    expect(await reader.read({ ...delivery, headers: bare, pathSecret: '' })).toMatchObject({ kind: 'refused', status: 401 });
    for (const [name, value] of Object.entries(delivery.headers)) {
      if (!/signature|token|authorization/.test(name)) continue;
      for (const wrong of [
        '',
        'sha256=',
        value.slice(0, -3),
        `${value}0`,
        value.slice(0, 12),
        'sha256=zz',
        `${value}\u0000`,
        value.replace('256', '1'),
      ]) {
        if (wrong === value) continue;
        expect(await verdict({ headers: { ...delivery.headers, [name]: wrong } }), `${name}: ${wrong}`).toMatchObject({ status: 401 });
      }
      const { [name]: _, ...rest } = delivery.headers;
      expect(await verdict({ headers: { ...rest, 'x-hub-signature-1': value, 'x-signature': value, 'x-token': value } })).toMatchObject({
        status: 401,
      });
    }
  });

  it('verifies before it looks at type and body', async () => {
    const wrong = { secrets: ['another secret'], body: Buffer.from('{'), headers: { ...delivery.headers, 'content-type': 'text/html' } };
    expect(await verdict(wrong)).toMatchObject({ kind: 'refused', status: 401 });
  });

  it('says which content type and body it expects', async () => {
    for (const type of [
      '',
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/json; charset=utf-16',
      'jsonapplication/json',
    ]) {
      expect(await verdict({ headers: { ...delivery.headers, 'content-type': type } }), type).toMatchObject({
        kind: 'refused',
        status: 415,
        because: expect.stringContaining('application/json'),
      });
    }
    for (const body of ['{', 'null', '[]', '"x"', '1', '\ufeff', '{"a":}', Buffer.from([0x7b, 0xff, 0x7d])]) {
      expect(await reader.read(sent(kind, { ...sending, body })), String(body)).toMatchObject({ kind: 'refused' });
    }
  });

  it('names a replayed delivery as it did the first time', async () => {
    const first = await verdict({});
    expect(await verdict({})).toEqual(first);
    expect(first).toMatchObject({ deliveryId: expect.stringMatching(/^[\w.{}+/=-]{1,200}$/) });
  });
});

describe.each(SAMPLES.filter(([kind]) => SIGNED.includes(kind)))('the signature of %s', (kind, sending) => {
  const delivery = sent(kind, sending);

  it('covers the body', async () => {
    const tampered = Uint8Array.from(delivery.body);
    tampered[tampered.length - 3] = 0x20;
    expect(await reader.read({ ...delivery, body: tampered })).toMatchObject({ kind: 'refused', status: 401 });
    expect(await reader.read({ ...delivery, body: new Uint8Array() })).toMatchObject({ kind: 'refused', status: 401 });
    expect(await reader.read(sent(kind, { ...sending, body: '' }))).toMatchObject({ kind: 'refused' });
  });
});

describe('GitHub', () => {
  it('agrees with the published example of a signature', async () => {
    const delivery = {
      ...sent('Github', { body: 'Hello, World!' }),
      secrets: ["It's a Secret to Everybody"],
    };
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const good = await reader.read({ ...delivery, headers: { ...delivery.headers, 'x-hub-signature-256': signature } });
    expect(good).toEqual({ kind: 'refused', status: 400, because: 'the body is not JSON' });
    const bad = await reader.read({ ...delivery, headers: { ...delivery.headers, 'x-hub-signature-256': `${signature.slice(0, -1)}8` } });
    expect(bad).toMatchObject({ status: 401 });
  });

  it('takes the SHA-1 header for nothing', async () => {
    const body = fixture('github/push');
    const sha1 = `sha1=${createHmac('sha1', SECRET).update(body).digest('hex')}`;
    for (const headers of [
      { 'x-hub-signature-256': '', 'x-hub-signature': sha1 },
      { 'x-hub-signature-256': sha1 },
      { 'x-hub-signature-256': '', 'x-hub-signature': `sha256=${hmac(SECRET, body)}` },
    ]) {
      expect(await reader.read(sent('Github', { body, headers }))).toMatchObject({ status: 401 });
    }
  });

  it('reads forms, and signs them whole', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ payload: fixture('github/push') }).toString();
    const delivery = sent('Github', { body, headers: form });
    const asJson = await reader.read(sent('Github', { body: fixture('github/push') }));
    expect(await reader.read(delivery)).toEqual(asJson);
    const inside = `sha256=${hmac(SECRET, fixture('github/push'))}`;
    expect(await reader.read({ ...delivery, headers: { ...delivery.headers, 'x-hub-signature-256': inside } })).toMatchObject({
      status: 401,
    });
    expect(await reader.read(sent('Github', { body: 'other=1', headers: form }))).toMatchObject({ status: 400 });
    expect(
      await reader.read(sent('Gitea', { body: new URLSearchParams({ payload: fixture('gitea/push') }).toString(), headers: form })),
    ).toMatchObject({
      kind: 'happenings',
    });
    expect(await reader.read(sent('Generic', { body, headers: form }))).toMatchObject({ status: 415 });
  });
});

describe('the family of Gitea', () => {
  it.each(['x-gitea', 'x-forgejo', 'x-gogs'])('knows the headers %s-…', async (prefix) => {
    const body = fixture('gitea/gogs-push');
    const headers = { 'x-gitea-signature': '', 'x-gitea-event': '', 'x-gitea-delivery': '', 'x-github-event': '', 'x-github-delivery': '' };
    const own = { [`${prefix}-signature`]: hmac(SECRET, body), [`${prefix}-event`]: 'push', [`${prefix}-delivery`]: 'abc' };
    expect(await reader.read(sent('Gitea', { body, headers: { ...headers, ...own } }))).toMatchObject({
      kind: 'happenings',
      deliveryId: 'abc',
    });
  });

  it('refuses the empty signature that is sent without a secret', async () => {
    const headers = { 'x-hub-signature-256': 'sha256=', 'x-gitea-signature': '' };
    expect(await reader.read(sent('Gitea', { body: fixture('gitea/push'), headers }))).toMatchObject({ status: 401 });
    const asGithub = sent('Github', { body: fixture('gitea/push'), headers: { 'x-hub-signature-256': 'sha256=' } });
    expect(await reader.read(asGithub)).toMatchObject({ status: 401 });
  });
});

describe('GitLab with a signing token', () => {
  const body = fixture('gitlab/push');
  const seconds = Date.parse(NOW) / 1000;
  const key = Buffer.from('0123456789abcdef0123456789abcdef');
  const sign = (with_: Buffer | string, at: number) =>
    `v1,${createHmac('sha256', with_).update(`m1.${at}.`).update(body).digest('base64')}`;
  const read = (signature: string, at = seconds, secret = `whsec_${key.toString('base64')}`) => {
    const headers = {
      'x-gitlab-token': '',
      'idempotency-key': '',
      'webhook-id': 'm1',
      'webhook-timestamp': String(at),
      'webhook-signature': signature,
    };
    return reader.read({ ...sent('GitLab', { body, headers }), secrets: ['other', secret] });
  };

  it('checks the signature of Standard Webhooks', async () => {
    expect(await read(sign(key, seconds))).toMatchObject({ kind: 'happenings', deliveryId: 'm1' });
    expect(await read(`v1a,xx ${sign('wrong', seconds)} ${sign(key, seconds)}`)).toMatchObject({ kind: 'happenings' });
    expect(await read(sign(SECRET, seconds), seconds, SECRET)).toMatchObject({ kind: 'happenings' });
    for (const bad of [
      '',
      'v1,',
      sign('wrong', seconds),
      sign(key, seconds).slice(0, -2),
      sign(key, seconds - 1),
      sign(key, seconds).replace('v1', 'v2'),
    ]) {
      expect(await read(bad), bad).toMatchObject({ status: 401 });
    }
    expect(await read(sign('', seconds), seconds, 'whsec_')).toMatchObject({ status: 401 });
  });

  it.each([
    [-301, 401],
    [-299, undefined],
    [299, undefined],
    [301, 401],
  ])('at %i seconds from now', async (offset, status) => {
    expect(await read(sign(key, seconds + offset), seconds + offset)).toMatchObject(
      status === undefined ? { kind: 'happenings' } : { status },
    );
  });
});

describe('the generic hook', () => {
  const body = fixture('generic/push');
  const at = (timestamp: string, signature = `sha256=${hmac(SECRET, `${timestamp}.`, body)}`) =>
    reader.read(sent('Generic', { body, headers: { 'x-slipway-timestamp': timestamp, 'x-slipway-signature': signature } }));
  const seconds = Date.parse(NOW) / 1000;

  it('takes signatures of the last and the next five minutes', async () => {
    for (const offset of [-300, -1, 0, 300]) expect(await at(String(seconds + offset))).toMatchObject({ kind: 'happenings' });
    for (const offset of [-301, 301, -86_400]) expect(await at(String(seconds + offset))).toMatchObject({ status: 401 });
    for (const text of ['', 'now', '1e9', `${seconds}.0`, '-1', `${seconds * 1000}`, 'NaN', `0x${seconds.toString(16)}`]) {
      expect(await at(text), text).toMatchObject({ status: 401 });
    }
  });

  it('has the time in the signature', async () => {
    expect(await at(String(seconds - 1), `sha256=${hmac(SECRET, `${seconds}.`, body)}`)).toMatchObject({ status: 401 });
    expect(await at(String(seconds), `sha256=${hmac(SECRET, body)}`)).toMatchObject({ status: 401 });
  });

  it('takes one of several signatures, for senders that change their secret', async () => {
    const good = `sha256=${hmac(SECRET, `${seconds}.`, body)}`;
    expect(await at(String(seconds), `sha256=${'0'.repeat(64)}, ${good}`)).toMatchObject({ kind: 'happenings' });
  });

  it('tells one body sent twice on purpose from one sent again', async () => {
    const idOf = async (timestamp: number, key: string) => {
      const headers = {
        'idempotency-key': key,
        'x-slipway-timestamp': String(timestamp),
        'x-slipway-signature': `sha256=${hmac(SECRET, `${timestamp}.`, body)}`,
      };
      const read = await reader.read(sent('Generic', { body, headers }));
      return read.kind === 'happenings' ? read.deliveryId : read;
    };
    expect(await idOf(seconds, '')).toBe(await idOf(seconds, ''));
    expect(await idOf(seconds, '')).not.toBe(await idOf(seconds + 1, ''));
    expect(await idOf(seconds, 'job 1')).toBe(await idOf(seconds + 1, 'job 1'));
    expect(await idOf(seconds, 'job 1')).not.toBe(await idOf(seconds, 'job 2'));
  });
});

describe('a secret in the path', () => {
  it.each(['VisualStudioTeamService', 'dockerhub', 'quay'] as const)('is good enough for %s', async (kind) => {
    const [, sending] = SAMPLES.find(([name]) => name === kind) ?? [kind, { body: '' }];
    const delivery = sent(kind, { ...sending, headers: { authorization: '' } });
    expect(await reader.read({ ...delivery, pathSecret: SECRET })).toMatchObject({ kind: 'happenings' });
    for (const pathSecret of ['', 'other', `${SECRET}x`])
      expect(await reader.read({ ...delivery, pathSecret })).toMatchObject({ status: 401 });
  });

  it.each(['Github', 'GitLab', 'Gitea', 'Bitbucket', 'Generic', 'ghcr', 'distribution', 'acr', 'harbor'] as const)(
    'is nothing for %s',
    async (kind) => {
      const [, sending] = SAMPLES.find(([name]) => name === kind) ?? [kind, { body: '' }];
      const delivery = sent(kind, { ...sending, secret: 'wrong' });
      expect(await reader.read({ ...delivery, pathSecret: SECRET })).toMatchObject({ status: 401 });
    },
  );
});

describe('an Authorization header', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([SECRET, `Bearer ${SECRET}`, `bearer  ${SECRET}`, basic(`:${SECRET}`), basic(`ann:${SECRET}`)])(
    'carries the secret as %s',
    async (authorization) => {
      expect(await reader.read(sent('harbor', { body: fixture('harbor/push-artifact'), headers: { authorization } }))).toMatchObject({
        kind: 'happenings',
      });
    },
  );

  it.each([`Token ${SECRET}`, basic(SECRET), basic(`${SECRET}:`), basic(`ann:${SECRET}:`), 'Basic', 'Basic !!', 'Bearer ', 'Bearer'])(
    'does not carry it as %s',
    async (authorization) => {
      expect(await reader.read(sent('harbor', { body: fixture('harbor/push-artifact'), headers: { authorization } }))).toMatchObject({
        status: 401,
      });
    },
  );
});

describe('bounds', () => {
  const read = (body: string) => reader.read(sent('Generic', { body }));

  it('reads 64 levels and refuses more', async () => {
    expect(await read(`{"event":"ping","changes":${'['.repeat(63)}${']'.repeat(63)}}`)).toEqual({ kind: 'ping' });
    expect(await read(`{"event":"ping","x":${'['.repeat(64)}${']'.repeat(64)}}`)).toMatchObject({
      because: expect.stringContaining('64 levels'),
    });
    expect(await read('['.repeat(1_000_000))).toMatchObject({ status: 400, because: expect.stringContaining('64 levels') });
    expect(await read(`{"event":"ping","changes":"${'[{'.repeat(1000)}\\"${'['.repeat(100)}"}`)).toEqual({ kind: 'ping' });
  });

  it('refuses a million values before it builds them', async () => {
    const started = performance.now();
    expect(await read(`{"x":[${'0,'.repeat(1_000_000)}0]}`)).toMatchObject({ status: 400, because: expect.stringContaining('values') });
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
