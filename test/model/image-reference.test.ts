import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatImageReference, parseImageReference, splitImageReference, withDefaultTag } from '../../src/model/image-reference.ts';

const HEX = 'ab'.repeat(32);

function parsed(text: string): string {
  const result = parseImageReference(text);
  return result.ok
    ? `${result.value.host} ${result.value.repository} ${result.value.tag} ${result.value.digest}`.trimEnd()
    : `error: ${result.error}`;
}

describe('parseImageReference', () => {
  it.each([
    ['node', 'docker.io library/node'],
    ['node:16', 'docker.io library/node 16'],
    ['docker.io/node', 'docker.io library/node'],
    ['index.docker.io/org/app:1', 'docker.io org/app 1'],
    ['org/app', 'docker.io org/app'],
    ['my.azurecr.io/o/i:t', 'my.azurecr.io o/i t'],
    ['localhost/app', 'localhost app'],
    ['localhost:5000/app', 'localhost:5000 app'],
    ['registry:5000/team/app:2', 'registry:5000 team/app 2'],
    ['[::1]:5000/app', '[::1]:5000 app'],
    [`r.io:443/app:1@sha256:${HEX}`, `r.io:443 app 1 sha256:${HEX}`],
    ['a__b/c-d.e', 'docker.io a__b/c-d.e'],
  ])('%s', (text, expected) => {
    expect(parsed(text)).toBe(expected);
  });

  it.each([
    ['', 'repository name has components'],
    ['UPPER', 'lower-case'],
    ['r.io/Upper', 'lower-case'],
    ['a//b', 'repository name has components'],
    ['-a', 'repository name has components'],
    ['a..b', 'repository name has components'],
    ['a:', 'a tag has'],
    ['a:-x', 'a tag has'],
    [`a:${'x'.repeat(129)}`, 'a tag has'],
    ['a@sha256:12', 'a digest is'],
    ['a@', 'a digest is'],
    ['a@md5:abababababababababababababababab', 'a digest is'],
    ['http://host/a', 'the registry is no host name'],
    ['a b', 'repository name has components'],
    ['a'.repeat(256), 'at most 255'],
    ['a'.repeat(5000), 'at most 1024'],
  ])('refuses %s', (text, reason) => {
    expect(parsed(text)).toContain(reason);
  });

  const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
  const reference = fc.record({
    host: fc.oneof(
      fc.constantFrom('docker.io', 'localhost', 'localhost:5000', '127.0.0.1:5000'),
      fc.stringMatching(/^[a-z0-9]{1,8}\.[a-z]{2,4}(?::[0-9]{2,5})?$/),
    ),
    path: fc.array(component, { minLength: 2, maxLength: 4 }),
    tag: fc.oneof(fc.constant(''), fc.stringMatching(/^\w[\w.-]{0,20}$/)),
    digest: fc.constantFrom('', `sha256:${HEX}`),
  });

  it('gives back every reference that was formatted', () => {
    fc.assert(
      fc.property(reference, ({ host, path, tag, digest }) => {
        const wanted = { host, repository: path.join('/'), tag, digest };
        expect(parseImageReference(formatImageReference(wanted))).toEqual({ ok: true, value: wanted });
      }),
    );
  });

  it('never throws, and what it accepts has no blank', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const result = splitImageReference(text);
        if (result.ok) expect(text).not.toMatch(/\s/);
      }),
    );
  });
});

describe('withDefaultTag', () => {
  it.each([
    ['a', 'a:latest'],
    ['r.io/a', 'r.io/a:latest'],
    ['a:1', 'a:1'],
    ['localhost:5000/a', 'localhost:5000/a'],
    ['b@sha256:1', 'b@sha256:1'],
  ])('%s', (image, expected) => {
    expect(withDefaultTag(image)).toBe(expected);
  });
});
