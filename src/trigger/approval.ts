import { EngineError } from '../model/engine-error.ts';
import type { Store } from '../model/ports/store.ts';
import type { RunRecord, RunSummary } from '../model/run-record.ts';

const MOST_RUNS = 200;
const SHORT_COMMIT = 12;

/**
 * The commit that a run waits to be approved for. Rejects with EngineError `conflict` when it waits for no approval, when the pull request is
 * gone, or is at another commit now: what a person has looked at is not what is there. What `headOf` rejects with is passed on.
 */
export async function checkHead(
  store: Pick<Store, 'runs'>,
  run: RunRecord,
  headOf: (run: RunRecord) => Promise<string | undefined>,
): Promise<string> {
  const commit = run.hold?.approval?.commit;
  if (run.status !== 'Queued' || commit === undefined) throw new EngineError('conflict', `run ${run.id} waits for no approval`);
  const head = await headOf(run);
  if (head === commit) return commit;
  const [short, now] = [commit.slice(0, SHORT_COMMIT), head?.slice(0, SHORT_COMMIT)];
  if (now === undefined) throw new EngineError('conflict', `run ${run.id} is of commit ${short} of a pull request that is gone`);
  const newer = await newerRunOf(store, run);
  const instead =
    newer === undefined
      ? 'A run of that commit is not there yet'
      : `Run ${newer.id} is of commit ${(newer.commit ?? '').slice(0, SHORT_COMMIT)}`;
  throw new EngineError('conflict', `run ${run.id} is of commit ${short}, and the pull request is at ${now} now`, {
    help: `${instead}: look at it, and approve that one.`,
  });
}

/** The newest later run of the same pull request of the same task. */
async function newerRunOf({ runs }: Pick<Store, 'runs'>, run: RunRecord): Promise<RunSummary | undefined> {
  const number = pullRequestOf(run.request);
  if (number === undefined || run.request.task === undefined) return undefined;
  const list = await runs.list({ task: run.request.task, limit: MOST_RUNS });
  return list.find((one) => one.number > run.number && pullRequestOf(one) === number);
}

function pullRequestOf({ causes }: Pick<RunSummary, 'causes'>): string | undefined {
  return causes.find((cause) => cause.kind === 'source')?.pullRequest;
}
