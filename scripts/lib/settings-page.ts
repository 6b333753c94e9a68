import type { SettingKey } from '../../src/config/setting-key.ts';
import { SETTING_KEYS } from '../../src/config/setting-keys.ts';
import { tableRow } from './table-row.ts';

const INTRODUCTION = `# Settings

This page is made from the program's own table (\`npm run generate\`).

A setting comes from the first of these that has it: a flag, its variable, \`slipway.yaml\` in the current folder (\`task serve --config FILE\` reads another file),
\`~/.config/slipway/config.yaml\`, its default. \`task config show\` prints every setting, its value and where it comes from. Editors find the keys in
[schemas/config.schema.json](../schemas/config.schema.json). A wrong key or value is an error that names its place.

Durations are seconds, or \`90s\`, \`10m\`, \`12h\`, \`30d\`. Sizes are bytes or \`512KiB\`, \`64MiB\`, \`1GiB\`. Lists are YAML lists; in a variable their entries stand with commas
between.
`;

const GROUPS: readonly (readonly [SettingKey['group'], string, string])[] = [
  ['daemon', 'Of the daemon', 'Read by `task serve` only.'],
  [
    'runs',
    'Of every command that runs tasks',
    'Read by `task run`, `build`, `plan`, `doctor` and others on this machine, and by `task serve` where the daemon has the same question.',
  ],
];

/** docs/settings.md: every key of slipway.yaml with its flag, its variable and its default. */
export function settingsPage(): string {
  return `${INTRODUCTION}${GROUPS.map(([group, title, about]) => section(group, title, about)).join('')}`;
}

function section(group: SettingKey['group'], title: string, about: string): string {
  const rows = SETTING_KEYS.filter((key) => key.group === group).map(({ name, variable, flag, description, fallback }) =>
    tableRow([`\`${name}\``, `\`${variable}\``, flag === undefined ? '' : `\`${flag}\``, description, fallback]),
  );
  return `\n## ${title}\n\n${about}\n\n| key | variable | flag | meaning | default |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}
