import type { Assignment } from '../model/ports/agent-channel.ts';
import { type RunVariables, runDate } from '../model/run-variables.ts';
import type { OpenedContext } from './open-context.ts';

/** The `.Run` values of a daemon's run: what its cause said, then what was found in the context. They are the same at each attempt. */
export function runVariables(
  { run, request, createTime }: Assignment,
  source: OpenedContext['source'],
  workspaceVolume: string,
): RunVariables {
  const { variables, platform, registry } = request;
  return {
    ID: run,
    Commit: variables.Commit ?? source.commit ?? '',
    Branch: variables.Branch ?? source.branch ?? '',
    Repository: variables.Repository ?? source.repository ?? '',
    GitTag: variables.GitTag ?? '',
    TriggeredBy: variables.TriggeredBy ?? '',
    Registry: registry,
    RegistryName: registry.split('.')[0] ?? '',
    Date: runDate(new Date(createTime)),
    SharedVolume: workspaceVolume,
    OS: platform.os,
    OSVersion: '',
    Architecture: platform.architecture,
    TaskName: request.task ?? '',
  };
}
