import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/git/git-source.ts';
import { EngineError } from '../../src/model/engine-error.ts';
import type { AgentChannel } from '../../src/model/ports/agent-channel.ts';
import type { TaskStepDefinition } from '../../src/model/task-definition.ts';
import { makeTar } from '../archive/tar-maker.ts';
import { createFakeClock } from '../fakes/fake-clock.ts';
import { startGitServer } from '../support/git-server.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';
import { waitFor } from '../support/wait-for.ts';
import { createRig, NEVER } from './agent-rig.ts';
import { assignmentOf, encodedTask, runRequest } from './fake-channel.ts';

useOwnTmpdir();

const HELLO = `version: v1.1.0
steps:
  - id: hello
    cmd: busybox true
    env: ["FAKE_OUTPUT=hello {{.Run.ID}} {{.Run.Date}}"]
`;
const HELD = `version: v1.1.0
steps:
  - id: held
    cmd: busybox true
    env: [FAKE_HOLD=1]
`;

describe('agent', () => {
  it('claims a run, executes it, tells plan, events and output, and its end', async () => {
    const { agent, channel, engine, workDirectory } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELLO), { variables: { TriggeredBy: 'me' }, task: 'greet' })));
    expect(await channel.outcome('ra001')).toEqual({ status: 'Succeeded', images: [], built: [], baseImages: [], dependencies: [] });
    expect(channel.planned_.get('ra001')?.plan).toMatchObject({ taskName: 'greet', steps: [{ id: 'hello' }] });
    expect(channel.text('ra001', 'hello')).toBe('hello ra001 20300102-030405z');
    const types = channel.events.map(({ type }) => type);
    expect(types[0]).toBe('run-started');
    expect(types.at(-1)).toBe('run-finished');
    expect(types).not.toContain('step-output');
    expect(channel.events.map(({ seq }) => seq)).toEqual(channel.events.map((_, index) => index + 1));
    expect(engine.spaces[0]).toMatchObject({ durableLogs: true, dockerSocket: false });
    await agent.drain({ graceMs: 1000 });
    expect(readdirSync(workDirectory)).toEqual([]);
    expect(channel.left).toEqual(['agent1']);
  });

  it('runs as many at once as it has slots, and the next as soon as one has ended', async () => {
    const { agent, channel, engine } = createRig();
    await agent.start(NEVER);
    for (const run of ['ra001', 'ra002', 'ra003']) channel.submit(assignmentOf(run, runRequest(encodedTask(HELD))));
    const first = await engine.nextStart('held');
    await engine.nextStart('held');
    expect(engine.peak).toBe(2);
    first.exit(0);
    const third = await engine.nextStart('held');
    expect(engine.peak).toBe(2);
    third.exit(3);
    expect(await channel.outcome('ra003')).toMatchObject({ status: 'Failed' });
  });

  it('cancels a run as soon as the daemon says so, with the reason', async () => {
    const { agent, channel, engine } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELD))));
    const container = await engine.nextStart('held');
    channel.cancel('ra001', 'Ann does not need it');
    await container.terminated;
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Canceled', error: { message: 'Ann does not need it' } });
  });

  it('ends a run that was canceled before it was claimed without a step', async () => {
    const { agent, channel, engine } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELLO)), { cancel: { reason: 'superseded' } }));
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Canceled', error: { message: 'superseded' } });
    expect(engine.calls).toEqual([]);
    expect(channel.events.map(({ type }) => type)).toEqual(['run-started', 'run-finished']);
  });

  it('stops the containers of a stale attempt and says no more of it', async () => {
    const { agent, channel, engine } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELD))));
    const container = await engine.nextStart('held');
    channel.fence('ra001');
    const told = channel.events.length;
    await container.write('stdout', 'more\n');
    await waitFor(async () => engine.destroyed === 1 || undefined);
    await agent.drain({ graceMs: 10_000 });
    expect(channel.events.length).toBe(told);
    expect(channel.finished.size).toBe(0);
    expect(engine.destroyed).toBe(1);
  });

  it('stops the containers of a run whose lease another has', async () => {
    const { agent, channel, engine } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELD)), { leaseMs: 30 }));
    await engine.nextStart('held');
    channel.lost.add('ra001');
    await waitFor(async () => engine.destroyed === 1 || undefined);
    await agent.drain({ graceMs: 10_000 });
    expect(channel.finished.size).toBe(0);
  });

  it('gives its runs up when it cannot renew their leases for two leases, and not before', async () => {
    const clock = createFakeClock();
    const { agent, channel, engine } = createRig({ deps: { clock } });
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELD)), { leaseMs: 9000 }));
    await engine.nextStart('held');
    channel.broken = true;
    await clock.advance(17_000);
    expect(engine.destroyed).toBe(0);
    await clock.advance(7000);
    expect(engine.destroyed).toBe(1);
    expect(channel.finished.size).toBe(0);
  });

  it('tries again to tell what the store could not take for a while', async () => {
    const { agent, channel } = createRig();
    let failures = 0;
    const finish: AgentChannel['finish'] = channel.finish;
    channel.finish = async (lease, outcome) => {
      failures += 1;
      if (failures < 3) throw new EngineError('store-failed', 'the disk is full');
      await finish(lease, outcome);
    };
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELLO))));
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Succeeded' });
    expect(failures).toBe(3);
  });

  it('ends a run whose time is up as Timeout', async () => {
    const clock = createFakeClock();
    const { agent, channel, engine } = createRig({ deps: { clock } });
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELD), { timeout: 300 })));
    await engine.nextStart('held');
    await clock.advance(301_000);
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Timeout' });
  });

  it('gives back what has not begun when it is stopped', async () => {
    const { agent, channel, engine } = createRig();
    const reached = Promise.withResolvers<void>();
    const secrets = Promise.withResolvers<Awaited<ReturnType<AgentChannel['secrets']>>>();
    channel.secrets = () => {
      reached.resolve();
      return secrets.promise;
    };
    await agent.start(NEVER);
    const step = encodedTask(HELLO, { values: [{ name: 'a', isSecret: true, value: { secret: 'x' } }] });
    channel.submit(assignmentOf('ra001', runRequest(step)));
    await reached.promise;
    const stopped = agent.stop();
    secrets.resolve({ values: { a: 'b' }, credentials: [], named: {} });
    await stopped;
    expect(channel.released).toEqual(['ra001']);
    expect(engine.calls).toEqual([]);
    expect(channel.finished.size).toBe(0);
  });

  it('waits for its runs when it drains, and claims nothing more', async () => {
    const { agent, channel, engine } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELD))));
    const container = await engine.nextStart('held');
    const drained = agent.drain({ graceMs: 60_000 });
    channel.submit(assignmentOf('ra002', runRequest(encodedTask(HELLO))));
    container.exit(0);
    await drained;
    expect([...channel.finished.keys()]).toEqual(['ra001']);
  });

  it('removes contexts of runs that it does not hold, and what they left in the engine', async () => {
    const first = createRig();
    mkdirSync(join(first.workDirectory, 'ra000', 'context'), { recursive: true });
    writeFileSync(join(first.workDirectory, 'ra000', 'context', 'file'), 'x');
    await first.agent.start(NEVER);
    expect(readdirSync(first.workDirectory)).toEqual([]);
  });
});

