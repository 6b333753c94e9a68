/** Run variables with an alias of the same name. */
const RUN_ALIASES = ['ID', 'SharedVolume', 'Registry', 'RegistryName', 'Date', 'OS', 'Architecture', 'Commit', 'Branch'] as const;

/** Images of well-known tools. A task file, or a file it names under `alias.src`, may say otherwise. */
const IMAGE_ALIASES: readonly (readonly [string, string])[] = [
  ['acr', 'mcr.microsoft.com/acr/acr-cli:0.19'],
  ['az', 'mcr.microsoft.com/acr/azure-cli:2ff604c'],
  ['bash', 'mcr.microsoft.com/acr/bash:2ff604c'],
  ['curl', 'mcr.microsoft.com/acr/curl:2ff604c'],
  ['cssc', 'mcr.microsoft.com/acr/cssc:2ff604c'],
];

/** The aliases that every file of version v1.1.0 has; whatever else defines one of the same name wins. */
export const PREDEFINED_ALIASES: ReadonlyMap<string, string> = new Map([
  ...RUN_ALIASES.map((name): readonly [string, string] => [name, `{{.Run.${name}}}`]),
  ...IMAGE_ALIASES,
]);
