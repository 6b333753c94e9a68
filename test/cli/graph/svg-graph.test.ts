import { expect, test } from 'vitest';
import { layeredLayout } from '../../../src/cli/graph/layered-layout.ts';
import { renderSvg } from '../../../src/cli/graph/svg-graph.ts';
import { renderDot, renderMermaid } from '../../../src/cli/graph/text-graphs.ts';
import type { PlanStep } from '../../../src/model/plan.ts';

function step(id: string, ...needs: readonly string[]): PlanStep {
  const times = { timeoutMs: 1, startDelayMs: 0, retries: 0, retryDelayMs: 0, retryOnErrors: [], repeat: 0 };
  return { id, kind: 'push', needs, weight: 1, ignoreErrors: false, images: [], ...times };
}

test('no two places of the drawing are the same, and edges go from left to right through every layer', () => {
  const steps = [step('a'), step('b'), step('c', 'a'), step('d', 'c'), step('e', 'a', 'd', 'b'), step('f', 'b')];
  const { nodes, edges } = layeredLayout(steps);
  expect(new Set(nodes.map(({ layer, row }) => `${layer} ${row}`)).size).toBe(nodes.length);
  expect(edges).toHaveLength(6);
  for (const { from, to, points } of edges) {
    expect(points[0]?.step?.id).toBe(from);
    expect(points.at(-1)?.step?.id).toBe(to);
    expect(points.map(({ layer }) => layer)).toEqual(points.map((_, index) => (points[0]?.layer ?? 0) + index));
  }
});

test('crossings that can be avoided are avoided', () => {
  const steps = [step('a'), step('b'), step('x', 'b'), step('y', 'a')];
  const rowOf = new Map(layeredLayout(steps).nodes.map((node) => [node.step?.id, node.row]));
  expect((rowOf.get('a') ?? 0) < (rowOf.get('b') ?? 0)).toBe((rowOf.get('y') ?? 0) < (rowOf.get('x') ?? 0));
});

test('names cannot break out of a drawing', () => {
  const hostile = '"]<script>alert(1)</script>\\';
  const steps = [step(hostile), step('b', hostile)];
  expect(renderSvg(steps, hostile)).not.toContain('<script');
  expect(renderMermaid(steps)).not.toContain('<script');
  expect(renderDot(steps, hostile)).toContain('"\\"]<script>alert(1)</script>\\\\" [shape=cds');
});
