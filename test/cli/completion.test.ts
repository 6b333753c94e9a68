import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTask } from './task-process.ts';

const COMMANDS = [
  ...['run', 'build', 'render', 'plan', 'graph', 'lint', 'scan', 'init', 'doctor', 'config', 'serve', 'completion'],
  ...['create', 'update', 'show', 'list', 'delete', 'enable', 'disable', 'apply', 'credential', 'timer', 'trigger'],
  ...[
    'list-runs',
    'show-run',
    'logs',
    'cancel-run',
    'rerun',
    'update-run',
    'queue',
    'pause',
    'resume',
    'explain',
    'deps',
    'approve',
    'event',
  ],
  ...['login', 'logout', 'whoami', 'token', 'secret', 'audit', 'gc', 'agents'],
];

/** What bash offers for a line that ends in the word under the cursor. */
function complete(script: string, ...words: readonly string[]): string[] {
  const line = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _task; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${line}`], {
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '../fakes'),
  });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

test('bash completes commands, flags, choices, templates and files', async () => {
  const { code, stdout } = await runTask(['completion', 'bash']);
  expect(code).toBe(0);
  expect(complete(stdout, 'task', '')).toEqual([...COMMANDS, '--version', '--help']);
  expect(complete(stdout, 'task', 'ru')).toEqual(['run']);
  expect(complete(stdout, 'task', 'run', '--dry')).toEqual(['--dry-run']);
  expect(complete(stdout, 'task', 'graph', '--format', '')).toEqual(['mermaid', 'dot', 'svg']);
  expect(complete(stdout, 'task', 'init', 'mu')).toEqual(['multi-service']);
  expect(complete(stdout, 'task', 'token', '')).toEqual(expect.arrayContaining(['create', 'list', 'revoke']));
  expect(complete(stdout, 'task', 'token', 'create', '--role', 'ad')).toEqual(['admin']);
  expect(complete(stdout, 'task', 'list-runs', '--output', '')).toEqual(['table', 'json', 'yaml']);
  expect(complete(stdout, 'task', 'trigger', 'webhook', '--provider', 'ha')).toEqual(['harbor']);
  expect(complete(stdout, 'task', 'run', '-f', 'fake-cl')).toEqual(['fake-clock.ts']);
});

test.each(['zsh', 'fish'])('%s gets every command and flag', async (shell) => {
  const { stdout } = await runTask(['completion', shell]);
  for (const word of [...COMMANDS, 'dry-run', 'set-secret', 'multi-service']) expect(stdout).toContain(word);
});

test('an unknown shell is refused', async () => {
  expect((await runTask(['completion', 'powershell'])).code).toBe(2);
});
