import type { Plan, PlanStep } from '../../model/plan.ts';
import { shellJoin } from '../../task/command/shell-join.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import type { Paint } from '../terminal/paint.ts';
import { commandLines } from './command-line.ts';
import { type PlanShape, shapeOf } from './plan-shape.ts';

interface PlanTextOptions {
  readonly paint: Paint;
  readonly dockerSocket: boolean;
  readonly workspace: string;
}

/** A plan for a person: the graph as a tree, the waves, the critical path, then what each step does word for word. */
export function renderPlan(plan: Plan, options: PlanTextOptions): string {
  const { paint } = options;
  const shape = shapeOf(plan.steps);
  const count = `${plan.steps.length} ${plan.steps.length === 1 ? 'step' : 'steps'} in ${shape.waves.length} ${shape.waves.length === 1 ? 'wave' : 'waves'}`;
  const registry = plan.registry === '' ? '' : `, registry ${plan.registry}`;
  const lines = [`${paint('bold', plan.taskName)}: ${count}${registry}`, '', ...renderTree(plan, shape, paint), '', paint('bold', 'Waves')];
  for (const [index, wave] of shape.waves.entries()) lines.push(`  ${index + 1}  ${wave.join(' ')}`);
  if (plan.steps.length > 0) lines.push('', `${paint('bold', 'Critical path')}  ${shape.criticalPath.join(' → ')}`);
  lines.push(...renderVolumesAndNetworks(plan, paint), '', paint('bold', 'Commands'));
  for (const step of plan.steps) lines.push(...renderCommands(step, options));
  return `${lines.join('\n')}\n`;
}

/** What a dry run prints: the command of each step in the order a run with one step at a time would start them. */
export function renderDryRun(plan: Plan, options: PlanTextOptions): string {
  const lines = plan.networks.map((network) => networkLine(network)).filter((line) => line !== undefined);
  for (const step of plan.steps) lines.push(...renderCommands(step, options));
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function renderCommands(step: PlanStep, options: PlanTextOptions): string[] {
  const waits = step.needs.length === 0 ? '' : ` after ${step.needs.join(', ')}`;
  const facts = describeStep(step);
  return [
    `${options.paint('cyan', step.id)}${options.paint('dim', `${waits}${facts === '' ? '' : ` (${facts})`}`)}`,
    ...commandLines(step, options).map((words) => `  ${shellJoin(words)}`),
  ];
}

function networkLine(network: Plan['networks'][number]): string | undefined {
  if (network.existing) return undefined;
  return shellJoin(['docker', 'network', 'create', network.name, '--driver', network.driver, ...(network.ipv6 ? ['--ipv6'] : [])]);
}

function renderVolumesAndNetworks(plan: Plan, paint: Paint): string[] {
  const lines: string[] = [];
  if (plan.networks.length > 0) {
    lines.push('', paint('bold', 'Networks'));
    for (const network of plan.networks)
      lines.push(`  ${network.name} (${network.existing ? 'exists already' : network.driver || 'default driver'})`);
  }
  if (plan.volumes.length > 0) {
    lines.push('', paint('bold', 'Volumes'));
    for (const volume of plan.volumes) lines.push(`  ${volume.name}: ${Object.keys(volume.files).join(', ')}`);
  }
  return lines;
}

function describeStep(step: PlanStep): string {
  const parts = [`timeout ${step.timeoutMs % 60_000 === 0 ? `${step.timeoutMs / 60_000}m` : formatDuration(step.timeoutMs)}`];
  if (step.startDelayMs > 0) parts.push(`start delay ${formatDuration(step.startDelayMs)}`);
  if (step.retries > 0)
    parts.push(`${step.retries} ${step.retries === 1 ? 'retry' : 'retries'} after ${formatDuration(step.retryDelayMs)}`);
  if (step.repeat > 0) parts.push(`repeated ${step.repeat} times`);
  if (step.ignoreErrors) parts.push('errors ignored');
  return parts.join(', ');
}

/**
 * Every step once, below the step it waits for longest; the other steps it waits for are named behind it.
 * `●` marks the critical path.
 */
function renderTree(plan: Plan, shape: PlanShape, paint: Paint): string[] {
  const children = new Map<string | undefined, PlanStep[]>();
  for (const step of plan.steps) {
    const parent = deepestNeed(step, shape);
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [step]);
    else siblings.push(step);
  }
  const critical = new Set(shape.criticalPath);
  const lines: string[] = [];
  // An own stack: a chain of thousands of steps must not exhaust the call stack. Beyond MAX_INDENT levels the drawing stops moving right.
  const stack = (children.get(undefined) ?? []).map((step) => ({ step, indent: '', branch: '' })).reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { step, indent, branch } = next;
    const parent = deepestNeed(step, shape);
    const others = step.needs.filter((need) => need !== parent);
    const mark = critical.has(step.id) ? paint('yellow', '●') : '○';
    lines.push(
      `${indent}${branch}${mark} ${step.id} ${paint('dim', step.kind)}${others.length === 0 ? '' : paint('dim', `  also after ${others.join(', ')}`)}`,
    );
    const below = children.get(step.id) ?? [];
    const inner = indent + (branch === '' ? '' : branch === '├─ ' ? '│  ' : '   ');
    const drawn = inner.length > MAX_INDENT ? inner.slice(0, MAX_INDENT) : inner;
    for (let index = below.length - 1; index >= 0; index -= 1) {
      const child = below[index];
      if (child !== undefined) stack.push({ step: child, indent: drawn, branch: index === below.length - 1 ? '└─ ' : '├─ ' });
    }
  }
  return lines;
}

const MAX_INDENT = 120;

function deepestNeed(step: PlanStep, shape: PlanShape): string | undefined {
  let deepest: string | undefined;
  for (const need of step.needs) {
    if (deepest === undefined || (shape.waveOf.get(need) ?? 0) > (shape.waveOf.get(deepest) ?? 0)) deepest = need;
  }
  return deepest;
}
