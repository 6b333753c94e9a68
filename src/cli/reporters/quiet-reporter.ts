import { systemClock } from '../../util/clock.ts';
import type { OutputStream, Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { renderFailure } from './failure.ts';
import type { Reporter } from './reporter.ts';
import { RunView } from './run-view.ts';
import type { LogPlaces } from './step-logs.ts';

/** Says nothing but what was pushed (`reference@digest` on `out`) and why a step failed (on `errors`). */
export function createQuietReporter(
  out: OutputStream,
  errors: OutputStream,
  options: { readonly paint: Paint; readonly logs: LogPlaces },
): Reporter {
  const view = new RunView();
  return {
    emit: (event) => {
      view.apply(event, systemClock.monotonicMs());
      if (event.type === 'image-pushed') out.write(`${printable(event.reference)}@${printable(event.digest)}\n`);
      else if (event.type === 'step-finished' && (event.status === 'failed' || event.status === 'errored')) {
        const step = view.steps.get(event.step);
        if (step !== undefined) errors.write(`${renderFailure(step, options).join('\n')}\n`);
      } else if (event.type === 'run-finished' && event.failure !== undefined && event.failure.step === undefined) {
        errors.write(`task: ${printable(event.failure.message)}\n`);
      }
    },
    say: () => undefined,
    close: () => undefined,
  };
}
