import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderWith, runTask } from './task-process.ts';

const FAN = `version: v1.1.0
steps:
  - id: a
    cmd: $Registry/a:$ID run 'x y'
    when: ["-"]
  - id: b
    build: -t $Registry/b:$ID --build-arg K=V sub
    when: ["-"]
  - id: c
    push: [$Registry/b:$ID]
    when: [a, b]
`;
const INPUTS = ['--run', 'ID=r1', '--registry', 'reg.io'];

test('render prints the bytes of the rendered text and nothing else', async () => {
  const text = 'a: {{.Run.ID}}\n# gone\nb: {{ .Values.x | upper }} $ID\nc: [{{.Run.Commit}}][{{.Run.Registry}}]';
  const cwd = folderWith({ 'task.yaml': text, 'values.yaml': 'x: abc\n' });
  const plain = await runTask(['render', '--values', 'values.yaml'], { cwd });
  expect(plain).toEqual({ code: 0, signal: null, stdout: 'a: \nb: ABC $ID\nc: [][]', stderr: '' });
  const set = await runTask(['render', '-f', '-', '--set', 'x=1=2', '--run', 'ID=r1'], {
    cwd,
    input: 'version: v1.1.0\nk: {{.Values.x}} $ID\n',
  });
  expect(set.stdout).toBe('version: v1.1.0\nk: 1=2 r1\n');
  const raw = await runTask(['render', '-f', '-', '--no-aliases'], { cwd, input: 'version: v1.1.0\nk: $ID' });
  expect(raw.stdout).toBe('version: v1.1.0\nk: $ID');
});

test('render masks what --set-secret sets', async () => {
  const args = ['render', '-f', '-', '--set-secret', 'a=env:A', '--set', 'b=plain'];
  const { stdout } = await runTask(args, { input: 'k: {{.Values.a}} {{.Values.b}}\n', env: { A: 'hunter22' } });
  expect(stdout).toBe('k: *** plain\n');
});

test('render of bad input prints nothing on stdout, every problem on stderr, and exits with 2', async () => {
  const { code, stdout, stderr } = await runTask(['render', '-f', '-'], { input: 'a: {{ nofunc }}\n' });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('<stdin>:1:');
  expect(stderr).toMatch(/1 error\n$/);
});

test('the default task file is found, and its absence says what was looked for', async () => {
  const cwd = folderWith({ 'one/acb.yaml': 'k: acb', 'two/acb.yaml': 'k: acb', 'two/acr-task.yaml': 'k: acr', 'three/x': '' });
  expect((await runTask(['render', 'one'], { cwd })).stdout).toBe('k: acb');
  expect((await runTask(['render', 'two'], { cwd })).stdout).toBe('k: acr');
  expect((await runTask(['render', 'two/acb.yaml'], { cwd })).stdout).toBe('k: acb');
  expect((await runTask(['render', 'two', '-f', 'acb.yaml'], { cwd })).stdout).toBe('k: acb');
  const missing = await runTask(['render', 'three'], { cwd });
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('three/task.yaml, three/acr-task.yaml, three/acb.yaml')]);
  expect((await runTask(['render', 'nowhere'], { cwd })).code).toBe(2);
});

