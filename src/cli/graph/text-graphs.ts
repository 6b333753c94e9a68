import type { PlanStep } from '../../model/plan.ts';
import { shapeOf } from '../plan-output/plan-shape.ts';

const DOT_SHAPES = { build: 'component', cmd: 'box', push: 'cds' } as const;

/** A Mermaid flowchart of the steps; the critical path is drawn thick. */
export function renderMermaid(steps: readonly PlanStep[]): string {
  const critical = criticalEdges(steps);
  const numberOf = new Map(steps.map((step, index) => [step.id, index]));
  const lines = ['flowchart LR'];
  for (const [index, step] of steps.entries()) {
    const label = `"${mermaidText(step.id)}<br/><small>${step.kind}</small>"`;
    lines.push(`  s${index}${step.kind === 'build' ? `[[${label}]]` : step.kind === 'push' ? `>${label}]` : `[${label}]`}`);
  }
  for (const step of steps) {
    for (const need of step.needs) {
      lines.push(`  s${numberOf.get(need) ?? 0} ${critical.has(edgeKey(need, step.id)) ? '==>' : '-->'} s${numberOf.get(step.id) ?? 0}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A Graphviz digraph of the steps; the critical path is drawn thick. */
export function renderDot(steps: readonly PlanStep[], name: string): string {
  const critical = criticalEdges(steps);
  const lines = [`digraph ${dotText(name)} {`, '  rankdir=LR;', '  node [fontname="sans-serif"];'];
  for (const step of steps) {
    lines.push(`  ${dotText(step.id)} [shape=${DOT_SHAPES[step.kind]}, tooltip=${dotText(step.kind)}];`);
  }
  for (const step of steps) {
    for (const need of step.needs) {
      const style = critical.has(edgeKey(need, step.id)) ? ' [penwidth=2.5]' : '';
      lines.push(`  ${dotText(need)} -> ${dotText(step.id)}${style};`);
    }
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

/** The edges of one longest chain, as keys of `edgeKey`. */
export function criticalEdges(steps: readonly PlanStep[]): ReadonlySet<string> {
  const path = shapeOf(steps).criticalPath;
  return new Set(path.slice(1).map((id, index) => edgeKey(path[index] ?? '', id)));
}

/** Ids hold no whitespace, so a blank separates. */
export function edgeKey(from: string, to: string): string {
  return `${from} ${to}`;
}

function mermaidText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('#', '&#35;');
}

function dotText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
