import type { PlanStep } from '../../model/plan.ts';
import { shapeOf } from '../plan-output/plan-shape.ts';

const SWEEPS = 8;

/** A place in the drawing: `layer` from left to right, `row` from top to bottom. Points of long edges have no step. */
export interface LayoutNode {
  readonly layer: number;
  readonly row: number;
  readonly step?: PlanStep;
}

export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
  /** Where it passes: its start, one point a layer between, its end. */
  readonly points: readonly LayoutNode[];
}

export interface Layout {
  readonly nodes: readonly LayoutNode[];
  readonly edges: readonly LayoutEdge[];
  readonly layers: number;
  readonly rows: number;
}

interface Vertex {
  readonly layer: number;
  readonly step?: PlanStep;
  readonly before: Vertex[];
  readonly after: Vertex[];
  row: number;
}

/**
 * A layered drawing (Sugiyama's method): the layer is the step's wave, long edges get a point a layer, and the order within
 * the layers comes from sweeps of barycentres, which keeps crossings few.
 */
export function layeredLayout(steps: readonly PlanStep[]): Layout {
  const { waveOf, waves } = shapeOf(steps);
  const layers: Vertex[][] = waves.map(() => []);
  const vertexOf = new Map<string, Vertex>();
  const add = (layer: number, step?: PlanStep): Vertex => {
    const vertex: Vertex = { layer, before: [], after: [], row: layers[layer]?.length ?? 0, ...(step === undefined ? {} : { step }) };
    layers[layer]?.push(vertex);
    return vertex;
  };
  for (const step of steps) vertexOf.set(step.id, add(waveOf.get(step.id) ?? 0, step));
  const chains = steps.flatMap((step) =>
    step.needs.map((need) => ({ from: need, to: step.id, chain: linkChain(need, step.id, { vertexOf, add }) })),
  );
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) orderLayers(layers, sweep % 2 === 0);
  return {
    nodes: layers.flat(),
    edges: chains.map(({ from, to, chain }) => ({ from, to, points: chain })),
    layers: layers.length,
    rows: Math.max(0, ...layers.map((layer) => layer.length)),
  };
}

function linkChain(
  from: string,
  to: string,
  graph: { readonly vertexOf: ReadonlyMap<string, Vertex>; add(layer: number): Vertex },
): Vertex[] {
  const start = graph.vertexOf.get(from);
  const end = graph.vertexOf.get(to);
  if (start === undefined || end === undefined) return [];
  const chain = [start];
  for (let layer = start.layer + 1; layer < end.layer; layer += 1) chain.push(graph.add(layer));
  chain.push(end);
  for (const [index, vertex] of chain.slice(1).entries()) {
    const previous = chain[index];
    previous?.after.push(vertex);
    if (previous !== undefined) vertex.before.push(previous);
  }
  return chain;
}

function orderLayers(layers: readonly Vertex[][], forwards: boolean): void {
  for (const layer of forwards ? layers : layers.toReversed()) {
    const weights = new Map(layer.map((vertex) => [vertex, barycentre(vertex, forwards ? vertex.before : vertex.after)]));
    layer.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0));
    for (const [row, vertex] of layer.entries()) vertex.row = row;
  }
}

function barycentre(vertex: Vertex, neighbours: readonly Vertex[]): number {
  if (neighbours.length === 0) return vertex.row;
  return neighbours.reduce((sum, neighbour) => sum + neighbour.row, 0) / neighbours.length;
}
