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
