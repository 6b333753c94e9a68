import type { PropertySpec, PropertyTable } from '../../src/task/schema/property-table.ts';
import { MOUNT_PROPERTIES, STEP_PROPERTIES } from '../../src/task/schema/step-properties.ts';
import {
  ALIAS_PROPERTIES,
  NETWORK_PROPERTIES,
  SECRET_PROPERTIES,
  TASK_PROPERTIES,
  VOLUME_PROPERTIES,
} from '../../src/task/schema/task-properties.ts';

const INTRODUCTION = `# Task file reference

This page is made from the tables that the program validates with (\`npm run generate\`). A task file is one YAML mapping. It is read in stages:
lines that start with \`#\` are dropped (in block scalars too), aliases are replaced, templates are rendered, and only then the text is read as YAML.

Names are case-sensitive. Unknown keys are ignored, as Azure Container Registry does; \`task lint\` warns about them. Extensions of this program are
marked; \`task lint --acr\` reports them.

Editors complete and check a file that starts with this line:

\`\`\`yaml
# yaml-language-server: $schema=node_modules/slipway/schemas/task.schema.json
\`\`\`
`;

const SECTIONS: readonly { readonly title: string; readonly text: string; readonly table: PropertyTable }[] = [
  { title: 'Task', text: 'The top level of the file.', table: TASK_PROPERTIES },
  {
    title: 'Step',
    text: 'An item of `steps`. It has exactly one of `cmd`, `build` and `push`, or `script` with `image`. Properties are accepted on every kind of step, and have an effect on those that are named.',
    table: STEP_PROPERTIES,
  },
  { title: 'Mount', text: 'An item of `volumeMounts`.', table: MOUNT_PROPERTIES },
  { title: 'Secret', text: 'An item of `secrets`.', table: SECRET_PROPERTIES },
  { title: 'Network', text: 'An item of `networks`.', table: NETWORK_PROPERTIES },
  { title: 'Volume', text: 'An item of `volumes`.', table: VOLUME_PROPERTIES },
  { title: 'Alias', text: 'The mapping under `alias`; only for version `v1.1.0`.', table: ALIAS_PROPERTIES },
];

/** docs/task-reference.md: every property with its type, default, meaning and an example. */
export function taskReference(): string {
  return [INTRODUCTION, ...SECTIONS.map(section)].join('\n');
}

function section({ title, text, table }: (typeof SECTIONS)[number]): string {
  const properties = Object.entries(table).map(([name, spec]) => property(name, spec));
  return [`## ${title}`, '', text, '', ...properties].join('\n');
}

function property(name: string, spec: PropertySpec): string {
  const facts = [typeName(spec)];
  if (spec.default !== undefined) facts.push(`default: ${spec.default}`);
  if (spec.on !== undefined) facts.push(`effect on: ${spec.on.join(', ')}`);
  const extension = spec.extension === undefined ? '' : ` *${spec.extension}*`;
  return [
    `### \`${name}\``,
    '',
    `${facts.join('; ')}.`,
    '',
    `${spec.description}${extension}`,
    '',
    '```yaml',
    spec.example,
    '```',
    '',
  ].join('\n');
}

const TYPE_NAMES: Readonly<Record<Extract<PropertySpec['type'], string>, string>> = {
  string: 'Text',
  int: 'Whole number',
  seconds: 'Seconds, a whole number',
  bool: 'Boolean',
  strings: 'List of texts',
  ints: 'List of whole numbers',
  command: 'Text',
  'string-map': 'Mapping from names to texts',
};

function typeName({ type, choices }: PropertySpec): string {
  if (choices !== undefined) return `One of ${choices.map((choice) => `\`${choice}\``).join(', ')}`;
  if (typeof type === 'string') return TYPE_NAMES[type];
  return 'listOf' in type ? 'List of mappings' : 'Mapping';
}
