import { describe, expect, it } from 'vitest';
import { detectVersion, hasAliases } from '../../../src/task/alias/detect-version.ts';

describe('detectVersion', () => {
  it.each([
    ['\nversion  : v1.1.0    \n', 'v1.1.0'],
    ['build: something\nversion: v1.1.0\n', 'v1.1.0'],
    ['versionOfTask:v1.1.0', ''],
    ['version', ''],
    ['version:foo:bar:beta', 'foo:bar:beta'],
    [`version:   "v1.1.0'`, 'v1.1.0'],
    [`'version':v1.1.0`, 'v1.1.0'],
    ['  version: v1.1.0', ''],
    ['version: v1.1.0 # new', 'v1.1.0 # new'],
    ['version: v1.0.0\nversion: v1.1.0', 'v1.0.0'],
    ['version: v1.1.0\r\n', 'v1.1.0'],
    ['', ''],
  ])('%j: %j', (text, version) => {
    expect(detectVersion(text)).toBe(version);
  });
});

describe('hasAliases', () => {
  it.each([
    ['', false],
    ['1.0-preview-1', false],
    ['v1.0.0', false],
    ['v1.1', false],
    ['v1.1.0', true],
    ['V1.1.0', true],
    ['v1.10.0', true],
    ['{{.Values.v}}', true],
  ])('%j: %j', (version, expected) => {
    expect(hasAliases(version)).toBe(expected);
  });
});
