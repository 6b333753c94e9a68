import { describe, expect, it } from 'vitest';
import { type Case, describePublished, difference, loadCases } from './cases.ts';
import { type PlanShape, runTaskCase, type TaskOutcome } from './task-case.ts';

interface PeerOutput extends PlanShape {
  readonly dag: { readonly nodes: Readonly<Record<string, { readonly children: readonly string[] }>> };
}

/** Facts of the peer's output that no task file says: `needs` stands for its graph. */
const DERIVED = new Set(['dag', 'initBuildkitContainer', 'registry', 'tags', 'buildArgs', 'buildCacheTag', 'usesBuildkit']);

function withoutDerived(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !DERIVED.has(key)));
}

/** The recorded output in the shape of `task plan --output json`. */
function expectedPlan(peer: PeerOutput): unknown {
  const { nodes } = peer.dag;
  const steps = (peer.steps ?? []).map((step) => {
    const needs = Object.keys(nodes).filter((id) => nodes[id]?.children.includes(String(step['id'])));
    return { ...withoutDerived(step), ...(needs.length > 0 && { needs: needs.sort() }) };
  });
  const { steps: _steps, ...others } = withoutDerived(peer);
  return { ...others, ...(steps.length > 0 && { steps }) };
}

/** What is ours where differences.json has the case. */
const OURS: Readonly<Record<string, (outcome: TaskOutcome) => void>> = {
  'graph-id-dash': (outcome) => expect(outcome).toMatchObject({ ok: false, error: expect.stringContaining('[step-id-reserved]') }),
  'graph-cmd-list': (outcome) => expect(outcome).toMatchObject({ ok: true, plan: { steps: [{ cmd: ['a', 'b'] }] } }),
  'graph-env-bad-step': (outcome) => expect(outcome).toMatchObject({ ok: true, plan: { steps: [{ env: ['NOEQ', 'A=1'] }] } }),
};

async function check(one: Case): Promise<void> {
  const outcome = await runTaskCase(one);
  if (difference(one.id) !== undefined) {
    const ours = OURS[one.id];
    if (ours === undefined) throw new Error(`${one.id} has a difference that nothing asserts`);
    ours(outcome);
  } else if (one.expect.ok === true) {
    expect(outcome).toMatchObject({ ok: true });
    expect(outcome.ok ? outcome.plan : undefined).toEqual(expectedPlan(one.expect.output as PeerOutput));
  } else {
    expect(outcome.ok, `the peer says: ${one.expect.error}`).toBe(false);
  }
}

describe('recorded cases: parsing, defaults, validation, edges', () => {
  it.each(loadCases('graph').map((one): [string, Case] => [one.id, one]))('%s', (_id, one) => check(one));
});

describePublished('graph', 'recorded cases over published task files', check);