test('plan shows tree, waves, critical path and every command line', async () => {
  const cwd = folderWith({ 'task.yaml': FAN });
  const { code, stdout } = await runTask(['plan', ...INPUTS, '--run', 'SharedVolume=ws'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toBe(`quickrun: 3 steps in 2 waves, registry reg.io

● a cmd
└─ ● c push  also after b
○ b build

Waves
  1  a b
  2  c

Critical path  a → c

Networks
  acb_default_network (bridge)

Commands
a (timeout 10m)
  docker run --rm --network acb_default_network --name a --volume ws:/workspace --volume /var/run/docker.sock:/var/run/docker.sock --volume home:/acb/home --env HOME=/acb/home --workdir /workspace reg.io/a:r1 run 'x y'
b (timeout 10m)
  docker build --tag reg.io/b:r1 --build-arg K=V sub
c after a, b (timeout 10m)
  docker push reg.io/b:r1
`);
});

test('a network without a driver is shown with the default one', async () => {
  const cwd = folderWith({ 'task.yaml': 'networks: [{name: n1}]\nsteps: [{cmd: a}]\n' });
  expect((await runTask(['plan'], { cwd })).stdout).toContain('  n1 (default driver)\n');
});

test('plan --output json prints the document that conformance compares', async () => {
  const cwd = folderWith({ 'task.yaml': FAN });
  const { stdout } = await runTask(['plan', ...INPUTS, '--output', 'json'], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({
    version: 'v1.1.0',
    taskName: 'quickrun',
    stepTimeout: 600,
    steps: [
      { id: 'a', cmd: "reg.io/a:r1 run 'x y'" },
      { id: 'b', build: '-t reg.io/b:r1 --build-arg K=V sub' },
      { id: 'c', push: ['reg.io/b:r1'], needs: ['a', 'b'] },
    ],
  });
});

test('a dry run prints command lines, needs no engine and hides secrets', async () => {
  const cwd = folderWith({ 'task.yaml': FAN });
  const nowhere = { DOCKER_HOST: 'unix:///nowhere.sock', TOKEN: 'hunter22' };
  const { code, stdout } = await runTask(['run', '--dry-run', '--no-push', ...INPUTS, '--env', 'E={{x}}'], { cwd, env: nowhere });
  expect(code).toBe(0);
  expect(stdout).toContain("reg.io/a:r1 run 'x y'");
  expect(stdout).not.toContain('docker push');
  const secret = await runTask(['run', '--dry-run', '-f', '-', '--set-secret', 't=env:TOKEN', '/dev/null'], {
    cwd,
    env: nowhere,
    input: 'steps:\n  - cmd: img {{.Values.t}}\n',
  });
  expect(secret.stdout).toContain('img ');
  expect(secret.stdout).not.toContain('hunter22');
});

test('all problems of a file are reported at once with their places, as text and as JSON', async () => {
  const cwd = folderWith({ 'task.yaml': 'steps:\n  - id: a\n  - cmd: x\n    when: [later]\n' });
  const text = await runTask(['run'], { cwd });
  expect(text.code).toBe(2);
  expect(text.stderr).toContain('task.yaml:2:5: error:');
  expect(text.stderr).toContain('task.yaml:4:');
  expect(text.stderr).toMatch(/2 errors\n$/);
  const json = await runTask(['lint', '--output', 'json'], { cwd });
  expect(json.code).toBe(2);
  expect(JSON.parse(json.stdout)).toEqual([
    expect.objectContaining({ severity: 'error', file: 'task.yaml', line: 2, column: 5 }),
    expect.objectContaining({ severity: 'error', file: 'task.yaml', line: 4 }),
  ]);
});

test('lint suggests near names, and --acr reports what ACR does not know', async () => {
  const cwd = folderWith({ 'task.yaml': 'steps:\n  - cmd: x\n    wehn: ["-"]\n', 'ext.yaml': 'steps:\n  - cmd: [x, y z]\n' });
  const near = await runTask(['lint'], { cwd });
  expect([near.code, near.stdout]).toEqual([0, expect.stringContaining('Did you mean `when`?')]);
  expect((await runTask(['lint', '-f', 'ext.yaml'], { cwd })).stdout).toContain('nothing to complain about');
  expect((await runTask(['lint', '-f', 'ext.yaml', '--acr'], { cwd })).stdout).toContain('ext.yaml:2:');
});

test('graph prints each language', async () => {
  const cwd = folderWith({ 'task.yaml': FAN });
  expect((await runTask(['graph', ...INPUTS], { cwd })).stdout).toContain('flowchart LR');
  expect((await runTask(['graph', ...INPUTS, '--format', 'dot'], { cwd })).stdout).toContain('"a" -> "c"');
  expect((await runTask(['graph', ...INPUTS, '--format', 'svg'], { cwd })).stdout).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
});

test('scan lists dependencies in ACR’s shape', async () => {
  const cwd = folderWith({ 'app/Dockerfile': 'FROM alpine:3 AS b\nFROM busybox\nCOPY --from=b / /\n', 'other/D': 'ARG X\nFROM $X\n' });
  const { code, stdout } = await runTask(['scan', '-t', 'r.io/app:1', 'app', '--output', 'json'], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    {
      image: { registry: 'r.io', repository: 'app', tag: '1', digest: '', reference: 'r.io/app:1' },
      'runtime-dependency': expect.objectContaining({ reference: 'busybox:latest' }),
      'buildtime-dependency': [expect.objectContaining({ reference: 'alpine:3' })],
      git: { 'git-head-revision': '' },
    },
  ]);
  const elsewhere = await runTask(['scan', '-f', '../other/D', '--build-arg', 'X=debian:12', '.'], { cwd: join(cwd, 'app') });
  expect(elsewhere.stdout).toContain('debian:12');
  expect((await runTask(['scan', 'app', '-f', 'nope'], { cwd })).code).toBe(2);
});

test('init writes a template once, and every template can be planned', async () => {
  for (const template of ['hello', 'build-push', 'multi-service', 'test-before-push']) {
    const cwd = folderWith({});
    const written = await runTask(['init', template], { cwd });
    expect(written).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(cwd, 'task.yaml'), 'utf8')).toMatch(/^# yaml-language-server: \$schema=\S+task\.schema\.json\n/);
    const lint = await runTask(['lint', '--acr', '--registry', 'localhost:5000'], { cwd });
    expect(lint).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to complain about') });
    const again = await runTask(['init', template], { cwd });
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('task.yaml exists already')]);
    expect((await runTask(['init', template, '--force'], { cwd })).code).toBe(0);
  }
  expect((await runTask(['init', 'helo'])).code).toBe(2);
});

