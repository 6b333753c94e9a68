import { describe, expect, it } from 'vitest';
import { withTag } from '../../../src/trigger/image/image-tag.ts';
import { newestTag, patternOf, satisfies } from '../../../src/trigger/image/newest-tag.ts';

describe('versions', () => {
  it.each([
    ['~1.2', '1.2', ['1.2.0', '1.2.9', '1.2.10', '1.3.0', 'latest', '1.2'], '1.2.10'],
    ['^20', '20', ['20', '20.1', '20.1.2', '21.0.0', '20.1.2-alpine'], '20.1.2'],
    ['^20', '20-alpine', ['20.1.2', '20.1.3', '20.1.2-alpine', '20.0.9-alpine', '20-alpine3.19'], '20.1.2-alpine'],
    ['>=1', 'v1', ['v1.4.0', 'v1.10.0', 'v2.0.0-rc.1'], 'v1.10.0'],
    ['>=22', '22.04', ['22.04', '24.04', '23.10'], '24.04'],
    ['~1.2', '1.2', ['1.2', '1.2.0'], '1.2.0'],
    ['>=2.0.0-0', '1', ['2.0.0-rc.2', '2.0.0-rc.10', '1.9.0'], '2.0.0-rc.10'],
    ['>=2.0.0-0', '1', ['2.0.0-rc.2', '2.0.0'], '2.0.0'],
    ['~1.2', '1.2', ['1.3.0', 'latest'], undefined],
    ['~1.2', '1.2', [], undefined],
  ])('%s, written %s', (range, written, tags, newest) => {
    expect(newestTag(patternOf('semver', range, written), tags)).toBe(newest);
    expect(newestTag(patternOf('semver', range, written), tags.toReversed())).toBe(newest);
  });

  it('says what is no range', () => {
    expect(() => newestTag('semver:one', [])).toThrow('`one` is no range of versions');
    expect(() => newestTag('newest', [])).toThrow('no pattern of tags');
  });
});

describe('regular expressions', () => {
  it.each([
    ['release-(.*)', ['release-9', 'release-10', 'x-release-11'], 'release-10'],
    ['\\d{8}', ['20260101', '20251231', '202601011'], '20260101'],
    ['build-(\\d+)-.*', ['build-7-zzz', 'build-12-aaa'], 'build-12-aaa'],
    ['v.*', ['v1.9.0', 'v1.10.0', 'v1.10'], 'v1.10.0'],
  ])('%s', (pattern, tags, newest) => expect(newestTag(patternOf('regex', pattern, ''), tags)).toBe(newest));

  it('never chooses what is no tag', () => {
    expect(newestTag('regex:(?s).*', ['1', '9\nRUN evil', '9 --x', '-9', '', '9'.repeat(200)])).toBe('1');
    expect(withTag('r.io/a:1', '2')).toBe('r.io/a:2');
    expect(withTag('node', '2\nRUN evil')).toBeUndefined();
    expect(withTag(`node@sha256:${'a'.repeat(64)}`, '2')).toBeUndefined();
  });

  it('takes time linear in the tags, and says what is no pattern', () => {
    expect(newestTag('regex:(a+)+b', [`${'a'.repeat(120)}c`])).toBeUndefined();
    expect(() => newestTag('regex:(', [])).toThrow('is no RE2 pattern');
    expect(satisfies('regex:v.*', 'v1')).toBe(true);
    expect(satisfies('regex:v.*', '1v')).toBe(false);
  });
});