describe('bad tasks', () => {
  const bad = async (request: Parameters<typeof assignmentOf>[1]) => {
    const { agent, channel } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', request));
    const outcome = await channel.outcome('ra001');
    return { outcome, log: channel.text('ra001', 'slipway'), events: channel.events };
  };

  it('ends a run with an error in its task file as Failed, and shows each error in the log', async () => {
    const text = 'version: v1.1.0\nsteps:\n  - cmd: busybox\n    tiemout: x\n    when: [nobody]\n';
    const { outcome, log, events } = await bad(runRequest(encodedTask(text)));
    expect(outcome).toMatchObject({ status: 'Failed', error: { errorCode: 'bad-task' } });
    expect(log).toMatch(/^<task>:\d+:\d+: error: /m);
    expect(events.at(-1)).toMatchObject({ type: 'run-finished', status: 'Failed', failure: { errorCode: 'bad-task' } });
  });

  it('masks secrets in what it says of a bad task', async () => {
    const { agent, channel } = createRig();
    channel.secretValues.values['token'] = 'canary-5d1f';
    await agent.start(NEVER);
    const text = 'version: v1.1.0\nsteps:\n  - cmd: busybox\n    when: ["{{.Values.token}}"]\n';
    const step = encodedTask(text, { values: [{ name: 'token', isSecret: true, value: { secret: 'x' } }] });
    channel.submit(assignmentOf('ra001', runRequest(step)));
    const outcome = await channel.outcome('ra001');
    expect(outcome).toMatchObject({ status: 'Failed', error: { errorCode: 'bad-task' } });
    expect(JSON.stringify([outcome, channel.events, channel.text('ra001', 'slipway')])).not.toContain('canary');
  });

  it('says that a task file is missing in the context, or leads out of it', async () => {
    const { agent, channel } = createRig();
    const tar = makeTar([{ name: 'link.yaml', type: '2', linkname: 'gone.yaml' }]);
    const sha256 = createHash('sha256').update(tar).digest('hex');
    channel.uploads.set(sha256, tar);
    await agent.start(NEVER);
    for (const [run, taskFilePath] of [
      ['ra001', 'nope.yaml'],
      ['ra002', '../../../etc/passwd'],
      ['ra003', 'link.yaml'],
    ] as const) {
      const step = { type: 'FileTask', contextPath: `upload:${sha256}`, taskFilePath, values: [] } as const;
      channel.submit(assignmentOf(run, runRequest(step)));
      expect(await channel.outcome(run)).toMatchObject({ status: 'Failed', error: { errorCode: 'bad-task' } });
    }
  });

  it('ends a run whose context cannot be had as Error', async () => {
    const step = { type: 'FileTask', contextPath: `upload:${'0'.repeat(64)}`, taskFilePath: 'a.yaml', values: [] } as const;
    const { outcome, log } = await bad(runRequest(step));
    expect(outcome).toMatchObject({ status: 'Error', error: { errorCode: 'context-failed' } });
    expect(log).toContain('not here');
  });

  it('survives a defect in its parts', async () => {
    const { agent, channel } = createRig({
      deps: {
        makeRunParts: () => {
          throw new TypeError('boom');
        },
      },
    });
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELLO))));
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Error', error: { errorCode: 'internal', message: 'boom' } });
  });
});

