import { createHash, randomBytes } from 'node:crypto';
import { domainToASCII } from 'node:url';

/** Labels on everything that a run makes; only things with them are ever removed. */
export const LABEL_RUN = 'dev.slipway.run';
export const LABEL_STEP = 'dev.slipway.step';
export const LABEL_ATTEMPT = 'dev.slipway.attempt';
export const LABEL_OWNER = 'dev.slipway.owner';
/** Every label of this program starts so; a task file cannot set or replace one. */
export const LABEL_PREFIX = 'dev.slipway.';

const LONGEST_PART = 60;

/** A word that is legal inside docker's names, distinct for distinct ids: unchanged where possible, else with a hash. */
export function safeNamePart(id: string): string {
  const cleaned = id.replace(/[^a-zA-Z0-9_.-]/g, '_').slice(0, LONGEST_PART);
  if (cleaned === id) return cleaned;
  return `${cleaned}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`;
}

/** Name of anything of a run: unique among runs because the run's id is. */
export function runScopedName(runId: string, part: string): string {
  return `slipway-${runId}-${safeNamePart(part)}`;
}

/**
 * Names for a step's container, best first; the next one is tried when the engine says that a name is taken.
 *
 * acb names a container by its step id, and task files use that from later steps (`docker logs ID`, `docker exec ID`).
 * So a container that outlives its step gets the id as its name where later steps can see the engine (`bareName`), the
 * id is a legal name and no other container has it. Every other container, and the second of two runs side by side that
 * use the same id, gets a name that is unique to the run: runs never fail over, wait for or take each other's names.
 */
export function containerNames(run: string, step: string, attempt: number, bareName: boolean): readonly string[] {
  const unique = runScopedName(run, step) + (attempt > 1 ? `-${attempt}` : '');
  const suffixed = `${unique}-${randomBytes(4).toString('hex')}`;
  return bareName && /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(step) ? [step, unique, suffixed] : [unique, suffixed];
}

/**
 * Names by which a container shall be found on a network. An id that is not ASCII is asked for in two ways: as punycode
 * by programs that know international names, as raw bytes by others; the engine's DNS server compares the latter in the
 * escaped form of zone files (`über` as `\195\188ber`).
 */
export function networkAliases(ids: readonly string[]): readonly string[] {
  return [...new Set(ids.flatMap((id) => (/^[\x20-\x7e]*$/.test(id) ? [id] : [id, escapedForDns(id), domainToASCII(id)])))].filter(
    (name) => name !== '',
  );
}

function escapedForDns(id: string): string {
  return Array.from(Buffer.from(id), (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\${byte}`)).join('');
}
