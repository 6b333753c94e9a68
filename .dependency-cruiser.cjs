/**
 * The floors of docs/architecture.md: imports go down only, folders on one floor never import each other,
 * and only the raw doors of src/util touch processes and the network.
 */
const floors = {
  util: [],
  model: ['util'],
  task: ['model', 'util'],
  container: ['model', 'util'],
  archive: ['model', 'util'],
  git: ['model', 'util'],
  registry: ['model', 'util'],
  store: ['model', 'util'],
  files: ['model', 'util'],
  queue: ['model', 'util'],
  api: ['model', 'util'],
  forge: ['model', 'util'],
  schedule: ['model', 'util'],
  config: ['task', 'model', 'util'],
  run: ['model', 'util'],
  service: ['run', 'task', 'schedule', 'model', 'util'],
  trigger: ['task', 'schedule', 'model', 'util'],
  agent: ['run', 'task', 'model', 'util'],
  cli: ['service', 'run', 'task', 'schedule', 'config', 'api', 'container', 'archive', 'git', 'registry', 'model', 'util'],
  daemon: [
    ...['service', 'trigger', 'agent', 'run', 'task', 'schedule', 'config', 'api', 'store', 'files', 'queue'],
    ...['forge', 'container', 'archive', 'git', 'registry', 'model', 'util'],
  ],
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(floors).map(([folder, below]) => ({
      name: `floor-${folder}`,
      comment: `src/${folder} may import only: ${[folder, ...below].join(', ')} (docs/architecture.md, Floors)`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: `^src/(${[folder, ...below].join('|')})/` },
    })),
    {
      name: 'main-imports-cli-and-daemon',
      severity: 'error',
      from: { path: '^src/main[.]ts$' },
      to: { path: '^src/', pathNot: '^src/(cli|daemon|util|model)/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/' }, to: {} },
    { name: 'no-test-from-src', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|scripts)/' } },
    {
      name: 'one-door-to-processes',
      comment: 'processes are started through src/util/process.ts (execa)',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/util/' },
      to: { path: '^(node:)?child_process$|^execa$' },
    },
    {
      name: 'one-door-to-docker',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/container/' },
      to: { path: 'node_modules/(dockerode|@grpc/grpc-js)/' },
    },
    { name: 'one-door-to-git', severity: 'error', from: { path: '^src/', pathNot: '^src/git/' }, to: { path: 'node_modules/simple-git/' } },
    { name: 'not-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'], mainFields: ['module', 'main'] },
  },
};
