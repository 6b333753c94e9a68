import type { RunOutcome } from '../../src/model/ports/store.ts';
import type { RunEvent } from '../../src/model/run-event.ts';
import type { RunRequest, StepRecord } from '../../src/model/run-record.ts';
import type { TaskDefinition } from '../../src/model/task-definition.ts';

const NO_RIGHTS = { privileged: false, hostMounts: false, dockerSocket: false };
const LINUX = { os: 'linux', architecture: 'amd64' };

export function runRequest(parts: Partial<RunRequest> = {}): RunRequest {
  return {
    runType: 'QuickRun',
    step: { type: 'FileTask', taskFilePath: 'acb.yaml', contextPath: 'https://git.example/app.git', values: [] },
    ...{ platform: LINUX, cpu: 2, timeout: 3600, registry: 'registry.example', credentials: [], policy: NO_RIGHTS, trust: 'trusted' },
    ...{ agentPoolName: 'default', priority: 0, variables: {}, extended: false, noPush: false, keepGoing: false, env: [] },
    causes: [{ kind: 'manual', principal: 'token ci', from: '192.0.2.1' }],
    ...parts,
  };
}

export function taskDefinition(name: string, parts: Partial<TaskDefinition> = {}): TaskDefinition {
  return {
    ...{ name, status: 'Enabled', platform: LINUX, agentConfiguration: { cpu: 2 }, timeout: 3600, agentPoolName: 'default', priority: 0 },
    ...{ step: { type: 'FileTask', taskFilePath: 'acb.yaml', values: [] }, credentials: [], policy: NO_RIGHTS },
    ...parts,
  };
}

export function outcome(status: RunOutcome['status'], parts: Partial<RunOutcome> = {}): RunOutcome {
  return { status, steps: [], images: [], built: [], baseImages: [], dependencies: [], ...parts };
}

export function stepRecord(id: string, status: StepRecord['status']): StepRecord {
  return { id, kind: 'cmd', needs: [], status, attempts: status === 'pending' ? 0 : 1 };
}

/** Notes numbered from `first` to `last`. */
export function notes(run: string, first: number, last: number): readonly RunEvent[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const seq = first + index;
    return { version: 1, seq, at: '2030-01-02T03:04:05.000Z', run, type: 'note', level: 'info', message: `note ${seq}` };
  });
}
