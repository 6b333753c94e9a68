import type { PlanStep } from '../../model/plan.ts';
import { truncateText } from '../terminal/text-width.ts';
import { type LayoutNode, layeredLayout } from './layered-layout.ts';
import { criticalEdges, edgeKey } from './text-graphs.ts';

const NODE_WIDTH = 168;
const NODE_HEIGHT = 44;
const LAYER_GAP = 64;
const ROW_GAP = 20;
const MARGIN = 16;
const LABEL_COLUMNS = 20;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2933 }
  .kind { font-size: 11px; fill: #52606d }
  .node rect { stroke: #7b8794; fill: #f5f7fa }
  .build rect { fill: #e3f2fd } .push rect { fill: #e8f5e9 }
  .edge { fill: none; stroke: #9aa5b1; stroke-width: 1.5 }
  .critical { stroke: #d9822b; stroke-width: 2.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f5f7fa } .kind { fill: #cbd2d9 } .node rect { fill: #323f4b } .build rect { fill: #1d3b53 } .push rect { fill: #1f4033 }
  }`;

/** The graph as one SVG document without scripts or outside references. */
export function renderSvg(steps: readonly PlanStep[], title: string): string {
  const layout = layeredLayout(steps);
  const critical = criticalEdges(steps);
  const width = 2 * MARGIN + layout.layers * NODE_WIDTH + Math.max(0, layout.layers - 1) * LAYER_GAP;
  const height = 2 * MARGIN + layout.rows * NODE_HEIGHT + Math.max(0, layout.rows - 1) * ROW_GAP;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `  <title>${escapeXml(title)}</title>`,
    `  <style>${STYLE}\n  </style>`,
  ];
  for (const edge of layout.edges) {
    const style = critical.has(edgeKey(edge.from, edge.to)) ? 'edge critical' : 'edge';
    lines.push(`  <path class="${style}" d="${edgePath(edge.points)}"><title>${escapeXml(`${edge.from} → ${edge.to}`)}</title></path>`);
  }
  for (const node of layout.nodes) if (node.step !== undefined) lines.push(renderNode(node, node.step));
  return `${[...lines, '</svg>'].join('\n')}\n`;
}

function renderNode(node: LayoutNode, step: PlanStep): string {
  const { left, top } = corner(node);
  return [
    `  <g class="node ${step.kind}"><title>${escapeXml(step.id)}</title>`,
    `    <rect x="${left}" y="${top}" width="${NODE_WIDTH}" height="${NODE_HEIGHT}" rx="6"/>`,
    `    <text x="${left + 12}" y="${top + 19}">${escapeXml(truncateText(step.id, LABEL_COLUMNS))}</text>`,
    `    <text class="kind" x="${left + 12}" y="${top + 35}">${step.kind}</text>`,
    '  </g>',
  ].join('\n');
}

/** A smooth line through the points: it leaves and enters each of them horizontally. */
function edgePath(points: readonly LayoutNode[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let { x, y } = rightOf(first);
  let path = `M${x} ${y}`;
  for (const node of rest) {
    const end = leftOf(node);
    const middle = (x + end.x) / 2;
    path += ` C${middle} ${y} ${middle} ${end.y} ${end.x} ${end.y}`;
    const out = rightOf(node);
    if (node.step === undefined) path += ` H${out.x}`;
    ({ x, y } = out);
  }
  return path;
}

function corner(node: LayoutNode): { readonly left: number; readonly top: number } {
  return { left: MARGIN + node.layer * (NODE_WIDTH + LAYER_GAP), top: MARGIN + node.row * (NODE_HEIGHT + ROW_GAP) };
}

function leftOf(node: LayoutNode): { readonly x: number; readonly y: number } {
  const { left, top } = corner(node);
  return { x: left, y: top + NODE_HEIGHT / 2 };
}

function rightOf(node: LayoutNode): { readonly x: number; readonly y: number } {
  const { x, y } = leftOf(node);
  return { x: x + NODE_WIDTH, y };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
