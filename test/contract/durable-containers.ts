import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerEngine, RunSpaceSpec } from '../../src/model/ports/container-engine.ts';
import { type EngineHttp, engineHttp } from '../support/engine-http.ts';
import type { RealEngine } from './real-containers.ts';
import { OutputRecorder, run, runSpec, script } from './run-spec.ts';

/** Everything that a log may get wrong: no UTF-8, NUL, empty lines, CR, lines of and beyond what engines cut, an end without LF. */
const DIFFICULT = [
  `printf 'a\\n\\n\\r\\n\\377\\000\\303(\\nr\\303\\251sum\\303\\251\\n'`,
  'i=0; while [ $i -lt 2000 ]; do echo "out $i"; [ $((i % 3)) = 0 ] && echo "err $i" >&2; i=$((i+1)); done',
  'for n in 16383 16384 16385 32768 40000 8192 8193; do head -c $n /dev/zero | tr "\\000" x; echo; head -c $n /dev/zero | tr "\\000" e >&2; echo >&2; done',
  'head -c 20000 /dev/zero | tr "\\000" "\\303"; echo; echo last; printf "no end"; printf "no end either" >&2',
].join('\n');

/** What is kept of the containers of durable runs on an engine that runs real ones. */
export function durableContainersContract(name: string, subject: RealEngine): void {
  describe(`durable containers: ${name}`, () => {
    const owner = `test/${randomBytes(4).toString('hex')}`;
    let engine: ContainerEngine;
    let http: EngineHttp;
    beforeAll(async () => {
      engine = await subject.open();
      http = engineHttp(subject.socketPath());
    });
    afterAll(async () => {
      await engine.collectRuns({ owner, live: () => new Set() });
      await engine.close();
    });
    const durable = (overrides: Partial<RunSpaceSpec> = {}): RunSpaceSpec => ({ ...runSpec(), owner, durableLogs: true, ...overrides });

    it('gives the same bytes from the log as it gave live, from any position', async () => {
      const spec = durable();
      const space = await engine.openRun(spec);
      const live = await run(space, script('a', DIFFICULT));
      expect(live.stdout.endsWith('no end')).toBe(true);
      await space.detach();
      const again = await engine.openRun({ ...spec, adopt: true });
      const { length } = live.stdout;
      for (const stdout of [0, 1, 7, 16_384, 60_000, length - 20_000, length - 3, length]) {
        const stderr = Math.min(stdout, live.stderr.length);
        const read = await run(again, { ...script('a', ''), adopt: { positions: { stdout, stderr } } });
        expect(read.stdout === live.stdout.slice(stdout) && read.stderr === live.stderr.slice(stderr), `from ${stdout}`).toBe(true);
      }
      await again.destroy({ signal: AbortSignal.timeout(30_000) });
    });

    it('follows what is still written, each byte once', async () => {
      const spec = durable();
      const space = await engine.openRun(spec);
      const first = new OutputRecorder();
      const lines = 'i=0; while [ $i -lt 40 ]; do echo "line $i"; sleep 0.05; i=$((i+1)); done; exit 5';
      const running = space.runContainer(script('a', lines), first.io);
      await first.saw('line 7');
      await space.detach();
      await running;
      const again = await engine.openRun({ ...spec, adopt: true });
      const positions = { stdout: first.text('stdout').length, stderr: 0 };
      const { outcome, stdout } = await run(again, { ...script('a', ''), adopt: { positions } });
      expect(first.text('stdout') + stdout).toBe(Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join(''));
      expect(outcome.exitCode).toBe(5);
      await again.destroy({ signal: AbortSignal.timeout(30_000) });
    });

    it('uses the networks, holders and volumes that are there, and makes what is missing', async () => {
      const lanes = [{ id: '0', network: 'acb_default_network', steps: ['a', 'b'], ports: [], expose: [] }];
      const volumes = [{ name: 'secret', files: { key: Buffer.from('value').toString('base64') } }];
      const spec = durable({ lanes, volumes });
      const onTask = {
        network: { kind: 'task', name: 'acb_default_network' },
        volumeMounts: [{ name: 'secret', mountPath: '/s' }],
      } as const;
      const space = await engine.openRun(spec);
      await run(space, script('a', 'echo kept > /workspace/file; echo $HOSTNAME > $HOME/host', onTask));
      await space.detach();
      const before = await http.json<unknown[]>('GET', labelled('/containers/json', spec.runId, '&all=true'));
      const again = await engine.openRun({ ...spec, adopt: true });
      const { stdout } = await run(again, script('b', 'cat /workspace/file /s/key', onTask));
      expect(stdout).toBe('kept\nvalue');
      const after = await http.json<unknown[]>('GET', labelled('/containers/json', spec.runId, '&all=true'));
      expect(after.length).toBe(before.length + 1);
      const networks = await http.json<unknown[]>('GET', labelled('/networks', spec.runId));
      expect(networks).toHaveLength(1);
      expect(await again.destroy({ signal: AbortSignal.timeout(30_000) })).toEqual([]);
    });

    it('starts the very container that was made and let go of: an engine may be at its start already', async () => {
      const spec = durable();
      const space = await engine.openRun(spec);
      const told = Promise.withResolvers<string>();
      const recorded = Promise.withResolvers<void>();
      const onStarted = (id: string): Promise<void> => {
        told.resolve(id);
        return recorded.promise;
      };
      const running = space.runContainer(script('a', 'echo once'), { ...new OutputRecorder().io, onStarted });
      const made = await told.promise;
      const detached = space.detach();
      recorded.resolve();
      await Promise.all([detached, running]);
      const again = await engine.openRun({ ...spec, adopt: true });
      // The start that the earlier process asked for, seen by the engine only now.
      await http.json('POST', `/containers/${made}/start`);
      const { outcome, stdout } = await run(again, { ...script('a', 'echo once'), adopt: { positions: { stdout: 0, stderr: 0 } } });
      expect({ id: outcome.containerId, stdout }).toEqual({ id: made, stdout: 'once\n' });
      expect(await http.json<unknown[]>('GET', labelled('/containers/json', spec.runId, '&all=true'))).toHaveLength(1);
      await again.destroy({ signal: AbortSignal.timeout(30_000) });
    });

    it('shares what requests of an earlier process make only after it has looked', async () => {
      const lanes = [{ id: '0', network: 'acb_default_network', steps: ['a', 'b'], ports: [], expose: [] }];
      const spec = { ...durable({ lanes }), adopt: true };
      const onTask = { network: { kind: 'task', name: 'acb_default_network' } } as const;
      // Each finds nothing and makes everything, as a process does whose requests go on after it was killed.
      const [earlier, later] = await Promise.all([engine.openRun(spec), engine.openRun(spec)]);
      const said = await Promise.all([run(earlier, script('a', 'echo a', onTask)), run(later, script('b', 'echo b', onTask))]);
      expect(said.map(({ stdout }) => stdout)).toEqual(['a\n', 'b\n']);
      await earlier.detach();
      expect(await later.destroy({ signal: AbortSignal.timeout(30_000) })).toEqual([]);
    });

    it('applies limits, and reaps zombies where the engine has an init', async () => {
      const spec = durable({ init: true, limits: { pids: 77, memoryBytes: 64 * 1024 ** 2, cpus: 0.5 } });
      const space = await engine.openRun(spec);
      const { outcome, stdout } = await run(space, script('a', 'cat /proc/1/comm', {}, { keep: true }));
      const { HostConfig } = await http.json<{ HostConfig: Record<string, unknown> }>('GET', `/containers/${outcome.containerId}/json`);
      expect(HostConfig).toMatchObject({ PidsLimit: 77, Memory: 64 * 1024 ** 2, NanoCpus: 500_000_000 });
      expect(stdout).toBe((await engine.describe()).init === true ? 'docker-init\n' : 'cat\n');
      await space.destroy({ signal: AbortSignal.timeout(30_000) });
    });
  });
}

function labelled(path: string, runId: string, more = ''): string {
  return `${path}?filters=${encodeURIComponent(JSON.stringify({ label: [`dev.slipway.run=${runId}`] }))}${more}`;
}