test('init names the schema by a path that other machines have, or says that it does not', async () => {
  const firstLine = (cwd: string): string => readFileSync(join(cwd, 'task.yaml'), 'utf8').split('\n')[0] ?? '';
  const alone = folderWith({});
  expect((await runTask(['init'], { cwd: alone })).stdout).toContain('--with-schema');
  expect(firstLine(alone)).toMatch(/\$schema=file:\/\/\/.*schemas\/task\.schema\.json$/);
  const shared = folderWith({});
  const written = await runTask(['init', '--with-schema', '-d', 'ci'], { cwd: shared });
  expect(written.stdout).toContain('wrote ci/task.schema.json\n');
  expect(written.stdout).not.toContain('--with-schema');
  expect(firstLine(join(shared, 'ci'))).toBe('# yaml-language-server: $schema=./task.schema.json');
  expect(readFileSync(join(shared, 'ci/task.schema.json'))).toEqual(
    readFileSync(join(import.meta.dirname, '../../schemas/task.schema.json')),
  );
  expect((await runTask(['lint', 'ci'], { cwd: shared })).code).toBe(0);
  const installed = folderWith({ 'node_modules/slipway/schemas/task.schema.json': '{}' });
  expect((await runTask(['init', '-d', 'a/b'], { cwd: installed })).stdout).not.toContain('--with-schema');
  expect(firstLine(join(installed, 'a/b'))).toBe('# yaml-language-server: $schema=../../node_modules/slipway/schemas/task.schema.json');
});

test('an init that finds one of its files writes none of them', async () => {
  const cwd = folderWith({ Dockerfile: 'mine' });
  expect((await runTask(['init', 'build-push'], { cwd })).code).toBe(2);
  expect(existsSync(join(cwd, 'task.yaml'))).toBe(false);
  expect(readFileSync(join(cwd, 'Dockerfile'), 'utf8')).toBe('mine');
});

test('settings of the folder and variables are defaults; a bad one is shown with its place', async () => {
  const cwd = folderWith({ 'task.yaml': 'r: {{.Run.Registry}}', 'slipway.yaml': 'registry: folder.io\n' });
  expect((await runTask(['render'], { cwd })).stdout).toBe('r: folder.io');
  expect((await runTask(['render'], { cwd, env: { SLIPWAY_REGISTRY: 'env.io' } })).stdout).toBe('r: env.io');
  expect((await runTask(['render', '--registry', 'flag.io'], { cwd, env: { SLIPWAY_REGISTRY: 'env.io' } })).stdout).toBe('r: flag.io');
  const bad = await runTask(['render'], { cwd: folderWith({ 'task.yaml': '', 'slipway.yaml': 'format: loud\n' }) });
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('slipway.yaml:1:9: error:')]);
});

test('a --registry that is an address is refused as the setting is', async () => {
  const cwd = folderWith({ 'task.yaml': 'steps: []', Dockerfile: 'FROM x\n' });
  for (const command of [['plan'], ['lint'], ['doctor'], ['build', '--dry-run', '-t', 'a', '.'], ['run', '--dry-run']]) {
    const { code, stdout, stderr } = await runTask([...command, '--registry', 'http://foo'], { cwd });
    expect([command, code, stdout + stderr]).toEqual([
      command,
      2,
      expect.stringContaining('--registry has a value that is no registry: "http://foo"'),
    ]);
  }
  const render = await runTask(['render', '-f', '-', '--registry', ''], {
    cwd,
    input: 'r: "{{.Run.Registry}}"',
    env: { SLIPWAY_REGISTRY: 'a.io' },
  });
  expect(render.stdout).toBe('r: ""');
});

