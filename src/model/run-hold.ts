/**
 * Why a queued run is not yet to be claimed. All that is present must be over: the time passed, the runs ended and what they pushed looked at,
 * the approval given. Whoever finds it over takes the hold away (`RunStore.hold`).
 */
export interface RunHold {
  /** For people: `waits for further base images`. */
  readonly because: string;
  /** ISO 8601. */
  readonly until?: string;
  /** Ids of runs. */
  readonly runs?: readonly string[];
  /** A person's word that this commit may run. */
  readonly approval?: { readonly commit: string };
}

/** Who said that a run of untrusted code may run, and of which commit. */
export interface RunApproval {
  readonly at: string;
  readonly by: string;
  readonly commit: string;
}
