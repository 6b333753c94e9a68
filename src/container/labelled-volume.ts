import { toEngineError } from './engine-api.ts';
import type { RunContext } from './run-context.ts';

/** Makes one labelled volume of the run. */
export async function makeVolume(context: RunContext, name: string, options: Readonly<Record<string, string>> = {}): Promise<void> {
  if ((await context.existing()).volumes.has(name)) return;
  const body = { Name: name, Driver: 'local', DriverOpts: options, Labels: context.labels };
  try {
    await context.make(() => context.api.json({ method: 'POST', path: '/volumes/create', body }));
  } catch (error) {
    // Docker gives back a volume that is there already, Podman refuses.
    if ((await context.lookAgain()).volumes.has(name)) return;
    throw toEngineError(error, `Making volume ${name}`);
  }
}