test('build composes one build and one push, with the registry in front of the tags', async () => {
  const cwd = folderWith({ 'ctx/Dockerfile': 'FROM x\n' });
  const args = [
    'build',
    '--dry-run',
    '--run',
    'ID=r1',
    '--registry',
    'r.io',
    '-t',
    'a:{{.Run.ID}}',
    '-t',
    'r.io/b',
    '-t',
    'library/c',
    '--push',
  ];
  const { code, stdout } = await runTask([...args, '--build-arg', "M=it's {x}", '--no-cache', '--target', 't', 'ctx'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toBe(`docker network create acb_default_network --driver bridge
build (timeout 480m)
  docker build --tag r.io/a:r1 --tag r.io/b --tag library/c --build-arg 'M=it'"'"'s {x}' --target t --no-cache .
push after build (timeout 60m)
  docker push r.io/a:r1
  docker push r.io/b:latest
  docker push library/c:latest
`);
});

test('build without a tag warns that there is nothing to push; secret arguments are masked', async () => {
  const cwd = folderWith({ Dockerfile: 'FROM x\n' });
  const { code, stdout, stderr } = await runTask(['build', '--dry-run', '--push', '--secret-build-arg', 'S=hunter22 {{', '.'], { cwd });
  expect(code).toBe(0);
  expect(stderr).toContain('nothing-to-push');
  expect(stdout).not.toContain('hunter22');
});

test('wrong flags are explained', async () => {
  const cwd = folderWith({ 'task.yaml': 'steps: [{cmd: x}]' });
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['run', '--run', 'Comit=1'], 'did you mean "Commit"?'],
    [['run', '--set-secret', 'a=env:NOPE'], 'no variable NOPE'],
    [['run', '--secret', 'a=literal'], 'env:NAME or file:PATH'],
    [['run', '--registry-credential', 'h=u:secretpassword'], 'HOST=USER:env:NAME'],
    [['run', '--credential', '{"registry":"r","username":"u"}'], '--credential:'],
    [['run', '--cmd', 'x', '-f', 'task.yaml'], 'exclude each other'],
    [['run', '--timeout', 'soon'], '10m'],
    [['run', '--watch', '/dev/null', '--cmd', 'x'], '--watch needs'],
    [['plan', '--platform', 'a/b/c/d'], 'os[/arch'],
  ];
  for (const [args, text] of cases) {
    const { code, stderr } = await runTask(args, { cwd });
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
    expect(stderr).not.toContain('secretpassword');
  }
});

test('without an engine a run ends with 3 and says how to mend it', async () => {
  const cwd = folderWith({ 'task.yaml': 'steps: [{cmd: x}]' });
  const { code, stdout } = await runTask(['run', '--engine', 'unix:///nowhere.sock', '--output', 'json'], { cwd });
  expect(code).toBe(3);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ type: 'run-finished', status: 'Error' });
});

test('plan as JSON reads a tag that ends in the id of the run, which no run has given', async () => {
  const text = 'version: v1.1.0\nsteps:\n  - id: b\n    build: -t $Registry/app:$ID .\n';
  const { code, stdout, stderr } = await runTask(['plan', '--output', 'json', '-f', '-', '--registry', 'reg.io'], { input: text });
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout).steps[0].build).toMatch(/^-t reg\.io\/app:[0-9a-z]+ \.$/);
});

test('build and scan of a folder that is not there are bad input', async () => {
  for (const command of [['build', '-t', 'x:1'], ['scan']]) {
    const { code, stdout, stderr } = await runTask([...command, 'nowhere']);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('there is no folder nowhere [context-missing]')]);
  }
});

test('a task file that was named may be a pipe', async () => {
  const cwd = folderWith({});
  const pipe = join(cwd, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const [{ code, stdout }] = await Promise.all([runTask(['render', '-f', 'pipe'], { cwd }), writeFile(pipe, 'k: piped')]);
  expect([code, stdout]).toEqual([0, 'k: piped']);
  const endless = await runTask(['render', '-f', '/dev/zero'], { cwd });
  expect([endless.code, endless.stderr]).toEqual([2, expect.stringContaining('/dev/zero is too long [file-too-big]')]);
});

test('a folder that has been removed is bad input, and no defect', async () => {
  const program = join(import.meta.dirname, '../../bin/task');
  const removed = spawnSync('sh', ['-c', 'cd "$1" && rmdir "$1" && exec "$2" render', 'sh', folderWith({}), program], { encoding: 'utf8' });
  expect([removed.status, removed.stderr]).toEqual([2, expect.stringContaining('[task-file-missing]')]);
});

test.each([
  [['run', '--no-wait', '--priority', '3', '.'], '`--no-wait`, `--priority`'],
  [['run', '--arg', 'A=1', '.'], '`--arg`'],
  [['build', '--no-logs', '--target', 'x', '.'], '`--no-logs`'],
  [['run', '--task', 'hello', '--dry-run'], '`--task`'],
])('%j names the flags that mean nothing on this machine', async (args, named) => {
  const { code, stderr } = await runTask(args, { cwd: folderWith({ 'task.yaml': 'steps: [{cmd: a}]\n', Dockerfile: 'FROM a\n' }) });
  expect([code, stderr]).toEqual([2, expect.stringContaining(`${named} mean`)]);
});
