import type { Diagnostic } from '../../model/diagnostic.ts';
import type { BuildContextRef } from '../../model/plan.ts';
import { openBuildContext } from '../../service/build-context.ts';
import { ok, type Result } from '../../util/result.ts';
import { createContextParts } from '../composition/context-parts.ts';
import { type CredentialFlags, readCredentials } from '../composition/credentials.ts';
import type { RegistryTrust } from '../composition/registry-trust.ts';
import type { Io } from '../io.ts';

interface FetchedContext {
  /** Where the context is on this machine. */
  readonly directory: string;
  readonly git: { readonly commit: string; readonly branch: string } | undefined;
  dispose(): Promise<void>;
}

/** Fetches the context of a run as a build's context is fetched. Rejects with EngineError. */
export async function fetchContext(
  ref: BuildContextRef,
  options: { readonly flags: CredentialFlags; readonly trust: RegistryTrust; readonly signal: AbortSignal },
  io: Io,
): Promise<Result<FetchedContext, readonly Diagnostic[]>> {
  const credentials = readCredentials(options.flags, io);
  if (!credentials.ok) return credentials;
  const parts = createContextParts({ credentials: credentials.value, ...options.trust, io });
  const opened = await openBuildContext(
    {
      spec: { context: ref, workdir: '/workspace' },
      workspace: { kind: 'directory', path: undefined },
      signal: options.signal,
      onNote: () => undefined,
    },
    parts,
  );
  const { context } = opened;
  if (context.kind !== 'directory') throw new Error(`bug: a fetched context is ${context.kind}`);
  const git = ref.kind === 'git' ? await parts.git.describe(context.path).catch(() => undefined) : undefined;
  return ok({ directory: context.path, git, dispose: () => opened.dispose() });
}
