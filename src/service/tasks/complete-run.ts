import { type Cause, type RunRequest, type TrustClass, triggerWord } from '../../model/run-record.ts';
import type { TaskStepDefinition } from '../../model/task-definition.ts';
import { expandConcurrency } from './concurrency-group.ts';
import type { RunReason, RunSettings } from './run-settings.ts';
import { argumentsOf } from './secret-places.ts';
import type { TaskDefaults } from './task-defaults.ts';

/** Of a run that no task gave special rights. */
export const NO_RIGHTS = { privileged: false, hostMounts: false, dockerSocket: false };

/** Forked pull requests cannot be told from others here: without a word from the one who knows, every pull request is one. */
function trustOf(causes: readonly Cause[]): TrustClass {
  return causes.some((cause) => cause.kind === 'source' && cause.event === 'pullrequest') ? 'untrusted' : 'trusted';
}

type OwnPart = Pick<
  RunRequest,
  'runType' | 'step' | 'platform' | 'cpu' | 'timeout' | 'registry' | 'credentials' | 'policy' | 'agentPoolName' | 'priority'
> &
  Pick<RunRequest, 'task' | 'maxParallelRuns' | 'updateTriggerToken'>;

/** What a run has of its nearest cause; those behind it speak of other repositories. Of untrusted code it has no secret, no credential and no right, whatever the task says. */
export function completeRun(
  own: OwnPart,
  settings: Omit<RunSettings, 'concurrency'> & { readonly concurrency?: RunSettings['concurrency'] | undefined },
  { causes, trust = trustOf(causes), source: place, baseImages = [], background = false }: RunReason,
  defaults: TaskDefaults,
): RunRequest {
  const trusted = trust === 'trusted';
  const { concurrency, queueTimeout } = settings;
  const source = causes[0]?.kind === 'source' ? causes[0] : undefined;
  return {
    ...own,
    ...(trusted ? {} : { step: withoutSecrets(own.step, place), credentials: [], policy: NO_RIGHTS }),
    trust,
    ...(concurrency === undefined ? {} : { concurrency: expandConcurrency(concurrency, own, source) }),
    ...(queueTimeout === undefined ? {} : { queueTimeout }),
    variables: {
      TriggeredBy: triggerWord(causes),
      ...(source === undefined ? {} : { Commit: source.commit, Repository: source.repositoryUrl }),
      ...(source?.branch === undefined ? {} : { Branch: source.branch }),
      ...(source?.tag === undefined ? {} : { GitTag: source.tag }),
    },
    causes,
    ...(place === undefined ? {} : { pinnedCommit: place.pinnedCommit }),
    ...(place?.pinnedRef === undefined ? {} : { pinnedRef: place.pinnedRef }),
    ...(place?.taskFileContext === undefined ? {} : { taskFileContext: place.taskFileContext }),
    ...(baseImages.length === 0 ? {} : { baseImages }),
    ...(background ? { background } : {}),
    extended: settings.extended ?? defaults.extended,
    noPush: (settings.noPush ?? false) || !trusted,
    keepGoing: settings.keepGoing ?? false,
    env: settings.env ?? [],
  };
}

/** The token of a context that its trigger chose stays: the agent fetches with it, and nothing that runs sees it. */
function withoutSecrets(step: TaskStepDefinition, place: RunReason['source']): TaskStepDefinition {
  const { contextAccessToken: token, ...others } = step;
  const rest = token === undefined || place?.withToken !== true ? others : { ...others, contextAccessToken: token };
  const plain = argumentsOf(step).filter(({ isSecret }) => !isSecret);
  return rest.type === 'Docker' ? { ...rest, arguments: plain } : { ...rest, values: plain };
}
