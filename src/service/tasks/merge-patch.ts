import type { TaskDefinition } from '../../model/task-definition.ts';
import type { TaskInput } from '../../model/task-input.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { contextRepository } from './complete-triggers.ts';
import type { FieldProblem } from './field-problem.ts';
import { inputOf } from './secret-places.ts';
import { sourceControlTypeOf } from './source-control-type.ts';
import { fieldsOfStep, stepTypeOf } from './step-checks.ts';
import { ENDPOINT_FIELD } from './trigger-places.ts';

type Json = Record<string, unknown>;

/** Lists whose entries have a name of their own. */
const NAMED_LISTS: ReadonlyMap<string, string> = new Map([
  ['step.arguments', 'name'],
  ['step.values', 'name'],
  ['credentials', 'loginServer'],
  ['trigger.sourceTriggers', 'name'],
  ['trigger.timerTriggers', 'name'],
  ['trigger.afterTriggers', 'name'],
  ['trigger.baseImageTrigger.tracks', 'image'],
]);

/** A secret is one value: `{ plain }` over `{ stored }` is not both. Others stand in lists. */
const ONE_VALUE: ReadonlySet<string> = new Set(['step.contextAccessToken', ENDPOINT_FIELD]);

const OPTIONAL = [
  'status',
  'platform',
  'agentConfiguration',
  'timeout',
  'registry',
  'credentials',
  'agentPoolName',
  'priority',
  'maxParallelRuns',
  'concurrency',
  'policy',
  'trigger',
  'tags',
];
const OF_TRIGGERS = ['sourceTriggers', 'timerTriggers', 'baseImageTrigger', 'afterTriggers'];
const OF_BASE_IMAGES = [
  'status',
  'baseImageTriggerType',
  'updateTriggerEndpoint',
  'updateTriggerPayloadType',
  'window',
  'poll',
  'trackIndex',
  'tracks',
];

/**
 * A task with a change laid over it, to be checked and completed like a new one. Semantics of JSON merge patch (RFC 7396): objects merge,
 * `null` takes away, all else replaces. Beyond it:
 *
 * - `step.arguments`, `step.values`, `credentials` and the lists of `trigger` are replaced as a whole by a list, as in ACR;
 *   `{ set: […], unset: [NAME] }` instead changes the entries of those names and leaves the others, also secret ones, as they are
 *   (`task update --arg A=1`).
 * - Source triggers that the patch leaves alone follow the context to another repository when they were of the one before.
 * - A new `step.type` drops the fields that the new type does not have.
 * - `unset` names paths to take away: `step.target`, `tags.team`, `step.arguments.A`, `credentials.HOST`, `trigger.timerTriggers.NAME`.
 */
export function mergeTaskPatch(
  definition: TaskDefinition,
  patch: Readonly<Json>,
  unset: readonly string[],
): { readonly input: TaskInput; readonly problems: readonly FieldProblem[] } {
  const problems: FieldProblem[] = [];
  if (patch['name'] !== undefined && patch['name'] !== definition.name) {
    problems.push({ field: 'name', message: 'cannot be changed', help: 'Create a task of the new name and delete this one.' });
  }
  const merged = mergeObject({ ...inputOf(definition) }, patch, '', problems);
  for (const path of unset) unsetPath(merged, path, problems);
  const step = merged['step'];
  if (isJson(step)) followContext(merged, { from: definition.step.contextPath, to: step['contextPath'] }, patch);
  // The shape was checked at the door: what is merged are two tasks' fields.
  const input = { ...merged, name: definition.name, step: isJson(step) ? withoutForeign(step, patch) : {} } as unknown as TaskInput;
  return { input, problems };
}

function mergeObject(target: Json, patch: Readonly<Json>, at: string, problems: FieldProblem[]): Json {
  for (const [name, change] of Object.entries(patch)) {
    // The other name is no field, and would change the prototype.
    if (change === undefined || name === '__proto__') continue;
    const path = at === '' ? name : `${at}.${name}`;
    const key = NAMED_LISTS.get(path);
    const before = target[name];
    if (change === null) delete target[name];
    else if (key !== undefined && isJson(change))
      target[name] = mergeNamed(Array.isArray(before) ? before : [], change, { key, path }, problems);
    else if (isJson(change) && !ONE_VALUE.has(path))
      target[name] = mergeObject(isJson(before) ? { ...before } : {}, change, path, problems);
    else target[name] = change;
  }
  return target;
}

