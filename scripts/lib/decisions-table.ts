import { DECISION_CODES, type DecisionCode } from '../../src/model/trigger-event.ts';
import { tableRow } from './table-row.ts';

const MEANINGS: Readonly<Record<DecisionCode, string>> = {
  fired: 'A run was made.',
  joined: 'A run that waits takes this update in, too.',
  posted: 'The update was told to the endpoint of the task.',
  'already-fired': 'The same commit, digest, time or ended run has made a run before: it is named.',
  'no-trigger': 'Nobody follows what happened, or not any more.',
  'task-disabled': 'The task is disabled.',
  'trigger-disabled': 'The trigger is disabled.',
  'event-off': 'The trigger follows other events: commits, and not pull requests, for example.',
  'branch-filter': 'The branch is none of those that the trigger names.',
  'tag-filter': 'The tag is none of those that the trigger names.',
  'path-filter': 'No changed file is one that the trigger wants.',
  'skip-ci': 'The message of the head commit asks for no run, and the trigger heeds that.',
  'ref-deleted': 'A branch or tag was deleted, and that starts nothing.',
  'not-head': 'The repository does not bear out what the webhook told: the branch is not, and was not lately, where it says.',
  superseded:
    'A newer push or digest is there already, and the trigger wants the latest only (base images: always); or another run has built with the base images that a run waited for.',
  'first-sight': 'It was looked at for the first time, so there is nothing to compare with.',
  'fork-ignored': 'It comes from a fork: `forks` is `ignore`, or the run would start another task.',
  'action-ignored': 'A pull request was closed, or something of it changed that is no commit.',
  'same-digest': 'The last build has used this digest, or a run that goes on does.',
  looked: 'A registry was asked because something was told of it; what was found is an event of its own, which is named.',
  'not-in-scope':
    'The task uses the image otherwise than its trigger wants (only in a builder stage, or by digest), or no run of it can be made.',
  unreachable: 'The repository, the registry or the endpoint did not answer, for a reason that does not pass by itself.',
  'already-in-chain': 'The task is among those that led to this: a circle, which is named.',
  'chain-too-long': 'Too many runs have followed one from another.',
  'waits-for-base': 'A run was made, and waits for others that make images which it builds on.',
  overlap: 'A run of the timer has not ended, and `overlap` says to skip.',
  missed: 'The time passed while the daemon was away, and `onMissed` is `skip`.',
  'status-not-followed': 'The run that ended did not succeed, or pushed nothing where that is asked for.',
  'task-gone': 'The task was deleted meanwhile.',
};

/** Every reason that `task explain` and `task event show` give. */
export function decisionsTable(): string {
  return `| code | what it says |\n| --- | --- |\n${DECISION_CODES.map((code) => tableRow([`\`${code}\``, MEANINGS[code]])).join('\n')}\n`;
}
