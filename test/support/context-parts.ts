import type { ContextParts } from '../../src/service/build-context.ts';

/** Parts for builds whose context is local and no checkout: everything remote is an error of the test. */
export function noContextParts(): ContextParts {
  const unexpected = (): never => {
    throw new Error('this test fetches nothing');
  };
  return {
    git: { checkout: unexpected, describe: async () => undefined, listRefs: unexpected, changes: unexpected },
    fetcher: { fetchArchive: unexpected, unpackStream: unexpected },
    registry: { pullArtifact: unexpected },
  };
}