describe('contexts', () => {
  it('takes an uploaded context: task file, values and seed of the workspace', async () => {
    const { agent, channel, engine, workDirectory } = createRig();
    const tar = makeTar([
      { name: 'ci/task.yaml', body: HELD.replace('busybox true', 'busybox {{.Values.word}} {{.Values.other}}') },
      { name: 'ci/values.yaml', body: 'word: fromfile\nother: fromfile\n' },
    ]);
    const sha256 = createHash('sha256').update(tar).digest('hex');
    channel.uploads.set(sha256, tar);
    await agent.start(NEVER);
    const values = [{ name: 'other', value: 'set', isSecret: false }] as const;
    const step = {
      type: 'FileTask',
      contextPath: `upload:${sha256}`,
      taskFilePath: 'ci/task.yaml',
      valuesFilePath: 'ci/values.yaml',
      values,
    } as const;
    channel.submit(assignmentOf('ra001', runRequest(step)));
    const container = await engine.nextStart('held');
    expect(container.request.container.args).toEqual(['fromfile', 'set']);
    const { workspace } = engine.spaces[0] ?? {};
    expect(workspace).toMatchObject({
      kind: 'volume',
      name: 'slipway-ra001xab12cd-workspace',
      seed: join(workDirectory, 'ra001', 'context'),
    });
    expect(existsSync(join(workDirectory, 'ra001', 'context', 'ci', 'task.yaml'))).toBe(true);
    container.exit(0);
    await agent.drain({ graceMs: 10_000 });
    expect(readdirSync(workDirectory)).toEqual([]);
  });

  it('checks out the pinned commit with the token of the context, over real git', async () => {
    const token = 'canary-token-9e2a';
    await using server = await startGitServer({ authorization: `Basic ${Buffer.from(`dummy:${token}`).toString('base64')}` });
    let first = '';
    const file = (word: string): string =>
      HELD.replace('busybox true', `busybox ${word} {{.Run.Commit}} {{.Run.Branch}} {{.Run.Repository}}`);
    await server.repository('app', async (work) => {
      await writeFile(join(work.directory, 'acr-task.yaml'), file('one'));
      first = await work.commit('one');
      await writeFile(join(work.directory, 'acr-task.yaml'), file('two'));
      await work.commit('two');
    });
    const { agent, channel, engine } = createRig();
    channel.secretValues.contextToken = token;
    await agent.start(NEVER);
    const url = `${server.url}/smart/app.git`;
    const step = {
      type: 'FileTask',
      contextPath: `${url}#main`,
      contextAccessToken: { secret: 't' },
      taskFilePath: 'acr-task.yaml',
      values: [],
    } as const;
    channel.submit(assignmentOf('ra001', runRequest(step, { pinnedCommit: first, variables: { Branch: 'main' } })));
    const container = await engine.nextStart('held');
    expect(container.request.container.args).toEqual(['one', first, 'main', url]);
    expect(channel.planned_.get('ra001')?.source).toEqual({ commit: first, branch: 'main', repository: url });
    await container.write('stdout', `token ${token}\n`);
    container.exit(0);
    await channel.outcome('ra001');
    expect(channel.text('ra001', 'held')).toBe('token ***\n');
  });

  it('runs a forked pull request on its head by the task file of its base, whatever the head says', async () => {
    // A private repository, and the token that reads it: also the one that the stranger names as a submodule.
    await using server = await startGitServer({ authorization: `Basic ${Buffer.from('dummy:fetch-token').toString('base64')}` });
    let secretCommit = '';
    await server.repository('other', async (work) => {
      await writeFile(join(work.directory, 'private'), 'not for strangers\n');
      secretCommit = await work.commit('one');
    });
    let base = '';
    let head = '';
    const file = (word: string): string => HELD.replace('busybox true', `busybox ${word} {{.Values.from}} {{.Run.Commit}}`);
    await server.repository('app', async (work) => {
      await mkdir(join(work.directory, 'ci'));
      await writeFile(join(work.directory, 'ci', 'acr-task.yaml'), file('base'));
      await writeFile(join(work.directory, 'ci', 'values.yaml'), 'from: base-values\n');
      base = await work.commit('base');
      await writeFile(join(work.directory, 'ci', 'acr-task.yaml'), file('evil'));
      await writeFile(join(work.directory, 'ci', 'values.yaml'), 'from: evil-values\n');
      await writeFile(join(work.directory, '.gitmodules'), '[submodule "s"]\n\tpath = stolen\n\turl = ../other.git\n');
      await work.git('add', '-A');
      await work.git('update-index', '--add', '--cacheinfo', `160000,${secretCommit},stolen`);
      await work.git('commit', '-q', '-m', 'head');
      head = (await work.git('rev-parse', 'HEAD')).trim();
      await work.git('update-ref', 'refs/pull/5/head', head);
      await work.git('reset', '--hard', base);
    });
    const { agent, channel, engine, workDirectory } = createRig();
    await agent.start(NEVER);
    const url = `${server.url}/smart/app.git`;
    const contextPath = `${url}#${head}:ci`;
    const named = { taskFilePath: 'acr-task.yaml', valuesFilePath: 'values.yaml', values: [] };
    const step = { type: 'FileTask', contextPath, contextAccessToken: { secret: 'GIT' }, ...named } as const;
    channel.secretValues.contextToken = 'fetch-token';
    const pull = {
      ...{ pinnedCommit: head, pinnedRef: 'refs/pull/5/head', taskFileContext: `${url}#${base}:ci`, trust: 'untrusted' as const },
      variables: { Commit: head, Branch: 'main', TriggeredBy: 'Pull Request' },
    };
    channel.submit(assignmentOf('ra001', runRequest(step, pull)));
    const container = await engine.nextStart('held');
    expect(container.request.container.args).toEqual(['base', 'base-values', head]);
    expect(readFileSync(join(workDirectory, 'ra001', 'context', 'ci', 'values.yaml'), 'utf8')).toContain('evil');
    expect(existsSync(join(workDirectory, 'ra001', 'context', 'stolen', 'private'))).toBe(false);
    expect(JSON.stringify(container.request)).not.toContain('fetch-token');
    container.exit(0);
    expect((await channel.outcome('ra001')).status).toBe('Succeeded');
  });

  it('takes a repository of its own machine only where that is allowed', async () => {
    await using server = await startGitServer();
    const bare = await server.repository('own', async (work) => {
      await writeFile(join(work.directory, 'acr-task.yaml'), HELLO);
      await work.commit('one');
    });
    const step = { type: 'FileTask', contextPath: `file://${bare}#main`, taskFilePath: 'acr-task.yaml', values: [] } as const;
    const refusing = createRig();
    await refusing.agent.start(NEVER);
    refusing.channel.submit(assignmentOf('ra001', runRequest(step)));
    expect(await refusing.channel.outcome('ra001')).toMatchObject({ error: { errorCode: 'context-rejected' } });
    const git = createGitSource({ addresses: { allowPrivate: true, allowLoopback: true }, allowFile: true });
    const { agent, channel } = createRig({ deps: { allowFileGit: true, git } });
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra002', runRequest(step)));
    expect((await channel.outcome('ra002')).status).toBe('Succeeded');
  });

  it('makes a build and a push of a Dockerfile task, secret arguments masked', async () => {
    const { agent, channel, inputRequests, engine } = createRig();
    channel.secretValues.values['TOKEN'] = 'canary-{{x}}';
    const tar = makeTar([{ name: 'Dockerfile', body: 'FROM scratch\n' }]);
    const sha256 = createHash('sha256').update(tar).digest('hex');
    channel.uploads.set(sha256, tar);
    await agent.start(NEVER);
    const step: TaskStepDefinition = {
      ...{ type: 'Docker' as const, contextPath: `upload:${sha256}`, dockerFilePath: 'Dockerfile' },
      imageNames: ['app:{{.Run.ID}}', 'other.test/x:1'],
      ...{ isPushEnabled: true, noCache: true, target: 'final' },
      arguments: [
        { name: 'A', value: 'b c', isSecret: false },
        { name: 'TOKEN', value: { secret: 's' }, isSecret: true },
      ],
    };
    channel.submit(assignmentOf('ra001', runRequest(step)));
    expect(await channel.outcome('ra001')).toMatchObject({
      status: 'Succeeded',
      images: [{ reference: 'registry.test:5000/app:ra001' }, { reference: 'other.test/x:1' }],
    });
    expect(inputRequests[0]?.spec).toMatchObject({
      ...{ tags: ['registry.test:5000/app:ra001', 'other.test/x:1'], dockerfile: 'Dockerfile', target: 'final', noCache: true },
      ...{ buildArgs: ['A=b c', 'TOKEN=canary-{{x}}'], context: { kind: 'local', path: '.' } },
    });
    expect(engine.calls.filter((call) => call.startsWith('push'))).toEqual(['push registry.test:5000/app:ra001', 'push other.test/x:1']);
    expect(JSON.stringify(channel.events)).not.toContain('canary');
    expect(channel.progressed.map(({ type }) => type)).toContain('build-progress');
    expect(channel.events.map(({ type }) => type)).not.toContain('build-progress');
  });

  it('says that a build without a name is not pushed', async () => {
    const { agent, channel, engine } = createRig();
    await agent.start(NEVER);
    const step = { type: 'Docker', dockerFilePath: '', imageNames: [], isPushEnabled: true, noCache: false, arguments: [] } as const;
    channel.submit(assignmentOf('ra001', runRequest(step)));
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Succeeded' });
    expect(channel.text('ra001', 'slipway')).toContain('warning: the task is to push what it builds');
    expect(engine.calls.filter((call) => call.startsWith('push'))).toEqual([]);
  });

  it.each(['../..', '/etc', '-'])("refuses the context %j, which would be the daemon's own", async (contextPath) => {
    const { agent, channel } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest({ type: 'FileTask', contextPath, taskFilePath: 'a.yaml', values: [] })));
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Failed', error: { errorCode: 'context-rejected' } });
  });
});

