import type { PropertyTable } from './property-table.ts';
import { STEP_PROPERTIES } from './step-properties.ts';

export const SECRET_PROPERTIES = {
  id: { type: 'string', description: 'Name of the secret: templates read it as `.Secrets.ID`.', example: 'id: npmToken' },
  keyvault: {
    type: 'string',
    description: 'Where the value comes from: `env://NAME`, `file://PATH`, `exec://COMMAND`, or a vault URL that the engine maps.',
    example: 'keyvault: env://NPM_TOKEN',
  },
  clientID: {
    type: 'string',
    description: 'Client id (a UUID) of the identity that reads the vault.',
    example: 'clientID: 11111111-2222-3333-4444-555555555555',
  },
} as const satisfies PropertyTable;

export const NETWORK_PROPERTIES = {
  name: { type: 'string', description: 'Name of the network.', example: 'name: backend' },
  driver: { type: 'string', description: 'Network driver.', example: 'driver: bridge', default: "the engine's own" },
  ipv6: { type: 'bool', description: 'Gives the network IPv6 addresses.', example: 'ipv6: true', default: 'false' },
  skipCreation: {
    type: 'bool',
    description: 'A network of that name exists already: it is neither created nor removed.',
    example: 'skipCreation: true',
    default: 'false',
  },
  isDefault: {
    type: 'bool',
    description: 'Steps that name no network join this one; the last such network wins.',
    example: 'isDefault: true',
    default: 'false',
  },
} as const satisfies PropertyTable;

export const VOLUME_PROPERTIES = {
  name: { type: 'string', description: 'Name of the volume: letters, digits, `_` and `-`.', example: 'name: keys' },
  secret: {
    type: 'string-map',
    description: 'Files of the volume: their names, and their bytes in base64.',
    example: 'secret:\n  id.key: "{{.Secrets.deployKey | b64enc}}"',
  },
} as const satisfies PropertyTable;

export const ALIAS_PROPERTIES = {
  src: {
    type: 'strings',
    description: 'Files or URLs with further aliases, each a mapping from names to texts; later ones win.',
    example: 'src: ["aliases.yaml"]',
  },
  values: {
    type: 'string-map',
    description: 'Aliases of this file: names of letters and digits, and the texts that replace them.',
    example: 'values:\n  web: "{{.Run.Registry}}/web"',
  },
  directive: {
    type: 'string',
    description: 'The character that starts a reference to an alias.',
    example: 'directive: "&"',
    default: '`$`',
  },
} as const satisfies PropertyTable;

export const TASK_PROPERTIES = {
  version: {
    type: 'string',
    description: 'Version of the task language. Aliases need `v1.1.0`.',
    example: 'version: v1.1.0',
    default: '`v1.0.0`',
    choices: ['v1.0.0', 'v1.1.0', '1.0-preview-1'],
  },
  stepTimeout: {
    type: 'seconds',
    description: 'Timeout of steps that set none, in seconds. 0 or less means the default.',
    example: 'stepTimeout: 1200',
    default: '600',
    extension: 'Durations such as `10m` are an extension; whole seconds are not.',
  },
  workingDirectory: {
    type: 'string',
    description: 'Working directory of steps that set none; a relative path starts at `/workspace`.',
    example: 'workingDirectory: src',
    default: '`/workspace`',
  },
  env: {
    type: 'strings',
    description: 'Environment variables of every cmd and build step, `NAME=value`. An entry is split at commas.',
    example: 'env: [CI=true]',
  },
  secrets: {
    type: { listOf: SECRET_PROPERTIES },
    description: 'Secrets that are read before the file is rendered.',
    example: 'secrets:\n  - id: npmToken\n    keyvault: env://NPM_TOKEN',
  },
  networks: {
    type: { listOf: NETWORK_PROPERTIES },
    description: 'Networks of the run.',
    example: 'networks:\n  - name: backend\n    isDefault: true',
    default: 'one network that every step joins, where steps reach each other by id',
  },
  volumes: {
    type: { listOf: VOLUME_PROPERTIES },
    description: 'Volumes with secret files, for `volumeMounts` of steps.',
    example: 'volumes:\n  - name: keys\n    secret:\n      id.key: "{{.Secrets.deployKey | b64enc}}"',
  },
  alias: {
    type: { mapping: ALIAS_PROPERTIES },
    description: 'Texts to replace in the rest of the file before it is rendered. Needs version `v1.1.0`.',
    example: 'alias:\n  values:\n    web: "{{.Run.Registry}}/web"',
  },
  steps: {
    type: { listOf: STEP_PROPERTIES },
    description: 'The work, in order.',
    example: 'steps:\n  - build: -t $Registry/web:$ID .\n  - push: ["$Registry/web:$ID"]',
  },
} as const satisfies PropertyTable;
