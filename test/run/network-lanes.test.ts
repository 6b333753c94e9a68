import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlanStep } from '../../src/model/plan.ts';
import { decideNetworking } from '../../src/run/network-lanes.ts';
import { build, type CmdOptions, cmd, NETWORK, plan, push } from './plans.ts';

const chain = (count: number, options: CmdOptions = {}): PlanStep[] =>
  Array.from({ length: count }, (_, index) => cmd(`s${index}`, { ...options, needs: index === 0 ? [] : [`s${index - 1}`] }));

const laneSteps = (steps: readonly PlanStep[]): readonly (readonly string[])[] =>
  decideNetworking(plan(steps)).lanes.map((lane) => lane.steps);

describe('networks', () => {
  test('a chain resolves no names: its network is not made and its steps use the built-in bridge', () => {
    const networking = decideNetworking(plan(chain(4)));
    expect(networking.networks).toEqual([]);
    expect(networking.lanes).toEqual([{ id: 'lane1', network: undefined, steps: ['s1', 's2', 's3'], ports: [], expose: [] }]);
    expect(networking.containerOf(cmd('s1')).network).toEqual({ kind: 'default' });
  });

  test('a step alone on the bridge still resolves its own id', () => {
    const step = cmd('only', { extra: { addHost: ['db:1.2.3.4'] } });
    const { extra, network } = decideNetworking(plan([step])).containerOf(step);
    expect(network).toEqual({ kind: 'default' });
    expect(extra.addHost).toEqual(['db:1.2.3.4', 'only:127.0.0.1']);
  });

  test('steps that may run side by side need their network', () => {
    expect(decideNetworking(plan([cmd('a'), cmd('b')])).networks).toEqual([NETWORK]);
  });

  test('steps side by side that nobody gave a name need none', () => {
    const pair = (options: CmdOptions = {}): PlanStep[] => [cmd('acb_step_0'), cmd('acb_step_1', options)];
    expect(decideNetworking(plan(pair())).networks).toEqual([]);
    expect(decideNetworking(plan([...pair(), cmd('db')])).networks).toEqual([NETWORK]);
    expect(decideNetworking(plan(pair({ container: { args: ['ping', 'acb_step_0'] } }))).networks).toEqual([NETWORK]);
    expect(decideNetworking(plan(pair({ detach: true }))).networks).toEqual([NETWORK]);
    expect(decideNetworking(plan(pair({ container: { ports: ['8080:80'] } }))).networks).toEqual([NETWORK]);
  });

  test('a detached step runs beside whatever follows it', () => {
    const steps = [cmd('db', { detach: true }), cmd('test', { needs: ['db'] })];
    const networking = decideNetworking(plan(steps));
    expect(networking.networks).toEqual([NETWORK]);
    expect(networking.containerOf(steps[1] as ReturnType<typeof cmd>).network).toEqual({ kind: 'task', name: 'net' });
    expect(decideNetworking(plan([cmd('test'), cmd('db', { detach: true, needs: ['test'] })])).networks).toEqual([]);
  });

  test('order through builds and pushes counts', () => {
    expect(decideNetworking(plan([cmd('a'), build('b', { needs: ['a'] }), cmd('c', { needs: ['b'] })])).networks).toEqual([]);
    expect(decideNetworking(plan([cmd('a'), build('b'), cmd('c', { needs: ['b'] })])).networks).toEqual([NETWORK]);
  });

  test.each([
    ['it exists already', { existing: true }],
    ['it has another driver', { driver: 'overlay' }],
    ['it has IPv6', { ipv6: true }],
  ])('a network is kept when %s', (_, change) => {
    const network = { ...NETWORK, ...change };
    expect(decideNetworking(plan([cmd('a')], [network])).networks).toEqual([network]);
  });

  test('a network is kept for a build or an alias that names it, and not made when nobody uses it', () => {
    expect(decideNetworking(plan([build('b', { spec: { network: 'net' } })])).networks).toEqual([NETWORK]);
    expect(decideNetworking(plan([cmd('a', { extra: { networkAlias: ['x'] } })])).networks).toEqual([NETWORK]);
    expect(decideNetworking(plan([push('p', ['x:1'])])).networks).toEqual([]);
  });
});

