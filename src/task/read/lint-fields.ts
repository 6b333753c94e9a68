import type { DecodedMapping, Located } from '../schema/decode.ts';
import { parseDuration } from '../schema/duration.ts';
import type { Problems } from '../schema/problems.ts';
import type { PropertySpec, PropertyTable, StepKind } from '../schema/property-table.ts';
import { STEP_PROPERTIES } from '../schema/step-properties.ts';
import { TASK_PROPERTIES } from '../schema/task-properties.ts';
import { kindsOf, type StepMapping } from './check-step.ts';
import { lintWords } from './lint-words.ts';

export interface LintOptions {
  /** The file must also run on Azure Container Registry: extensions are reported. */
  readonly acr: boolean;
  /** The properties that need `--extended` have their meaning. */
  readonly extended: boolean;
}

type TaskFields = DecodedMapping<typeof TASK_PROPERTIES>['fields'];
type AnyFields = Readonly<Record<string, Located<unknown> | undefined>>;

/** Warnings about properties that are legal and still no good: without effect, or unknown to Azure Container Registry. */
export function lintTaskFields(fields: TaskFields, options: LintOptions, problems: Problems): void {
  if (fields.alias !== undefined) {
    problems.warn(
      'alias-needs-version',
      'This `alias` block is ignored: the file has no `version: v1.1.0` of its own in the first column.',
      {
        range: fields.alias.key.range,
        help: 'Write `version: v1.1.0`, and `alias:` without quotes.',
      },
    );
  }
  if (options.acr) lintExtensions(fields, TASK_PROPERTIES, problems);
  for (const step of fields.steps?.value ?? []) {
    if (options.acr) lintExtensions(step.fields, STEP_PROPERTIES, problems);
    lintEffects(step, problems);
    if (kindsOf(step)[0] === 'cmd') lintWords(step, problems);
    if (!options.extended) lintExtended(step.fields, problems);
  }
}

function lintExtensions(fields: AnyFields, table: PropertyTable, problems: Problems): void {
  for (const [name, field] of Object.entries(fields)) {
    const spec = table[name];
    if (field === undefined || spec?.extension === undefined || !isExtension(spec, field)) continue;
    problems.warn('acr-extension', `\`${name}\` is written in a form that Azure Container Registry does not know. ${spec.extension}`, {
      range: field.node.range,
    });
  }
}

function isExtension(spec: PropertySpec, { node }: Located<unknown>): boolean {
  if (spec.type === 'seconds') return node.kind === 'scalar' && parseDuration(node.text) !== undefined;
  return spec.type !== 'command' || node.kind === 'sequence';
}

function lintExtended({ exitedWith, exitedWithout }: StepMapping['fields'], problems: Problems): void {
  for (const field of [exitedWith, exitedWithout]) {
    if (field === undefined) continue;
    const name = field === exitedWith ? 'exitedWith' : 'exitedWithout';
    problems.warn('property-without-effect', `\`${name}\` is read and ignored, as Azure Container Registry does.`, {
      range: field.key.range,
      help: 'With `--extended` it has its evident meaning.',
    });
  }
}

/** What does for a build what the property does for a container. */
const BUILD_FLAGS: Readonly<Record<string, string>> = {
  network: '--network',
  isolation: '--isolation',
  cpus: '--cpu-quota',
  pull: '--pull',
  volumeMounts: '--secret',
};

function lintEffects(step: StepMapping, problems: Problems): void {
  const kinds = kindsOf(step);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) return;
  for (const [name, field] of Object.entries(step.fields as AnyFields)) {
    const on = (STEP_PROPERTIES as PropertyTable)[name]?.on;
    if (field === undefined || on === undefined || hasEffect(name, on, kind, step)) continue;
    const flag = kind === 'build' ? BUILD_FLAGS[name] : undefined;
    problems.warn('property-without-effect', `\`${name}\` has no effect on a ${kind} step.`, {
      range: field.key.range,
      expected: `it has one on ${on.join(' and ')} steps`,
      help: flag === undefined ? undefined : `Write \`${flag}\` among the arguments of \`build\`.`,
    });
  }
}

function hasEffect(name: string, on: readonly StepKind[], kind: StepKind, { fields }: StepMapping): boolean {
  const scripted = fields.cmd === undefined || fields.cmd.value.length === 0;
  if (name === 'image' || name === 'script') return kind === 'cmd' && scripted;
  return on.includes(kind);
}