function mergeNamed(
  before: readonly unknown[],
  change: Json,
  list: { readonly key: string; readonly path: string },
  problems: FieldProblem[],
): unknown[] {
  const entries = new Map(before.filter(isJson).map((entry): [unknown, unknown] => [entry[list.key], entry]));
  const { set, unset } = change;
  for (const name of Array.isArray(unset) ? unset : []) {
    if (!entries.delete(name)) problems.push(nothingThere(`${list.path}.${String(name)}`, String(name), [...entries.keys()].map(String)));
  }
  // One without a name is another one each time, and is named later.
  for (const entry of (Array.isArray(set) ? set : []).filter(isJson)) entries.set(entry[list.key] ?? Symbol(), entry);
  return [...entries.values()];
}

/** Names in a path may hold dots themselves: the longest that fits is meant. */
function unsetPath(target: Json, path: string, problems: FieldProblem[], at = ''): void {
  const names = Object.keys(target).filter((name) => path === name || path.startsWith(`${name}.`));
  const name = names.toSorted((left, right) => right.length - left.length)[0];
  const full = at === '' ? path : `${at}.${path}`;
  if (name === undefined) {
    if (!isKnown(full)) problems.push(nothingThere(full, path, at === '' ? OPTIONAL : Object.keys(target)));
    return;
  }
  const here = at === '' ? name : `${at}.${name}`;
  const rest = path.slice(name.length + 1);
  const value = target[name];
  const key = NAMED_LISTS.get(here);
  if (rest === '') delete target[name];
  else if (key !== undefined && Array.isArray(value)) target[name] = mergeNamed(value, { unset: [rest] }, { key, path: here }, problems);
  else if (isJson(value)) {
    const copy = { ...value };
    unsetPath(copy, rest, problems, here);
    target[name] = copy;
  } else problems.push(nothingThere(full, rest, []));
}

/** Of a context without a git repository nothing is left to follow. A type that was told by the host is told anew. */
function followContext(merged: Json, context: { readonly from: string | undefined; readonly to: unknown }, patch: Readonly<Json>): void {
  const trigger = merged['trigger'];
  const [from, to] = [contextRepository(context.from), typeof context.to === 'string' ? contextRepository(context.to) : undefined];
  const given = isJson(patch['trigger']) && patch['trigger']['sourceTriggers'] !== undefined;
  if (!isJson(trigger) || !Array.isArray(trigger['sourceTriggers']) || given || from === undefined || from.url === to?.url) return;
  const moved = (source: unknown): unknown[] => {
    const repository = isJson(source) ? source['sourceRepository'] : undefined;
    if (!isJson(source) || !isJson(repository) || repository['repositoryUrl'] !== from.url) return [source];
    if (to === undefined) return [];
    const type =
      repository['sourceControlType'] === sourceControlTypeOf(from.url) ? { sourceControlType: sourceControlTypeOf(to.url) } : {};
    return [{ ...source, sourceRepository: { ...repository, repositoryUrl: to.url, ...type } }];
  };
  merged['trigger'] = { ...trigger, sourceTriggers: trigger['sourceTriggers'].flatMap(moved) };
}

/** Taking away what could be there and is not changes nothing and is no mistake. */
function isKnown(path: string): boolean {
  const [first = '', second = '', third, ...more] = path.split('.');
  if (first === 'trigger' && second !== '') {
    if (third === undefined) return OF_TRIGGERS.includes(second);
    return second === 'baseImageTrigger' && OF_BASE_IMAGES.includes(third) && more.length === 0;
  }
  if (first !== 'step') return OPTIONAL.includes(first) && path === first;
  return (['Docker', 'FileTask', 'EncodedTask'] as const).some((type) => fieldsOfStep(type).some((field) => field === second));
}

function nothingThere(field: string, name: string, known: readonly string[]): FieldProblem {
  const near = nearestName(name, known);
  return {
    field,
    message: 'cannot be unset: there is nothing of that name',
    ...(near === undefined ? {} : { help: `did you mean "${near}"?` }),
    code: 'task-field-unknown',
  };
}

/** Fields of the type before; one that the patch itself names stays, to be complained about. */
function withoutForeign(step: Json, patch: Readonly<Json>): Json {
  const change = isJson(patch['step']) ? patch['step'] : {};
  if (change['type'] === undefined) return step;
  const allowed = new Set<string>(fieldsOfStep(stepTypeOf(step)));
  return Object.fromEntries(Object.entries(step).filter(([name]) => allowed.has(name) || name in change));
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
