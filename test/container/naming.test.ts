import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imagePath, isLoopbackHost, registryHostOf, splitTag, withTag } from '../../src/container/image-name.ts';
import { containerNames, networkAliases, runScopedName } from '../../src/container/naming.ts';
import { isOwnerGone, ownLabel } from '../../src/container/owner.ts';
import { parseBytes, parseNanoCpus } from '../../src/model/size-words.ts';

const LEGAL = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

describe('names', () => {
  it('are legal and distinct for any step id', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ minLength: 1, unit: 'grapheme' }), (a, b) => {
        expect(runScopedName('run1', a)).toMatch(LEGAL);
        expect(runScopedName('run1', a) === runScopedName('run1', b)).toBe(a === b);
      }),
    );
  });

  it('are the step id for a container that later steps look for, where docker allows it', () => {
    expect(containerNames('run1', 'web', 1, true).slice(0, 2)).toEqual(['web', 'slipway-run1-web']);
    expect(containerNames('run1', 'C', 1, true)[0]).toBe('slipway-run1-C');
    expect(containerNames('run1', 'web', 3, false)[0]).toBe('slipway-run1-web-3');
  });

  it('on a network come in the forms in which they are asked for', () => {
    expect(networkAliases(['web', 'über'])).toEqual(['web', 'über', '\\195\\188ber', 'xn--ber-goa']);
  });
});

describe('owners', () => {
  const [host, boot, namespace, pid, started] = ownLabel().split('/');
  const label = (...parts: (string | number | undefined)[]): string => parts.join('/');

  it('that live are not gone', () => {
    expect(isOwnerGone(ownLabel())).toBe(false);
  });

  it('are gone with their process, also when its number is used again, and with the boot', () => {
    expect(isOwnerGone(label(host, boot, namespace, 4_194_304, started))).toBe(true);
    expect(isOwnerGone(label(host, boot, namespace, pid, '1'))).toBe(true);
    expect(isOwnerGone(label(host, 'another-boot', namespace, pid, started))).toBe(true);
  });

  it('of other machines and namespaces, and strange labels, are left alone', () => {
    for (const other of [
      label('elsewhere', 'b', namespace, 4_194_304, '1'),
      label(host, boot, 'pid:[1]', 4_194_304, '1'),
      '',
      'x',
      label(host, boot, namespace, 'zero', ''),
    ]) {
      expect(isOwnerGone(other)).toBe(false);
    }
  });
});

describe('image names', () => {
  it.each([
    ['busybox', 'docker.io'],
    ['org/image:1', 'docker.io'],
    ['localhost/x', 'localhost'],
    ['localhost:5000/x', 'localhost:5000'],
    ['my.azurecr.io/o/i:t', 'my.azurecr.io'],
    ['index.docker.io/library/x', 'docker.io'],
  ])('%s is of %s', (reference, host) => {
    expect(registryHostOf(reference)).toBe(host);
  });

  it('get a tag where they name nothing', () => {
    expect(['a', 'h:5000/a', 'a:1', 'a@sha256:0'].map(withTag)).toEqual(['a:latest', 'h:5000/a:latest', 'a:1', 'a@sha256:0']);
    expect(splitTag('h:5000/a:1')).toEqual({ name: 'h:5000/a', tag: '1' });
    expect(splitTag('h:5000/a@sha256:0')).toEqual({ name: 'h:5000/a@sha256:0', tag: '' });
  });

  it('cannot end the path of a request', () => {
    expect(imagePath('a/b?x=1#y')).toBe('a/b%3Fx%3D1%23y');
  });

  it('know loopback', () => {
    expect(['127.0.0.1:5000', 'localhost', '[::1]:1', '10.0.0.1', 'localhost.evil'].map(isLoopbackHost)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('sizes', () => {
  it.each([
    ['512m', 536_870_912],
    ['1.5g', 1_610_612_736],
    ['64kb', 65_536],
    ['1GiB', 1_073_741_824],
    ['4096', 4096],
    ['x', undefined],
    ['-1', undefined],
  ])('%s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it('of processors', () => {
    expect(['1', '0.5', '.25', '0', '-1', 'x'].map(parseNanoCpus)).toEqual([1e9, 5e8, 2.5e8, undefined, undefined, undefined]);
  });
});
