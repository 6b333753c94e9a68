import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerEngine, RunSpaceSpec } from '../../src/model/ports/container-engine.ts';
import { type EngineHttp, engineHttp } from '../support/engine-http.ts';
import { OutputRecorder, request, run, script, withRun } from './run-spec.ts';

export interface RealEngine {
  open(environment?: Readonly<Record<string, string>>): Promise<ContainerEngine>;
  socketPath(): string;
  /** Podman 4.3 says nothing about it where control groups are of version 1. */
  readonly tellsOutOfMemory: boolean;
  /** Podman compares names with bytes above 127 in another form. */
  readonly resolvesRawBytes: boolean;
  /** Podman's rules for published ports need kernel settings that a restricted machine refuses; there only the setting is looked at. */
  readonly reachesPublishedPorts: boolean;
}

const onTask = { network: { kind: 'task', name: 'acb_default_network' } } as const;

/** What the containers of a step look like from inside and outside, on an engine that runs real ones. */
export function realContainersContract(name: string, subject: RealEngine): void {
  describe(`real containers: ${name}`, () => {
    let engine: ContainerEngine;
    let http: EngineHttp;
    let folder: string;
    beforeAll(async () => {
      engine = await subject.open({ PATH: '/bin', FROM_HOST: 'host value' });
      http = engineHttp(subject.socketPath());
      folder = await mkdtemp(join(tmpdir(), 'slipway-workspace-'));
    });
    afterAll(async () => {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    });

    describe('output', () => {
      it('passes bytes that are no text unchanged', async () => {
        await withRun(engine, {}, async (space) => {
          const { stdout } = await run(space, script('a', `printf '\\377\\000\\303(\\n'`));
          expect(Buffer.from(stdout, 'latin1').toString('hex')).toBe('ff00c3280a');
        });
      });

      it('gives a million lines to a slow consumer whole and in order', async () => {
        await withRun(engine, {}, async (space) => {
          let next = 1;
          let rest = '';
          let busy = 0;
          const outcome = await space.runContainer(script('a', 'seq 1000000'), {
            signal: new AbortController().signal,
            graceMs: 1000,
            onOutput: async (_stream, chunk) => {
              busy += 1;
              expect(busy).toBe(1);
              await new Promise((resolve) => setImmediate(resolve));
              const lines = (rest + Buffer.from(chunk).toString()).split('\n');
              rest = lines.pop() ?? '';
              for (const line of lines) {
                if (line !== String(next)) throw new Error(`line ${next} is "${line}"`);
                next += 1;
              }
              busy -= 1;
            },
          });
          expect(outcome.exitCode).toBe(0);
          expect(next).toBe(1_000_001);
        });
      });

      it('ends the step when its consumer fails', async () => {
        await withRun(engine, {}, async (space) => {
          const running = space.runContainer(script('a', 'while :; do echo y; done'), {
            signal: new AbortController().signal,
            graceMs: 1000,
            onOutput: () => {
              throw new Error('the disk of the log is full');
            },
          });
          await expect(running).rejects.toThrow('the disk of the log is full');
        });
      });

      it('is one stream with a terminal', async () => {
        await withRun(engine, {}, async (space) => {
          const { stdout } = await run(space, script('a', 'test -t 1 && echo terminal; echo error >&2', { extra: { tty: true } }));
          expect(stdout).toBe('terminal\r\nerror\r\n');
        });
      });
    });

    describe('what a step sees', () => {
      it('has home, workspace, the last of several values and values of the host', async () => {
        await withRun(engine, {}, async (space) => {
          const env = ['HOME=/acb/home', 'A=1', 'A=2=3', 'FROM_HOST', 'NOT_SET'];
          const { stdout } = await run(space, script('a', 'echo "$HOME $PWD $A $FROM_HOST ${NOT_SET-unset}"; touch $HOME/x', { env }));
          expect(stdout).toBe('/acb/home /workspace 2=3 host value unset\n');
        });
      });

      it('gets user, entrypoint, a new working directory, labels, limits and flags', async () => {
        await withRun(engine, {}, async (space) => {
          const flags = { readOnly: true, tmpfs: ['/scratch:size=1m'], ulimits: ['nofile=100:200', 'nproc=64:64'], hostname: 'myhost' };
          const spec = { user: '1234:5678', workdir: '/workspace/new/dir', entrypoint: ['sh', '-c'], extra: flags };
          const text =
            'id -u; id -g; pwd; hostname; ulimit -n; touch /x 2>/dev/null || echo read-only; grep -c " /scratch tmpfs" /proc/mounts';
          const { stdout } = await run(space, request('a', { ...spec, args: [text] }));
          expect(stdout.split('\n')).toEqual(['1234', '5678', '/workspace/new/dir', 'myhost', '100', 'read-only', '1', '']);
        });
      });

      it('gets a share of the processors', async () => {
        await withRun(engine, {}, async (space) => {
          const text = 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d" " -f1 /sys/fs/cgroup/cpu.max';
          expect((await run(space, script('a', text, { cpus: '0.5' }))).stdout).toBe('50000\n');
        });
      });

      it('tells that memory ran out', async () => {
        await withRun(engine, {}, async (space) => {
          const hungry = script('a', 'exec tail /dev/zero', { extra: { memory: '8m', memorySwap: '8m' } });
          expect((await run(space, hungry)).outcome).toMatchObject({
            exitCode: 137,
            outOfMemory: subject.tellsOutOfMemory,
            canceled: false,
          });
        });
      });

      it('explains what cannot be asked for', async () => {
        await withRun(engine, {}, async (space) => {
          const hyperv = await run(space, request('a', { isolation: 'hyperv' }));
          expect(hyperv.outcome).toMatchObject({ exitCode: 125, startFailure: expect.stringContaining('Windows') });
          const port = await run(space, request('b', { ports: ['http'] }));
          expect(port.outcome).toMatchObject({ exitCode: 125, startFailure: expect.stringContaining('invalid port "http"') });
          const directory = await run(space, request('c', { args: ['/bin'] }));
          expect(directory.outcome).toMatchObject({ exitCode: 126 });
          expect((await run(space, request('d', { args: ['true'], isolation: 'Default' }))).outcome.exitCode).toBe(0);
        });
      });

      it('may be killed from outside, which is no cancel', async () => {
        await withRun(engine, {}, async (space) => {
          const output = new OutputRecorder();
          const { io } = output;
          const running = space.runContainer(script('a', 'echo up; sleep 1000'), {
            ...io,
            onStarted: (id) => void output.saw('up').then(() => http.json('POST', `/containers/${id}/kill`)),
          });
          expect(await running).toMatchObject({ exitCode: 137, canceled: false, outOfMemory: false });
        });
      });
    });

    describe('files', () => {
      it('shares workspace and home between steps and reads files back', async () => {
        await withRun(engine, {}, async (space) => {
          await run(
            space,
            script(
              'a',
              'mkdir d; printf content > d/f; ln -s f d/inside; ln -s /etc/passwd d/outside; ln -s loop d/loop; echo h > $HOME/h',
            ),
          );
          expect((await run(space, script('b', 'cat d/f $HOME/h'))).stdout).toBe('contenth\n');
          const read = async (path: string): Promise<string | undefined> => (await space.readWorkspaceFile(path))?.toString();
          expect(await read('/workspace/d/f')).toBe('content');
          expect(await read('/workspace/d/inside')).toBe('content');
          for (const path of ['d/outside', 'd/loop', 'd', 'none', '../etc/passwd'])
            expect(await read(`/workspace/${path}`)).toBeUndefined();
        });
      });

      it('seeds the workspace from a directory, leaving out what .dockerignore excludes', async () => {
        await mkdir(join(folder, 'sub/deep'), { recursive: true });
        await mkdir(join(folder, 'skip'));
        const files = {
          'sub/deep/f': 'deep',
          'skip/f': 'no',
          'a.log': 'no',
          'keep.log': 'yes',
          Dockerfile: 'FROM scratch',
          '.dockerignore': 'skip\n*.log\n!keep.log\nDockerfile\n',
        };
        await Promise.all(Object.entries(files).map(([path, content]) => writeFile(join(folder, path), content)));
        const name = `seeded-${Date.now()}`;
        await withRun(engine, { workspace: { kind: 'volume', name, seed: folder } }, async (space) => {
          const { stdout } = await run(space, script('a', 'find . -type f | sort; cat sub/deep/f'));
          expect(stdout).toBe('./.dockerignore\n./Dockerfile\n./keep.log\n./sub/deep/f\ndeep');
        });
        expect(await http.status('GET', `/volumes/${name}`)).toBe(404);
      });

      it('gives a seeded workspace to a container that was prepared before', async () => {
        await writeFile(join(folder, 'seed.txt'), 'seeded');
        await withRun(engine, { workspace: { kind: 'volume', name: `prepared-${Date.now()}`, seed: folder } }, async (space) => {
          const step = script('a', 'cat seed.txt');
          space.prepare(step);
          expect((await run(space, step)).stdout).toBe('seeded');
        });
      });

      it('leaves an external workspace alone', async () => {
        await withRun(engine, { workspace: { kind: 'external', source: folder } }, async (space) => {
          await run(space, script('a', 'echo made > from-step'));
          expect((await space.readWorkspaceFile('/workspace/from-step'))?.toString()).toBe('made\n');
        });
        await rm(join(folder, 'from-step'));
      });

      it('puts secret volumes in memory, byte for byte, for every user, and takes them away', async () => {
        const binary = Buffer.from([0, 255, 10, 13, 39, 36, 96, 92, 0]);
        const volumes = [
          { name: 'one', files: { bin: binary.toString('base64'), text: Buffer.from('line 1\nEOL\n$x').toString('base64'), empty: '' } },
          { name: 'two', files: { f: Buffer.from('2').toString('base64') } },
        ];
        const mounts = {
          volumeMounts: [
            { name: 'one', mountPath: '/one' },
            { name: 'one', mountPath: '/again' },
            { name: 'two', mountPath: '/two' },
          ],
        };
        const names = await withRun(engine, { volumes }, async (space, { runId }) => {
          const first = await run(
            space,
            script('a', 'cat /one/bin; cat /one/text /again/empty /two/f; grep -c " /one tmpfs" /proc/mounts', { ...mounts, user: '99' }),
          );
          expect(Buffer.from(first.stdout, 'latin1')).toEqual(Buffer.concat([binary, Buffer.from('line 1\nEOL\n$x21\n')]));
          const second = await run(space, script('b', 'cat /again/text', mounts));
          expect(second.stdout).toBe('line 1\nEOL\n$x');
          return (await http.json<{ Volumes: { Name: string }[] }>('GET', '/volumes')).Volumes.filter(({ Name }) => Name.includes(runId));
        });
        expect(names.length).toBeGreaterThanOrEqual(3);
        for (const { Name } of names) expect(await http.status('GET', `/volumes/${Name}`)).toBe(404);
      });

      it('writes the credentials of the run into the home, and nowhere that inspect shows', async () => {
        const credentials: RunSpaceSpec['credentials'] = {
          forHost: async (host) => (host === 'registry.test' ? { kind: 'basic', username: 'me', password: 'canary-secret' } : undefined),
          explicitHosts: () => ['registry.test'],
        };
        await withRun(engine, { credentials, dockerSocket: true }, async (space) => {
          const { stdout, outcome } = await run(space, script('a', 'cat $HOME/.docker/config.json', {}, { keep: true }));
          const auth = Buffer.from('me:canary-secret').toString('base64');
          expect(JSON.parse(stdout)).toEqual({ auths: { 'registry.test': { auth } } });
          const details = JSON.stringify(await http.json('GET', `/containers/${outcome.containerId}/json`));
          expect(details).not.toContain('canary-secret');
          expect(details).not.toContain(auth);
        });
      });
    });

    describe('network', () => {
      it('resolves the ids of steps that run at the same time, odd ones included', async () => {
        await withRun(engine, {}, async (space) => {
          const server = 'echo hello > index.html; exec httpd -f -p 80';
          for (const id of ['web', 'C', 'über']) await run(space, script(id, server, onTask, { detach: true }));
          const fetchAll =
            'for host in web C xn--ber-goa; do for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://$host && break; sleep 0.3; done; done';
          expect((await run(space, script('client', fetchAll, onTask))).stdout).toBe('hello\nhello\nhello\n');
          // Programs that know no international names ask with raw bytes.
          if (subject.resolvesRawBytes) expect((await run(space, script('raw', 'nslookup über', onTask))).outcome.exitCode).toBe(0);
        });
      });

      it('has no names on the built-in bridge', async () => {
        await withRun(engine, {}, async (space) => {
          await run(space, script('web', 'sleep 1000', {}, { detach: true }));
          const { outcome } = await run(space, script('client', 'wget -q -T 2 -O - http://web'));
          expect(outcome.exitCode).not.toBe(0);
        });
      });

      it('lets the steps of a lane share a namespace that others find by their ids', async () => {
        const lanes = [{ id: '0', network: 'acb_default_network', steps: ['one', 'two'], ports: [], expose: [] }];
        await withRun(engine, { lanes }, async (space, { runId }) => {
          const address = 'ip -4 addr show eth0 | grep -o "inet [0-9.]*"';
          const first = await run(space, script('one', address, onTask));
          const output = new OutputRecorder();
          const running = space.runContainer(
            script('two', `${address}; echo hi > index.html; httpd -f -p 80`, onTask),
            output.withGrace(100),
          );
          await output.saw('inet');
          const fetchBoth =
            'for host in one two; do for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://$host && break; sleep 0.3; done; done';
          expect((await run(space, script('outside', fetchBoth, onTask))).stdout).toBe('hi\nhi\n');
          output.cancel();
          expect((await running).canceled).toBe(true);
          expect(output.text('stdout')).toBe(first.stdout);
          const networks = await http.json<{ Name: string }[]>('GET', '/networks');
          expect(networks.filter(({ Name }) => Name.includes(runId))).toHaveLength(1);
        });
      });

      it('publishes ports, of a step and of a lane', async () => {
        const lanes = [{ id: '0', network: undefined, steps: ['lane'], ports: ['127.0.0.1:38471:80'], expose: [] }];
        await withRun(engine, { lanes }, async (space) => {
          const server = 'echo $0 > /tmp/index.html; exec httpd -f -p 80 -h /tmp';
          const alone = await run(space, script('alone', server, { ports: ['127.0.0.1:38472:80/tcp'] }, { detach: true }));
          await run(space, script('lane', server, {}, { detach: true }));
          expect(alone.outcome.startFailure).toBeUndefined();
          const { HostConfig } = await http.json<{ HostConfig: { PortBindings: object } }>(
            'GET',
            `/containers/${alone.outcome.containerId}/json`,
          );
          expect(HostConfig.PortBindings).toEqual({ '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '38472' }] });
          if (!subject.reachesPublishedPorts) return;
          expect(await getSoon('http://127.0.0.1:38472/')).toBe('sh\n');
          expect(await getSoon('http://127.0.0.1:38471/')).toBe('sh\n');
        });
      });

      it('joins the namespace of another step', async () => {
        await withRun(engine, {}, async (space) => {
          await run(space, script('web', 'echo local > index.html; exec httpd -f -p 80', onTask, { detach: true }));
          const joined = { network: { kind: 'mode', mode: 'container:web' } } as const;
          const text = 'for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://127.0.0.1 && break; sleep 0.3; done';
          expect((await run(space, script('client', text, joined))).stdout).toBe('local\n');
        });
      });
    });

    describe('names and runs side by side', () => {
      it('names a kept container by its step where steps can see the engine, and never takes the name from another run', async () => {
        const step = `kept-${Date.now()}`;
        const kept = script(step, 'echo from $0', {}, { keep: true });
        await withRun(engine, { dockerSocket: true }, async (first) => {
          await withRun(engine, { dockerSocket: true }, async (second) => {
            const a = await run(first, kept);
            const b = await run(second, kept);
            expect(a.outcome.containerId).not.toBe(b.outcome.containerId);
            expect((await http.json<{ Id: string }>('GET', `/containers/${step}/json`)).Id).toBe(a.outcome.containerId);
            const logs = await http.bytes('GET', `/containers/${b.outcome.containerId}/logs?stdout=1`);
            expect(logs.toString()).toContain('from sh');
          });
          expect(await http.status('GET', `/containers/${step}/json`)).toBe(200);
          const again = await run(first, { ...kept, attempt: 2 });
          expect(again.outcome.exitCode).toBe(0);
        });
        expect(await http.status('GET', `/containers/${step}/json`)).toBe(404);
      });

      it('mounts the socket of the engine only where it is allowed', async () => {
        const look = script('a', 'test -S /var/run/docker.sock && echo socket || echo none');
        await withRun(engine, { dockerSocket: true }, async (space) => expect((await run(space, look)).stdout).toBe('socket\n'));
        await withRun(engine, {}, async (space) => expect((await run(space, look)).stdout).toBe('none\n'));
      });

      it('does not use a prepared container whose image has been built anew', async () => {
        const tag = `slipway-test-${Date.now()}:changing`;
        const [repository] = tag.split(':');
        const base = 'busybox:local';
        await http.json('POST', `/images/${base}/tag?repo=${repository}&tag=changing`);
        await withRun(engine, {}, async (space) => {
          const step = script('a', 'cat /marker 2>/dev/null || echo old', { image: tag });
          space.prepare(step);
          const made = await run(space, script('maker', 'echo new > /marker', { image: base }, { keep: true }));
          await http.json('POST', `/commit?container=${made.outcome.containerId}&repo=${repository}&tag=changing`, {});
          expect((await run(space, step)).stdout).toBe('new\n');
        });
        await http.json('DELETE', `/images/${tag}?force=true`);
      });
    });
  });
}

/** Fetches from a server that may still be starting. */
async function getSoon(url: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (await fetch(url, { signal: AbortSignal.timeout(1000) })).text();
    } catch (error) {
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
