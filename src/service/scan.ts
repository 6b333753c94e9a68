import type { Checked, Diagnostic } from '../model/diagnostic.ts';
import type { DiagnosticCode } from '../model/diagnostic-codes.ts';
import { EngineError } from '../model/engine-error.ts';
import type { ImageDependencies } from '../model/image.ts';
import { describeDependencies } from '../model/image-dependencies.ts';
import { describeImage } from '../model/image-description.ts';
import type { BuildSpec } from '../model/plan.ts';
import { err, ok } from '../util/result.ts';
import { type ContextParts, openBuildContext } from './build-context.ts';
import { readDockerfile } from './build-inputs.ts';
import { scanForPlatforms } from './scan-platforms.ts';

interface ScanRequest {
  readonly spec: BuildSpec;
  /** The directory that stands for the workspace: `spec.workdir` and relative paths are found in it. */
  readonly directory: string;
  /** `os/arch[/variant]` for a spec that names none. */
  readonly platform: string;
  readonly signal: AbortSignal;
  onNote(level: 'info' | 'warning', message: string): void;
}

/**
 * Finds what a build depends on, without building and without asking a registry: no digest is filled in but those written.
 * A missing or invalid Dockerfile and a bad tag are diagnostics; rejects with EngineError when the context cannot be had.
 */
export async function scanBuild(request: ScanRequest, parts: ContextParts): Promise<Checked<readonly ImageDependencies[]>> {
  const { spec, directory, platform, signal, onNote } = request;
  const badTags = spec.tags.flatMap((tag) => tagProblem(tag));
  if (badTags.length > 0) return err(badTags);
  const context = await openBuildContext({ spec, workspace: { kind: 'directory', path: directory }, signal, onNote }, parts);
  try {
    const dockerfile = await readDockerfile(spec, context, parts);
    const scanned = scanForPlatforms(dockerfile, spec, platform);
    if (!scanned.ok) return scanned;
    const { value: scans, warnings } = scanned.value;
    const baseImages = scans.flatMap((scan) => [scan.runtime, ...scan.buildtime]).map((origin) => ({ ...origin, indexDigest: '' }));
    const described = describeDependencies({ tags: spec.tags, baseImages, gitHead: await context.gitHead });
    return described.ok
      ? ok({ value: described.value, warnings })
      : err([{ code: 'image-reference' satisfies DiagnosticCode, severity: 'error', message: described.error }]);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'dockerfile-missing') throw error;
    return err([{ code: 'dockerfile-missing' satisfies DiagnosticCode, severity: 'error', message: error.message, help: error.help }]);
  } finally {
    await context.dispose();
  }
}

function tagProblem(tag: string): readonly Diagnostic[] {
  const described = describeImage(tag);
  return described.ok
    ? []
    : [
        {
          code: 'image-reference' satisfies DiagnosticCode,
          severity: 'error',
          message: described.error,
          expected: '`[HOST[:PORT]/]NAME[:TAG]`',
        },
      ];
}
