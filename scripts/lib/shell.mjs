import { spawn, spawnSync } from 'node:child_process';

/** Says what is being done: set-up never changes anything silently. */
export function say(message) {
  process.stdout.write(`==> ${message}\n`);
}

/** Ends the program with a message that says how to mend the problem. */
export function fail(message) {
  process.stderr.write(`\nerror: ${message}\n`);
  process.exit(1);
}

/** Runs a command to its end. Returns { ok, output }; output is both streams. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, ...options });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error === undefined ? '' : String(result.error)}`;
  return { ok: result.status === 0, status: result.status, stdout: result.stdout ?? '', output };
}

/** Runs a command as root: directly, or through sudo. */
export function runAsRoot(command, args, options = {}) {
  if (process.getuid() === 0) return run(command, args, options);
  if (!onPath('sudo')) return { ok: false, status: 1, stdout: '', output: `${command} needs root, and there is no sudo on this machine` };
  return run('sudo', ['--preserve-env=DEBIAN_FRONTEND', command, ...args], { stdio: ['inherit', 'pipe', 'pipe'], ...options });
}

/** Starts a program that goes on after this one has ended. Returns its process id. */
export function startDetached(command, args, logFd, options = {}) {
  const asRoot = options.root === true && process.getuid() !== 0;
  const child = spawn(asRoot ? 'sudo' : command, asRoot ? [command, ...args] : args, {
    detached: true,
    stdio: ['ignore', logFd, logFd],
    env: options.env ?? process.env,
  });
  child.unref();
  return child.pid;
}

export function onPath(program) {
  return run('sh', ['-c', 'command -v "$1"', 'sh', program], { env: { ...process.env, PATH: searchPath() } }).ok;
}

/** PATH with the folders of system programs, which a plain user's PATH may lack. */
export function searchPath() {
  return `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
}

/** Calls `check` until it gives something truthy; undefined when the time is over. */
export async function waitFor(check, timeoutMs, intervalMs = 100) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await check();
    if (answer) return answer;
    if (Date.now() > end) return undefined;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
