import { expect, test } from 'vitest';
import { loadSettings } from '../../src/config/load-settings.ts';
import { parseSettings } from '../../src/config/settings-file.ts';
import { renderDiagnostic } from '../../src/model/render-diagnostic.ts';
import { folderWith } from '../cli/task-process.ts';

test('variables beat the folder, which beats the user, key by key', async () => {
  const directory = folderWith({ 'slipway.yaml': 'registry: folder.io\nparallelism: 3\nformat: json\n' });
  const home = folderWith({ '.config/slipway/config.yaml': 'registry: user.io\nengine: unix:///run/x.sock\nparallelism: 9\n' });
  const environment = { HOME: home, SLIPWAY_FORMAT: 'plain', SLIPWAY_INSECURE_REGISTRIES: 'a:5000, b', SLIPWAY_TRUSTED_REALMS: 'c' };
  expect(await loadSettings({ directory, environment })).toEqual({
    ok: true,
    value: {
      registry: 'folder.io',
      parallelism: 3,
      format: 'plain',
      engine: 'unix:///run/x.sock',
      insecureRegistries: ['a:5000', 'b'],
      trustedRealms: ['c'],
    },
  });
});

test('without any file there are no settings', async () => {
  const folder = folderWith({});
  expect(await loadSettings({ directory: folder, environment: { HOME: folder } })).toEqual({ ok: true, value: {} });
});

test('every mistake of a file is shown where it stands', () => {
  const text = '# mine\nregistri: x\nparallelism: many\ninsecureRegistries: one\nformat: [json]\n';
  const parsed = parseSettings({ name: 'slipway.yaml', text });
  expect(parsed.ok ? [] : parsed.error.map((diagnostic) => renderDiagnostic(diagnostic).split('\n')[0])).toEqual([
    'slipway.yaml:2:1: error: there is no setting "registri" [setting-unknown]',
    'slipway.yaml:3:14: error: "parallelism" in slipway.yaml has a value that is no parallelism: "many" [setting-value]',
    'slipway.yaml:4:21: error: "insecureRegistries" in slipway.yaml has a value that is no insecureRegistries: "one" [setting-value]',
    'slipway.yaml:5:9: error: "format" in slipway.yaml has a value that is no format: "json" [setting-value]',
  ]);
  expect(parsed.ok ? '' : parsed.error[0]?.help).toBe('did you mean "registry"?');
});

test('limits of pools, durations, sizes and addresses are read; what they are not is said', () => {
  const good = 'poolLimits: [a=2, b-c=10]\nlogRetention: 2d\nlogLimit: 1MiB\nlisten: "[::1]:80"\nallowLoopbackAddresses: true\n';
  expect(parseSettings({ name: 'slipway.yaml', text: good })).toEqual({
    ok: true,
    value: {
      poolLimits: { a: 2, 'b-c': 10 },
      logRetention: 172_800_000,
      logLimit: 1_048_576,
      listen: { host: '::1', port: 80 },
      allowLoopbackAddresses: true,
    },
  });
  const bad = 'poolLimits: [a]\nlogRetention: 2w\nlogLimit: 1MB\nlisten: ":80"\nallowLoopbackAddresses: yes\n';
  const parsed = parseSettings({ name: 'slipway.yaml', text: bad });
  expect(parsed.ok ? [] : parsed.error.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'setting-value'));
});

test('a limit of webhooks that is over the largest one is refused, in words that name it', async () => {
  const folder = folderWith({});
  const load = (limit: string) => loadSettings({ directory: folder, environment: { HOME: folder, SLIPWAY_WEBHOOK_BODY_LIMIT: limit } });
  expect(await load('25MiB')).toEqual({ ok: true, value: { webhookBodyLimit: 26_214_400 } });
  for (const limit of ['26MiB', '1GiB', '26214401']) {
    const refused = await load(limit);
    expect(refused.ok ? [] : refused.error).toMatchObject([
      { code: 'setting-value', expected: expect.stringContaining('at most `25MiB`') },
    ]);
    expect(refused.ok ? '' : refused.error[0]?.message).toContain(
      `SLIPWAY_WEBHOOK_BODY_LIMIT has a value that is no webhookBodyLimit: "${limit}"`,
    );
  }
  const parsed = parseSettings({ name: 'slipway.yaml', text: 'webhookBodyLimit: 30MiB\n' });
  expect(parsed.ok ? '' : parsed.error.map((diagnostic) => renderDiagnostic(diagnostic)).join('')).toMatch(
    /slipway\.yaml:1:19[\s\S]*at most `25MiB`/,
  );
});

test('a variable with a bad value names the variable', async () => {
  const folder = folderWith({});
  const loaded = await loadSettings({ directory: folder, environment: { HOME: folder, SLIPWAY_PARALLELISM: '0' } });
  expect(loaded.ok ? '' : loaded.error[0]?.message).toContain('SLIPWAY_PARALLELISM');
});

test.each(['', '# nothing\n', '---\n'])('an empty file %j sets nothing', (text) => {
  expect(parseSettings({ name: 'slipway.yaml', text })).toEqual({ ok: true, value: {} });
});
