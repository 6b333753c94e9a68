import { splitImageReference } from '../../model/image-reference.ts';
import { lacksRegistry, warnRegistryMissing } from '../registry-missing.ts';
import type { DecodedMapping } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import type { StepKind } from '../schema/property-table.ts';
import type { STEP_PROPERTIES } from '../schema/step-properties.ts';

export type StepMapping = DecodedMapping<typeof STEP_PROPERTIES>;

/** Waits for nothing. */
export const IMMEDIATE = '-';
/** The peer's name for the root of the graph: waiting for it is waiting for nothing. */
export const ROOT_ID = 'acb_root';

/** The kinds that a step has; one is right. An empty text or list counts as absent. */
export function kindsOf({ fields }: StepMapping): readonly StepKind[] {
  const kinds: StepKind[] = [];
  const { cmd, build, push, script } = fields;
  if (cmd !== undefined && cmd.value.length > 0) kinds.push('cmd');
  if (build !== undefined && build.value !== '') kinds.push('build');
  if (push !== undefined && push.value.length > 0) kinds.push('push');
  if (kinds.length === 0 && script !== undefined && script.value !== '') kinds.push('cmd');
  return kinds;
}

/** Everything wrong with one step by itself; what concerns other steps is checked with the graph. */
export function checkStep(
  step: StepMapping,
  id: string,
  { volumes, registry }: { readonly volumes: ReadonlySet<string>; readonly registry: string },
  problems: Problems,
): void {
  checkCounts(step, problems);
  checkKinds(step, kindsOf(step), problems);
  checkId(step, id, problems);
  checkMounts(step, volumes, problems);
  checkWhen(step, id, problems);
  checkCache(step, problems);
  checkPush(step, registry, problems);
}

function checkCounts({ fields: { retries, repeat } }: StepMapping, problems: Problems): void {
  if (retries !== undefined && retries.value < 0) {
    problems.error('step-retries-negative', '`retries` must be 0 or more.', { range: retries.node.range });
  }
  if (repeat !== undefined && repeat.value < 0) {
    problems.error('step-repeat-negative', '`repeat` must be 0 or more.', { range: repeat.node.range });
  }
}

function checkKinds(step: StepMapping, kinds: readonly StepKind[], problems: Problems): void {
  const { fields, node, broken } = step;
  if (kinds.length > 1) {
    const second = kinds[1] ?? 'cmd';
    problems.error('step-several-types', `A step is one of cmd, build and push, but this one has ${kinds.join(' and ')}.`, {
      range: fields[second]?.key.range ?? node.range,
      help: 'Make a step of each.',
    });
  }
  // A type of a wrong YAML type has been reported already.
  if (kinds.length === 0 && !broken) {
    problems.error('step-missing-type', 'This step does nothing: it has no `cmd`, `build` or `push`.', {
      range: node.range,
      expected: 'one of `cmd: IMAGE ARGUMENTS`, `build: ARGUMENTS` and `push: [IMAGES]`',
    });
  }
  const isScript = fields.script !== undefined && fields.cmd === undefined && kinds.length === 1 && kinds[0] === 'cmd';
  if (isScript && (fields.image?.value ?? '') === '') {
    problems.error('script-missing-image', 'A `script` needs the image that runs it.', {
      range: fields.script.key.range,
      help: 'Add `image: NAME`.',
    });
  }
}

const WHITE_SPACE = /\p{White_Space}/u;

function checkId({ fields }: StepMapping, id: string, problems: Problems): void {
  const range = fields.id?.node.range;
  if (WHITE_SPACE.test(id)) {
    problems.error('step-id-whitespace', `The id \`${id}\` contains white space.`, {
      range,
      help: `Write \`${id.trim().replace(/\s+/g, '-')}\`.`,
    });
  }
  if (id === ROOT_ID || id === IMMEDIATE) {
    problems.error('step-id-reserved', `The id \`${id}\` is reserved: no step could wait for it.`, { range });
  }
}

function checkMounts({ fields: { volumeMounts, push } }: StepMapping, volumes: ReadonlySet<string>, problems: Problems): void {
  if (volumeMounts === undefined || volumeMounts.value.length === 0) return;
  if (push !== undefined && push.value.length > 0) {
    problems.error('mount-on-push', 'A push step has no container to mount volumes in.', { range: volumeMounts.key.range });
  }
  const paths = new Set<string>();
  for (const { fields, node, broken } of volumeMounts.value) {
    if (broken) continue;
    const name = fields.name?.value ?? '';
    const path = fields.mountPath?.value ?? '';
    if (name === '' || path === '') {
      problems.error('mount-incomplete', 'A mount needs a `name` and a `mountPath`.', { range: node.range });
      continue;
    }
    if (!volumes.has(name)) {
      problems.error('mount-unknown-volume', `No volume of this task has the name \`${name}\`.`, {
        range: fields.name?.node.range,
        help: `Declare it under \`volumes\`, or name one of: ${[...volumes].slice(0, 20).join(', ') || '(there is none)'}.`,
      });
    }
    if (!path.startsWith('/')) {
      problems.error('mount-path-relative', `The mount path \`${path}\` is not absolute.`, {
        range: fields.mountPath?.node.range,
        expected: 'a path that starts with `/`',
      });
    }
    if (paths.has(path))
      problems.error('mount-duplicate-path', `Two volumes are mounted on \`${path}\`.`, { range: fields.mountPath?.node.range });
    paths.add(path);
  }
}

function checkWhen({ fields: { when } }: StepMapping, id: string, problems: Problems): void {
  if (when === undefined) return;
  const immediate = when.value.find(({ value }) => value === IMMEDIATE);
  if (immediate !== undefined && when.value.length > 1) {
    problems.error('when-immediate-not-alone', '`-` in `when` means to wait for nothing, so no other id may stand beside it.', {
      range: immediate.node.range,
      help: 'Remove `-`, or the ids beside it.',
    });
  }
  const self = when.value.find(({ value }) => value === id);
  if (self !== undefined) problems.error('when-self', `The step \`${id}\` waits for itself.`, { range: self.node.range });
}

/** What no engine will push is found before the steps that make it have run. */
function checkPush({ fields: { push } }: StepMapping, registry: string, problems: Problems): void {
  for (const { value, node } of push?.value ?? []) {
    const reference = splitImageReference(value);
    if (reference.ok) continue;
    if (lacksRegistry(value, registry)) warnRegistryMissing(value, node.range, problems);
    else problems.warn('push-bad-image', `No engine will push \`${value}\`: ${reference.error}.`, { range: node.range });
  }
}

function checkCache({ fields: { cache } }: StepMapping, problems: Problems): void {
  if (cache === undefined || ['', 'enabled', 'disabled'].includes(cache.value.toLowerCase())) return;
  problems.error('cache-invalid', `\`${cache.value}\` is no value for \`cache\`.`, {
    range: cache.node.range,
    expected: '`enabled` or `disabled`',
  });
}
