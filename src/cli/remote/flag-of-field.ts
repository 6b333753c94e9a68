import { DaemonProblem, type RemoteDiagnostic } from './problem.ts';

/** Fields of a task, in the order in which they are asked, and the flags that set them. */
const FLAGS: readonly (readonly [RegExp, string])[] = [
  [/^trigger\.sourceTriggers\[\d+\]\.branch(?:es)?\b/, '--branch'],
  [/^trigger\.sourceTriggers\[\d+\]\.tags\b/, '--tag'],
  [/^trigger\.sourceTriggers\[\d+\]\.paths\.include\b/, '--include-path'],
  [/^trigger\.sourceTriggers\[\d+\]\.paths\.exclude\b/, '--exclude-path'],
  [/^trigger\.sourceTriggers\[\d+\]\.pollInterval$/, '--poll-interval'],
  [/^trigger\.sourceTriggers\[\d+\]\.name$/, '--source-trigger-name'],
  [/^trigger\.timerTriggers\[\d+\]\.(?:schedule|name)$/, '--schedule'],
  [/^schedule$/, '--schedule'],
  [/^(?:trigger\.timerTriggers\[\d+\]\.)?(?:onMissed|mostMissed)$/, '--on-missed'],
  [/^(?:trigger\.timerTriggers\[\d+\]\.)?jitter$/, '--jitter'],
  [/^trigger\.baseImageTrigger\.tracks\b/, '--track'],
  [/^trigger\.baseImageTrigger\.updateTriggerEndpoint$/, '--update-trigger-endpoint'],
  [/^trigger\.baseImageTrigger\.window$/, '--base-image-window'],
  [/^trigger\.baseImageTrigger\.poll\b/, '--base-image-poll'],
  [/^trigger\.baseImageTrigger\.name$/, '--base-image-trigger-name'],
  [/^trigger\.afterTriggers\b/, '--after'],
  [/^step\.contextPath$/, '--context'],
  [/^step\.imageNames\b/, '--image'],
  [/^step\.target$/, '--target'],
  [/^timeout$/, '--timeout'],
  [/^agentConfiguration\.cpu$/, '--cpu'],
  [/^priority$/, '--priority'],
  [/^maxParallelRuns$/, '--max-parallel'],
  [/^concurrency\.group$/, '--concurrency-group'],
  [/^concurrency\.limit$/, '--concurrency-limit'],
  [/^platform\b/, '--platform'],
];

/** Names flags where a daemon names the fields of a task: who wrote the one has not seen the other. */
export async function namingFlags<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DaemonProblem ? inFlags(error) : error;
  }
}

function inFlags({ status, code, message, help, mistakes, headers }: DaemonProblem): DaemonProblem {
  const renamed = mistakes.map((mistake): RemoteDiagnostic => {
    const flag = mistake.field === undefined || mistake.source !== undefined ? undefined : flagOf(mistake.field);
    return { ...mistake, message: withFlags(mistake.message), ...(flag === undefined ? {} : { field: flag }) };
  });
  return new DaemonProblem(status, code, withFlags(message), { mistakes: renamed, headers, ...(help === undefined ? {} : { help }) });
}

function withFlags(message: string): string {
  return message.replace(/`([a-zA-Z][\w.[\]]*)`/g, (whole, field: string) => {
    const flag = flagOf(field);
    return flag === undefined ? whole : `\`${flag}\``;
  });
}

function flagOf(field: string): string | undefined {
  return FLAGS.find(([pattern]) => pattern.test(field))?.[1];
}
