// npm run build: bundles src/ into dist/, what a package publishes and what bin/task prefers while it is newer than src/.
// Some 300 modules become a few files: reading them one by one is a third of what a short run takes.
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const started = new Date();

// These stay in node_modules: large, seldom needed, or with parts of their own that are looked up at run time.
const EXTERNAL = /^(ssh2|cpu-features|re2js|simple-git|chokidar|execa)(\/|$)/;

/** docker-modem loads ssh2 (20 modules) and TLS at once, although most engines are reached through a socket. */
const LAZY = {
  'docker-modem/lib/modem.js': ["ssh = require('./ssh')", "ssh = (...args) => require('./ssh')(...args)"],
  'docker-modem/lib/http.js': [
    "nativeHttps = require('https')",
    "nativeHttps = { request: (...args) => require('https').request(...args) }",
  ],
};
const lazyTransports = {
  name: 'lazy-transports',
  transform(code, id) {
    const change = Object.entries(LAZY).find(([file]) => id.endsWith(file))?.[1];
    if (change === undefined) return undefined;
    const [eager, lazy] = change;
    if (!code.includes(eager)) throw new Error(`${id} no longer has ${eager}: see LAZY in scripts/build.mjs`);
    return code.replace(eager, lazy);
  },
};

const fresh = join(root, `.slipway/dist-${process.pid}`);
mkdirSync(dirname(fresh), { recursive: true });
try {
  const bundle = await rolldown({
    input: join(root, 'src/main.ts'),
    platform: 'node',
    cwd: root,
    plugins: [lazyTransports],
    external: (id) => EXTERNAL.test(id),
  });
  await bundle.write({ dir: fresh, format: 'esm', chunkFileNames: '[name]-[hash].js', sourcemap: false });
  await bundle.close();
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  renameSync(fresh, join(root, 'dist'));
  // As old as the sources that were read: what is changed while this runs counts as newer.
  utimesSync(join(root, 'dist/main.js'), started, started);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