describe('lanes', () => {
  test('each branch behind a fork is a lane of its own, the trunk goes on with one of them', () => {
    const steps = [
      cmd('root'),
      cmd('trunk', { needs: ['root'] }),
      cmd('left', { needs: ['trunk'] }),
      cmd('right', { needs: ['trunk'] }),
      cmd('left2', { needs: ['left'] }),
      cmd('right2', { needs: ['right'] }),
      cmd('end', { needs: ['left2', 'right2'] }),
    ];
    expect(laneSteps(steps)).toEqual([
      ['trunk', 'left', 'left2'],
      ['right', 'right2', 'end'],
    ]);
  });

  test('steps with a push between them share a lane', () => {
    expect(laneSteps([build('b'), cmd('a', { needs: ['b'] }), push('p', ['x:1'], { needs: ['a'] }), cmd('c', { needs: ['p'] })])).toEqual([
      ['a', 'c'],
    ]);
  });

  test('a detached step is the last of its lane', () => {
    const steps = [
      cmd('r'),
      cmd('a', { needs: ['r'] }),
      cmd('db', { needs: ['a'], detach: true }),
      cmd('t', { needs: ['db'] }),
      cmd('u', { needs: ['t'] }),
    ];
    expect(laneSteps(steps)).toEqual([
      ['a', 'db'],
      ['t', 'u'],
    ]);
  });

  test('lanes do not cross networks', () => {
    const other: CmdOptions = { container: { network: { kind: 'default' } } };
    const steps = [
      cmd('r'),
      cmd('a', { needs: ['r'] }),
      cmd('b', { needs: ['a'], ...other }),
      cmd('c', { needs: ['b'] }),
      cmd('d', { needs: ['c'], ...other }),
    ];
    expect(laneSteps(steps)).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ]);
  });

  test.each<[string, CmdOptions]>([
    ['privileged', { container: { privileged: true } }],
    ['NET_ADMIN', { extra: { capAdd: ['NET_ADMIN'] } }],
    ['cap_net_raw', { extra: { capAdd: ['cap_net_raw'] } }],
    ['ALL capabilities', { extra: { capAdd: ['ALL'] } }],
    ['a host name', { extra: { hostname: 'x' } }],
    ['DNS servers', { extra: { dns: ['1.1.1.1'] } }],
    ['extra hosts', { extra: { addHost: ['a:1.1.1.1'] } }],
    ['aliases', { extra: { networkAlias: ['x'] } }],
    ['sysctls', { extra: { sysctls: ['net.ipv4.ip_forward=1'] } }],
    ['published ports', { container: { ports: ['8080:80'] } }],
    ['the host network', { container: { network: { kind: 'mode', mode: 'host' } } }],
  ])('a step with %s stays outside', (_, options) => {
    const steps = [...chain(2), cmd('odd', { ...options, needs: ['s1'] }), cmd('s3', { needs: ['odd'] })];
    expect(laneSteps(steps)).toEqual([['s1', 's3']]);
  });

  test('a step that is ready at once waits for no holder, unless it has a start delay', () => {
    expect(laneSteps(chain(2))).toEqual([]);
    expect(laneSteps([cmd('a', { startDelayMs: 1 }), cmd('b', { needs: ['a'] })])).toEqual([['a', 'b']]);
  });

  test('the number of lanes is bounded and the longest stay', () => {
    const steps: PlanStep[] = [cmd('root')];
    for (let index = 0; index < 50; index += 1) {
      steps.push(cmd(`a${index}`, { needs: ['root'] }), cmd(`b${index}`, { needs: [`a${index}`] }));
    }
    steps.push(cmd('c49', { needs: ['b49'] }));
    const lanes = laneSteps(steps);
    expect(lanes).toHaveLength(32);
    expect(lanes[0]).toEqual(['a49', 'b49', 'c49']);
  });

  test('steps of a lane never run at the same time, whatever the plan', () => {
    const steps = fc
      .array(fc.record({ needs: fc.array(fc.nat(), { maxLength: 3 }), kind: fc.constantFrom('cmd', 'cmd', 'push'), detach: fc.nat(5) }), {
        maxLength: 30,
      })
      .map((rows) =>
        rows.map((row, index) => {
          const needs = index === 0 ? [] : [...new Set(row.needs.map((need) => `s${need % index}`))];
          return row.kind === 'cmd' ? cmd(`s${index}`, { needs, detach: row.detach === 0 }) : push(`s${index}`, ['x:1'], { needs });
        }),
      );
    fc.assert(
      fc.property(steps, (list) => {
        const ancestors = new Map<string, ReadonlySet<string>>();
        for (const step of list) ancestors.set(step.id, new Set(step.needs.flatMap((need) => [need, ...(ancestors.get(need) ?? [])])));
        const { lanes, networks } = decideNetworking(plan(list));
        for (const lane of lanes) {
          for (const [index, id] of lane.steps.entries()) {
            for (const earlier of lane.steps.slice(0, index)) {
              expect(ancestors.get(id)?.has(earlier)).toBe(true);
              expect(list.find((step) => step.id === earlier)).toMatchObject({ detach: false });
            }
          }
        }
        const commands = list.filter((step) => step.kind === 'cmd');
        const overlap = commands.some((later, index) =>
          commands.slice(0, index).some((earlier) => earlier.detach || ancestors.get(later.id)?.has(earlier.id) !== true),
        );
        expect(networks.length > 0).toBe(overlap);
      }),
    );
  });

  test('10,000 steps are decided in well under a second', () => {
    const steps = Array.from({ length: 10_000 }, (_, index) =>
      cmd(`s${index}`, { needs: index < 2 ? [] : [`s${index - 1}`, `s${index - 2 - (index % 7 < index - 2 ? index % 7 : 0)}`] }),
    );
    const before = process.cpuUsage();
    decideNetworking(plan(steps));
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});
