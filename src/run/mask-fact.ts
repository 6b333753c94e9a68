import type { RunFact } from '../model/run-event.ts';
import type { Masker } from '../util/masker.ts';

/**
 * The fact with secrets hidden in every text that people or programs wrote. Ids, references and digests stay as they are: they name
 * things. Output was masked as bytes already.
 */
export function maskFact(fact: RunFact, masker: Masker): RunFact {
  const mask = (text: string): string => masker.maskText(text);
  switch (fact.type) {
    case 'note':
      return { ...fact, message: mask(fact.message) };
    case 'step-started':
      return { ...fact, detail: mask(fact.detail) };
    case 'build-progress':
      return { ...fact, name: mask(fact.name), ...(fact.error === undefined ? {} : { error: mask(fact.error) }) };
    case 'transfer-progress':
      return { ...fact, state: mask(fact.state) };
    case 'step-retrying':
      return { ...fact, because: mask(fact.because) };
    case 'step-finished':
      return fact.because === undefined ? fact : { ...fact, because: mask(fact.because) };
    case 'run-finished':
      return fact.failure === undefined ? fact : { ...fact, failure: { ...fact.failure, message: mask(fact.failure.message) } };
    default:
      return fact;
  }
}
