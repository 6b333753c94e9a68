// Before npm test: installs and starts the real parts that the tests talk to. Runs on Node 20 and without node_modules.
import { installDependencies } from './lib/dependencies.mjs';
import { ensureEngine } from './lib/engine.mjs';
import { installPackages, isDebian } from './lib/packages.mjs';
import { fail } from './lib/shell.mjs';

if (!isDebian())
  fail(
    'the tests install their real parts (registry, Podman, git servers) from Debian packages; run them on Debian or Ubuntu, or in a VM of it.',
  );
installDependencies();
await ensureEngine();
const { registryProgram } = await import('./lib/registry.mjs');
const { ensureBaseImage } = await import('./lib/base-image.mjs');
registryProgram();
await ensureBaseImage('busybox:local');
installPackages(
  ['git', 'openssh-client', 'podman', 'runc', 'netavark', 'aardvark-dns', 'procps', 'util-linux', 'bzip2', 'xz-utils', 'zstd', 'tar'],
  'the tests run the engine contract on Podman too, and talk to real git servers and archives',
);
