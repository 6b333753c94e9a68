import type { PlatformDescriptor } from './manifest.ts';

/** Variants that run what an asked variant needs, best first; an empty variant means the architecture's usual one. */
const ARM_VARIANTS = ['v8', 'v7', 'v6', 'v5'];
const USUAL_VARIANT: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8', amd64: 'v1' };

/** The entry of an index for `os/arch[/variant]`, as containerd chooses it; undefined when there is none. */
export function choosePlatform(entries: readonly PlatformDescriptor[], platform: string): PlatformDescriptor | undefined {
  const [os = '', architecture = '', variant = ''] = platform.toLowerCase().split('/');
  const fitting = entries.filter((entry) => entry.platform?.os === os && entry.platform.architecture === architecture);
  for (const wanted of acceptableVariants(architecture, variant)) {
    const found = fitting.find((entry) => usual(architecture, entry.platform?.variant ?? '') === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

function usual(architecture: string, variant: string): string {
  return variant === '' ? (USUAL_VARIANT[architecture] ?? '') : variant;
}

function acceptableVariants(architecture: string, variant: string): readonly string[] {
  const wanted = usual(architecture, variant);
  if (architecture === 'arm') return ARM_VARIANTS.slice(Math.max(ARM_VARIANTS.indexOf(wanted), 0));
  const level = architecture === 'amd64' ? /^v([1-4])$/.exec(wanted)?.[1] : undefined;
  if (level === undefined) return [wanted];
  return Array.from({ length: Number(level) }, (_, index) => `v${Number(level) - index}`);
}
