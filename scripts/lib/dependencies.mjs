import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail, run, say } from './shell.mjs';
import { projectRoot } from './state.mjs';

const OLDEST_NODE = 24;

/** Installs node_modules from the lock file when they are missing or older than it, and makes sure a Node 24 is at hand. */
export function installDependencies() {
  if (!upToDate()) {
    say('installing the npm packages of package-lock.json (npm ci)');
    const install = () => run('npm', ['ci', '--loglevel=error'], { cwd: projectRoot, stdio: ['ignore', 'inherit', 'inherit'] });
    // A connection that broke among some hundred downloads is no reason to give up; what has come is kept in npm's cache.
    let result = install();
    if (!result.ok) {
      say('npm ci failed; trying once more');
      result = install();
    }
    if (!result.ok) fail('npm ci failed; its output above says why. Node 20 or newer with npm 10 or newer is needed.');
  }
  return findNode();
}

/** Bundles the program, so that it starts faster. Without the bundle bin/task starts from the sources. */
export function buildProgram(node) {
  say('bundling the program into dist (npm run build)');
  const { ok, output } = run(node, ['scripts/build.mjs'], { cwd: projectRoot });
  if (!ok) say(`it starts from its sources instead, some 100 ms slower: ${output.trim().split('\n').at(-1)}`);
}

function upToDate() {
  const installed = join(projectRoot, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  return statSync(installed).mtimeMs >= statSync(join(projectRoot, 'package-lock.json')).mtimeMs || sameVersions(installed);
}

/** A fresh checkout has a new modification time on an unchanged lock file: compare what they say. */
function sameVersions(installed) {
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(([path, entry]) => path === '' || entry.optional === true || have[path]?.version === entry.version);
}

/** Path of a Node ≥ 24: the running one, or the one that the npm registry carries as a package. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) return process.execPath;
  const packaged = join(projectRoot, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged)) return packaged;
  return fail(
    `Node ${OLDEST_NODE} or newer is needed; this is Node ${process.versions.node} and there is no packaged Node for ${process.platform}-${process.arch}.\n` +
      'Install one from https://nodejs.org and run the command again.',
  );
}
