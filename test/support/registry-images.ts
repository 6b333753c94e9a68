import { runProcess } from '../../src/util/process.ts';

/** Puts busybox into a registry, as an image that everybody may pull, and leaves no tag of it in the engine. */
export async function publishBusybox(host: string): Promise<string> {
  const image = `${host}/public/busybox:1`;
  for (const args of [
    ['tag', 'busybox:local', image],
    ['push', '-q', image],
    ['rmi', image],
  ])
    await docker(...args);
  return image;
}

/** Runs docker's client. Rejects when it fails. */
export async function docker(...args: string[]): Promise<string> {
  const outcome = await runProcess({ file: 'docker', args, env: { PATH: process.env['PATH'] ?? '' } });
  if (outcome.kind !== 'exited' || outcome.exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${outcome.stderr}`);
  return outcome.stdout.toString().trim();
}
