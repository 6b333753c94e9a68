/** The `.Run` values of a template (spec: run variables). Fixed once per run; every one is a string, possibly empty. */
export interface RunVariables {
  readonly ID: string;
  readonly Commit: string;
  readonly Branch: string;
  readonly Repository: string;
  readonly GitTag: string;
  readonly TriggeredBy: string;
  readonly Registry: string;
  readonly RegistryName: string;
  /** UTC start time as `yyyyMMdd-HHmmss` and a literal `z`. */
  readonly Date: string;
  readonly SharedVolume: string;
  readonly OS: string;
  readonly OSVersion: string;
  readonly Architecture: string;
  readonly TaskName: string;
}

/** `20260131-235959z`: UTC. */
export function runDate(now: Date): string {
  const digits = now.toISOString().replaceAll(/[-:]/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(9, 15)}z`;
}
