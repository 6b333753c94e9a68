import { BadPort, parsePorts } from '../../model/port-words.ts';
import { parseNanoCpus } from '../../model/size-words.ts';
import type { LocatedItem } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import type { StepMapping } from './check-step.ts';

/** Warns of words that no engine will take when the step starts. Words with a variable in them are known only then. */
export function lintWords({ fields }: StepMapping, problems: Problems): void {
  for (const item of fields.ports?.value ?? []) lintPort(item, [item.value], [], problems);
  for (const item of fields.expose?.value ?? []) lintPort(item, [], [item.value], problems);
  const cpus = fields.cpus;
  if (cpus === undefined || isVariable(cpus.value) || cpus.value === '' || parseNanoCpus(cpus.value) !== undefined) return;
  problems.warn('word-refused', `\`cpus\` is ${JSON.stringify(cpus.value)}, which no engine takes.`, {
    range: cpus.node.range,
    expected: 'a number of processors such as 1.5',
  });
}

function lintPort({ value, node }: LocatedItem<string>, ports: readonly string[], expose: readonly string[], problems: Problems): void {
  if (isVariable(value)) return;
  try {
    parsePorts(ports, expose);
  } catch (error) {
    if (!(error instanceof BadPort)) throw error;
    problems.warn('word-refused', `The step will not start: ${error.message}.`, { range: node.range });
  }
}

function isVariable(text: string): boolean {
  return /[$`]/.test(text);
}
