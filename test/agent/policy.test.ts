import { describe, expect, it } from 'vitest';
import { checkPolicy, withoutOwnEnvironment } from '../../src/agent/policy.ts';
import { EngineError } from '../../src/model/engine-error.ts';
import type { TaskPolicy } from '../../src/model/task-definition.ts';
import { loadPlan } from '../../src/task/load-plan.ts';
import { inputsOf } from '../task/task-inputs.ts';

async function load(steps: string, more = '') {
  const loaded = await loadPlan(inputsOf(`version: v1.1.0\nsteps:\n${steps}${more}`), { extended: false });
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  return loaded.value.value;
}

const NOTHING: TaskPolicy = { privileged: false, hostMounts: false, dockerSocket: false };
const EVERYTHING: TaskPolicy = { privileged: true, hostMounts: true, dockerSocket: true };

function refusal(work: () => void): EngineError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

const cmd = (flags: string): string => `  - id: s\n    cmd: ${flags} busybox true\n`;

describe('policy', () => {
  it.each([
    ['  - id: s\n    cmd: busybox true\n    privileged: true\n', 'privileged'],
    [cmd('--privileged'), 'privileged'],
    ['  - id: s\n    cmd: busybox true\n    network: host\n', 'privileged'],
    [cmd('--network host'), 'privileged'],
    [cmd('--network container:other'), 'privileged'],
    [cmd('--pid host'), 'privileged'],
    [cmd('--pid container:other'), 'privileged'],
    [cmd('--ipc host'), 'privileged'],
    [cmd('--cap-add SYS_ADMIN'), 'privileged'],
    [cmd('--device /dev/kvm'), 'privileged'],
    [cmd('--security-opt seccomp=unconfined'), 'privileged'],
    [cmd('--sysctl net.ipv4.ip_forward=1'), 'privileged'],
    [cmd('--runtime other'), 'privileged'],
    [cmd('-v /etc:/host'), 'hostMounts'],
    [cmd('-v shared:/cache'), 'hostMounts'],
    [cmd('--mount type=bind,source=/etc,target=/host'), 'hostMounts'],
    [cmd('--mount src=shared,dst=/cache'), 'hostMounts'],
    [cmd('--mount type=tmpfs,type=bind,source=/etc,target=/host'), 'hostMounts'],
    [cmd('--mount "target=/host, type=bind, source=/etc"'), 'hostMounts'],
    [cmd('--mount "type=volume, source=shared,target=/host"'), 'hostMounts'],
    [cmd('--volumes-from other'), 'hostMounts'],
    [cmd('-v /var/run/docker.sock:/var/run/docker.sock'), 'dockerSocket'],
    [cmd('--mount type=bind,src=/run/podman/podman.sock,dst=/s'), 'dockerSocket'],
    ['  - id: s\n    build: --network host -t a .\n', 'privileged'],
    ['  - id: s\n    build: --security-opt seccomp=unconfined -t a .\n', 'privileged'],
    ['  - id: s\n    build: --cgroup-parent x -t a .\n', 'privileged'],
    ['  - id: s\n    build: --ssh default -t a .\n', 'hostMounts'],
  ] as const)('refuses %j unless %s is granted, and always where the run is untrusted', async (steps, needs) => {
    const { plan, task } = await load(steps);
    const others = { ...EVERYTHING, [needs]: false };
    const refused = refusal(() => checkPolicy(plan, { policy: others, trust: 'trusted' }, task));
    expect(refused?.code).toBe('policy-refused');
    expect(refused?.message).toMatch(/step "s" \([^)]*:3\)/);
    expect(refused?.help).toContain(`policy.${needs}: true`);
    const only = { ...NOTHING, [needs]: true };
    expect(refusal(() => checkPolicy(plan, { policy: only, trust: 'trusted' }, task))).toBeUndefined();
    const untrusted = refusal(() => checkPolicy(plan, { policy: EVERYTHING, trust: 'untrusted' }, task));
    expect(untrusted).toMatchObject({ code: 'policy-refused', help: expect.stringContaining('untrusted') });
  });

  it.each([
    cmd(''),
    cmd('--network none'),
    cmd('--memory 1g --pids-limit 100 --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges'),
    cmd('--mount type=tmpfs,target=/scratch'),
    cmd('-v /scratch'),
    '  - id: s\n    build: --secret id=k,src=k -t a .\n',
    '  - id: s\n    build: --ssh key=id_rsa -t a .\n',
    '  - id: s\n    push: [a]\n',
  ])('lets an untrusted run do %j', async (steps) => {
    const { plan, task } = await load(steps);
    expect(refusal(() => checkPolicy(plan, { policy: NOTHING, trust: 'untrusted' }, task))).toBeUndefined();
  });

  it('keeps an untrusted run out of networks that are not its own', async () => {
    const { plan, task } = await load(cmd('--network compose_default'));
    expect(refusal(() => checkPolicy(plan, { policy: NOTHING, trust: 'trusted' }, task))).toBeUndefined();
    expect(refusal(() => checkPolicy(plan, { policy: NOTHING, trust: 'untrusted' }, task))?.message).toContain('compose_default');
  });

  it.each([
    ['host', 'name: host\n    skipCreation: true'],
    ['container:other', 'name: container:other\n    skipCreation: true'],
    ['lan', 'name: lan\n    driver: macvlan'],
  ])('sees the network %s behind an entry of the task file', async (name, entry) => {
    for (const step of [`  - id: s\n    cmd: busybox true\n    network: ${name}\n`, `  - id: s\n    build: --network ${name} -t a .\n`]) {
      const { plan, task } = await load(step, `networks:\n  - ${entry}\n`);
      expect(plan.networks).toHaveLength(1);
      expect(refusal(() => checkPolicy(plan, { policy: NOTHING, trust: 'trusted' }, task))?.code).toBe('policy-refused');
      expect(refusal(() => checkPolicy(plan, { policy: { ...NOTHING, privileged: true }, trust: 'trusted' }, task))).toBeUndefined();
    }
  });

  it('lets an untrusted run use networks of its own, and none that is there already', async () => {
    const step = '  - id: s\n    cmd: busybox true\n    network: own\n';
    const own = await load(step, 'networks:\n  - name: own\n    driver: bridge\n');
    expect(refusal(() => checkPolicy(own.plan, { policy: NOTHING, trust: 'untrusted' }, own.task))).toBeUndefined();
    const existing = await load(step, 'networks:\n  - name: own\n    skipCreation: true\n');
    expect(refusal(() => checkPolicy(existing.plan, { policy: NOTHING, trust: 'untrusted' }, existing.task))?.code).toBe('policy-refused');
  });

  it('names every step that asks for too much', async () => {
    const { plan, task } = await load(`  - id: a\n    cmd: --pid host busybox\n  - id: b\n    cmd: -v /:/host busybox\n`);
    const refused = refusal(() => checkPolicy(plan, { policy: NOTHING, trust: 'trusted' }, task));
    expect(refused?.message).toMatch(/step "a".*--pid host.*step "b".*mount \//);
  });

  it('takes variables without a value out of commands', async () => {
    const { plan } = await load(cmd('-e PATH -e A=b'));
    const [step] = withoutOwnEnvironment(plan).steps;
    expect(step?.kind === 'cmd' && step.container.env.filter((entry) => /^(PATH|A)/.test(entry))).toEqual(['A=b']);
  });
});
