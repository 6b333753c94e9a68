import { describe, expect, it } from 'vitest';
import { DIGEST, read } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('Harbor', () => {
  const happenings = [
    {
      kind: 'image',
      image: { registry: 'harbor.example.com:8443', repository: 'team/base', tag: '1.4' },
      digest: expect.stringMatching(DIGEST),
    },
  ];

  it('reads its own format and CloudEvents', async () => {
    expect(await read('harbor', { body: fixture('harbor/push-artifact') })).toEqual({
      kind: 'happenings',
      deliveryId: expect.stringMatching(/^sha256-/),
      happenings,
    });
    const headers = { 'content-type': 'application/cloudevents+json' };
    expect(await read('harbor', { body: fixture('harbor/push-artifact-cloudevents'), headers })).toEqual({
      kind: 'happenings',
      deliveryId: '4b4f5a77-0f4b-4b07-8f0c-2f0a8e1b8b3d',
      happenings,
    });
  });

  it('ignores what is no push, and does not mix the formats', async () => {
    expect(await read('harbor', { body: fixture('harbor/scanning-completed') })).toMatchObject({ kind: 'ignored' });
    expect(await read('harbor', { body: '{"type":"harbor.artifact.pushed"}' })).toMatchObject({ kind: 'ignored' });
    expect(await read('harbor', { body: '{"type":"PUSH_ARTIFACT"}' })).toMatchObject({ status: 400 });
  });
});
