// Becomes dist/main.cjs: loads the files of the bundle together with the code that V8 made of them.
//
// Node's own compile cache keeps what V8 compiles when a file is loaded, so every function that is called later is compiled
// again by each start: 60 ms of a short run. Here the code is kept when the program ends, with all functions that it called.
'use strict';
const {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} = require('node:fs');
const { join } = require('node:path');
const { Script, constants: vm } = require('node:vm');

const LONG_RUN_S = 5;
const RENEW_AFTER_MS = 3_600_000;
const FORGET_AFTER_MS = 30 * 86_400_000;

// A lint calls other functions than a run: whichever came first would make the other compile most of its own again.
const kind = process.argv[2] === 'run' || process.argv[2] === 'build' ? 'run' : 'other';
const folder = cacheFolder();
const modules = new Map();
const scripts = [];

function cacheFolder() {
  const packages = join(__dirname, '../node_modules');
  const { HOME, XDG_CACHE_HOME } = process.env;
  const caches = isWritable(packages) ? join(packages, '.cache') : XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
  return caches ? join(caches, 'slipway', `${process.version}-${process.arch}`) : undefined;
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A file of the bundle, which is ASCII. The names of files hold a hash of their content, so code never meets another text. */
function load(name) {
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(name, module);
  const filename = join(__dirname, name);
  const cache = folder && join(folder, `${name}-${kind}`);
  const kept = cache && readIfThere(cache);
  const script = new Script(`(function (module, exports, require, __filename) { ${readFileSync(filename, 'latin1')}\n})`, {
    filename,
    cachedData: kept,
    importModuleDynamically: vm.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (cache) scripts.push({ script, cache, missing: kept === undefined || script.cachedDataRejected });
  const localRequire = (id) => (id.startsWith('./') ? load(id.slice(2)) : require(id));
  script.runInThisContext()(module, module.exports, localRequire, filename);
  return module.exports;
}

function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Keeps the code of scripts that had none; that of all scripts from time to time, when a run was so long that nobody notices. */
function keepCode() {
  const long = process.uptime() > LONG_RUN_S;
  const wanted = scripts.filter(({ cache, missing }) => missing || (long && ageMs(cache) > RENEW_AFTER_MS));
  if (wanted.length === 0) return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const { script, cache } of wanted) replaceFile(cache, script.createCachedData());
    for (const name of readdirSync(folder)) if (ageMs(join(folder, name)) > FORGET_AFTER_MS) unlinkSync(join(folder, name));
  } catch {
    // Somebody else is at it, or the disk is full or read-only: the next start compiles again.
  }
}

function ageMs(file) {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

/** V8 trusts the code it is given, so a file must never be seen, nor survive a crash, half written. */
function replaceFile(file, bytes) {
  const half = `${file}.${process.pid}`;
  const descriptor = openSync(half, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(half, file);
}

process.on('exit', keepCode);
load('ENTRY');
