import { stat } from 'node:fs/promises';
import type { ServeOrder } from '../config/serve-order.ts';
import { EngineError } from '../model/engine-error.ts';
import { renderDiagnostic } from '../model/render-diagnostic.ts';
import { loadSecretKey } from '../service/secret-key.ts';
import { readTasksFolder } from '../service/tasks/folder-files.ts';
import type { DaemonSettings } from './daemon-settings.ts';
import { checkPrivate } from './data-directory.ts';
import { diskRefusal } from './disk-space.ts';
import { createEnginePort } from './engine-port.ts';

/** `task serve --check`: says of everything a start needs whether it is there. Changes nothing. Resolves with the exit code. */
export async function checkDaemon(settings: DaemonSettings, { environment, say, warn }: ServeOrder): Promise<number> {
  let failed = false;
  const check = async (name: string, work: () => Promise<string>): Promise<void> => {
    try {
      say(`ok      ${name}: ${await work()}`);
    } catch (error) {
      failed = true;
      const help = error instanceof EngineError ? `\n        help: ${error.help}` : '';
      warn(`${name}: ${error instanceof Error ? error.message : String(error)}${help}`);
    }
  };
  say('ok      settings: every key can be read');
  await check('data directory', async () => {
    const there = await stat(settings.data).catch(() => undefined);
    if (there === undefined) return `${settings.data} will be made`;
    await checkPrivate(settings.data);
    const refusal = await diskRefusal(settings.data);
    if (refusal !== undefined) throw new EngineError('disk-full', refusal);
    return settings.data;
  });
  await check('secret key', async () => {
    const file = `${settings.data}/secret.key`;
    const given = (environment['SLIPWAY_SECRET_KEY'] ?? environment['SLIPWAY_SECRET_KEY_FILE'] ?? '') !== '';
    if (!given && (await stat(file).catch(() => undefined)) === undefined) return `${file} will be made`;
    return `from ${(await loadSecretKey({ file, environment, make: false })).from}`;
  });
  const engine = createEnginePort({ endpoint: settings.engine, environment });
  await check('engine', async () => {
    const { kind, version, endpoint } = await engine.describe();
    return `${kind} ${version} at ${endpoint}`;
  });
  await engine.close().catch(() => undefined);
  await check('task folder', async () => {
    if ((await stat(settings.tasksDirectory).catch(() => undefined)) === undefined) return `${settings.tasksDirectory} is not there yet`;
    const files = await readTasksFolder(settings.tasksDirectory);
    const problems = files.flatMap(({ read }) => (read.ok ? [] : read.error));
    if (problems.length > 0) throw new EngineError('bad-task', problems.map((problem) => renderDiagnostic(problem)).join('\n'));
    return `${files.length} files in ${settings.tasksDirectory}`;
  });
  return failed ? 2 : 0;
}