describe('secrets', () => {
  const SECRET = `version: v1.1.0
secrets:
  - id: key
    keyvault: secret://deploy-key
steps:
  - id: use
    cmd: busybox true
    env: ["FAKE_OUTPUT=<{{.Secrets.key}}>"]
`;

  it('resolves secret:// of the task file by the daemon and masks the values', async () => {
    const { agent, channel, partsAsked } = createRig();
    channel.secretValues.named['deploy-key'] = 'canary-77aa';
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(SECRET))));
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Succeeded' });
    expect(channel.secretsAsked).toEqual(['named deploy-key']);
    expect(channel.text('ra001', 'use')).toBe('<***>');
    expect(partsAsked[0]).toMatchObject({ trust: 'trusted', logins: [] });
  });

  it.each(['env://HOME', 'file:///etc/passwd', 'exec://id', 'https://vault.vault.azure.net/secrets/x'])(
    'resolves no %s on a daemon',
    async (keyvault) => {
      const { agent, channel } = createRig();
      await agent.start(NEVER);
      channel.submit(assignmentOf('ra001', runRequest(encodedTask(SECRET.replace('secret://deploy-key', keyvault)))));
      expect(await channel.outcome('ra001')).toMatchObject({ status: 'Error', error: { errorCode: 'secret-unavailable' } });
      expect(channel.secretsAsked).toEqual([]);
    },
  );

  it('gives an untrusted run no secret, no login and no socket, whatever its task says', async () => {
    const { agent, channel, partsAsked, engine } = createRig();
    channel.secretValues.values['a'] = 'canary';
    await agent.start(NEVER);
    const untrusted = {
      trust: 'untrusted',
      policy: { privileged: true, hostMounts: true, dockerSocket: true },
      credentials: [{ loginServer: 'r.test', userName: 'u', password: { secret: 'p' } }],
    } as const;
    const values = [{ name: 'a', isSecret: true, value: { secret: 's' } }] as const;
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELLO, { values }), untrusted)));
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Succeeded' });
    expect(partsAsked[0]).toMatchObject({ trust: 'untrusted', logins: [] });
    expect(engine.spaces[0]?.dockerSocket).toBe(false);
    channel.submit(assignmentOf('ra002', runRequest(encodedTask(SECRET), untrusted)));
    expect(await channel.outcome('ra002')).toMatchObject({ status: 'Failed', error: { errorCode: 'policy-refused' } });
    expect(channel.secretsAsked).toEqual([]);
  });

  it('does not give variables of its own process to steps', async () => {
    const { agent, channel, engine } = createRig();
    await agent.start(NEVER);
    channel.submit(assignmentOf('ra001', runRequest(encodedTask(HELD.replace('busybox true', '-e PATH -e A=b busybox true')))));
    const container = await engine.nextStart('held');
    expect(container.request.container.env).not.toContain('PATH');
    expect(container.request.container.env).toContain('A=b');
    container.exit(0);
  });
});
