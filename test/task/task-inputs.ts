import type { RunVariables } from '../../src/model/run-variables.ts';
import type { TaskInputs } from '../../src/task/load-task.ts';

const RUN: RunVariables = {
  ID: 'r1',
  Commit: '',
  Branch: '',
  Repository: '',
  GitTag: '',
  TriggeredBy: '',
  Registry: 'foo.azurecr.io',
  RegistryName: 'foo',
  Date: '20260102-030405z',
  SharedVolume: '',
  OS: 'linux',
  OSVersion: '',
  Architecture: 'amd64',
  TaskName: '',
};

/** Inputs of a task file given as text; alias sources come out of `files`. */
export function inputsOf(
  text: string,
  others: Partial<TaskInputs> & { readonly files?: Readonly<Record<string, string>> } = {},
): TaskInputs {
  const { files, ...inputs } = others;
  return {
    source: { name: 'acr-task.yaml', text },
    run: RUN,
    set: [],
    now: new Date('2026-01-02T03:04:05Z'),
    readAliasSource: (src) => {
      const found = files !== undefined && Object.hasOwn(files, src) ? files[src] : undefined;
      return Promise.resolve(found === undefined ? { ok: false, error: 'no such file' } : { ok: true, value: found });
    },
    ...inputs,
  };
}
