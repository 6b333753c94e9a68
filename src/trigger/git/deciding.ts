import type { TriggerParts } from '../parts.ts';
import type { VerifyParts } from './genuine.ts';
import type { Listings } from './listings.ts';
import type { TaskIndex } from './task-index.ts';

/** What decisions on events of git repositories are made with. */
export interface Deciding {
  readonly parts: TriggerParts;
  readonly index: TaskIndex;
  readonly listings: Listings;
  readonly verifying: VerifyParts;
}
