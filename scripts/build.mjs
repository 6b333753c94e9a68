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

/** docker-modem loads ssh2 at once, 20 modules, although few engines are reached over ssh. */
const lazySsh = {
  name: 'lazy-ssh',
  transform(code, id) {
    if (!id.endsWith('docker-modem/lib/modem.js')) return undefined;
    const eager = "ssh = require('./ssh')";
    if (!code.includes(eager)) throw new Error(`docker-modem no longer has ${eager}: see lazySsh in scripts/build.mjs`);
    return code.replace(eager, "ssh = (...args) => require('./ssh')(...args)");
  },
};

const fresh = join(root, `.slipway/dist-${process.pid}`);
mkdirSync(dirname(fresh), { recursive: true });
try {
  const bundle = await rolldown({
    input: join(root, 'src/main.ts'),
    platform: 'node',
    cwd: root,
    plugins: [lazySsh],
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
