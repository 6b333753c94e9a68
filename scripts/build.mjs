// npm run build: bundles src/ into dist/ (or the folder that is named), what a package publishes and what bin/task prefers while it
// is newer than src/.
// Some 300 modules become a few files that are required, not imported: loading them one by one, and linking them
// asynchronously, is a third of what a short run takes.
import { mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = resolve(process.argv[2] ?? join(root, 'dist'));
const started = new Date();

// These stay in node_modules: large, seldom needed, or with parts of their own that are looked up at run time.
const EXTERNAL = /^(ssh2|cpu-features|re2js|simple-git|chokidar|execa|better-sqlite3)(\/|$)/;

/** What packages load at once although a run seldom needs it. */
const LAZY = {
  // ssh2 (20 modules) and TLS: most engines are reached through a socket.
  'docker-modem/lib/modem.js': [
    ["ssh = require('./ssh')", "ssh = (...args) => require('./ssh')(...args)"],
    // It formats the options of every request for a line that nobody sees.
    ["debug = require('debug')('modem')", 'debug = () => undefined'],
    ['util.inspect(options, {', '((value) => value)(options, {'],
  ],
  // A copy of Node's streams for other Nodes.
  'docker-modem/lib/http_duplex.js': [["require('readable-stream')", "require('node:stream')"]],
  'docker-modem/lib/http.js': [
    ["nativeHttps = require('https')", "nativeHttps = { request: (...args) => require('https').request(...args) }"],
  ],
  // For commands that are programs of their own, which this program has none of.
  'commander/lib/command.js': [
    ["import childProcess from 'node:child_process';", ''],
    ['childProcess.spawn(', "process.getBuiltinModule('node:child_process').spawn("],
  ],
};
const lazyParts = {
  name: 'lazy-parts',
  transform(code, id) {
    const changes = Object.entries(LAZY).find(([file]) => id.endsWith(file))?.[1];
    return changes?.reduce((text, [eager, lazy]) => {
      if (!text.includes(eager)) throw new Error(`${id} no longer has ${eager}: see LAZY in scripts/build.mjs`);
      return text.replaceAll(eager, lazy);
    }, code);
  },
};

/**
 * What is not bundled is loaded when the first module that imports it runs, not when the file is read that this module
 * became a part of. Node's own modules count too: http2 alone takes 10 ms.
 */
const OUTSIDE = '\0outside:';

/** Modules of which a run calls only functions, and those late: loaded by the first call. */
const CALLED = {
  'node:crypto': [
    ...['createCipheriv', 'createDecipheriv', 'createHash', 'createHmac'],
    ...['randomBytes', 'randomInt', 'randomUUID', 'timingSafeEqual'],
  ],
};

const outside = {
  name: 'outside',
  resolveId(id, _importer, { kind }) {
    if (!EXTERNAL.test(id) && !id.startsWith('node:') && !builtinModules.includes(id)) return undefined;
    return kind === 'import-statement' ? OUTSIDE + id : { id, external: true };
  },
  load(id) {
    if (!id.startsWith(OUTSIDE)) return undefined;
    const name = JSON.stringify(id.slice(OUTSIDE.length));
    const functions = CALLED[id.slice(OUTSIDE.length)];
    if (functions === undefined) return `module.exports = require(${name});`;
    return functions.map((called) => `export const ${called} = (...args) => require(${name}).${called}(...args);`).join('\n');
  },
};

// Three files hold what a run needs: the second what begins its builds, the third what is needed when they have begun.
// Whatever else there is stays in small files.
const PARTS = {
  run: [
    'src/cli/program.ts',
    'src/cli/execution/run-command.ts',
    'src/task/load-plan.ts',
    'src/container/docker-engine.ts',
    'node_modules/docker-modem/lib/modem.js',
  ],
  build: [
    'src/service/build-inputs.ts',
    'src/git/git-source.ts',
    'src/container/build/build-image.ts',
    'src/container/build/session/grpc-server.ts',
  ],
  images: ['src/service/scan-platforms.ts', 'src/registry/registry-client.ts'],
};

/** The part that a module is in: the first one from whose roots it is reached without a dynamic import. */
function partOf(context) {
  const parts = new Map();
  for (const [name, roots] of Object.entries(PARTS)) {
    const waiting = roots.map((path) => join(root, path));
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (parts.has(id)) continue;
      parts.set(id, name);
      const module = context.getModuleInfo(id);
      if (module === null) throw new Error(`${id} is no module any more: see PARTS in scripts/build.mjs`);
      waiting.push(...module.importedIds);
    }
  }
  return parts;
}
let parts;
const inPart = (id, context) => {
  if (id.startsWith(OUTSIDE)) return 'outside';
  parts ??= partOf(context);
  return parts.get(id) ?? null;
};

/** Text of one byte a character is read and kept in half the time and space. */
const toAscii = (code) => code.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const fresh = `${target}-${process.pid}`;
mkdirSync(dirname(fresh), { recursive: true });
try {
  const bundle = await rolldown({
    input: join(root, 'src/main.ts'),
    platform: 'node',
    cwd: root,
    plugins: [outside, lazyParts],
    // What a part of the program imports lazily may well be in the same file.
    checks: { ineffectiveDynamicImport: false },
    preserveEntrySignatures: false,
  });
  const { output } = await bundle.write({
    dir: fresh,
    format: 'cjs',
    entryFileNames: 'entry-[hash].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    codeSplitting: { includeDependenciesRecursively: false, groups: [{ debugName: 'parts', name: inPart }] },
    strictExecutionOrder: true,
    comments: { legal: true, annotation: false, jsdoc: false },
    sourcemap: false,
  });
  for (const { fileName, code } of output) writeFileSync(join(fresh, fileName), toAscii(code), 'latin1');
  const entry = output.find(({ isEntry }) => isEntry).fileName;
  writeFileSync(join(fresh, 'main.cjs'), readFileSync(join(root, 'scripts/bundle-loader.cjs'), 'utf8').replace("'ENTRY'", `'${entry}'`));
  await bundle.close();
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
  // As old as the sources that were read: what is changed while this runs counts as newer.
  utimesSync(join(target, 'main.cjs'), started, started);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
