import type { OutputFormat, Settings } from '../../config/settings.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { createJsonReporter } from '../reporters/json-reporter.ts';
import { createLiveReporter } from '../reporters/live-reporter.ts';
import { createPlainReporter } from '../reporters/plain-reporter.ts';
import { createQuietReporter } from '../reporters/quiet-reporter.ts';
import type { Reporter } from '../reporters/reporter.ts';
import type { LogPlaces } from '../reporters/step-logs.ts';
import { createPaint } from '../terminal/paint.ts';

/** The flags that decide how a run is printed. */
export type PrintFlags = Pick<RunFlags, 'output' | 'quiet' | 'format'>;

/** Flags beat settings; `auto` draws where somebody is looking. */
export function chooseFormat(flags: PrintFlags, settings: Settings, io: Io): Exclude<OutputFormat, 'auto'> {
  const wanted = flags.quiet ? 'quiet' : (flags.output ?? settings.format ?? 'auto');
  if (wanted === 'json' || wanted === 'quiet') return wanted;
  if (!flags.format || wanted === 'plain') return 'plain';
  if (wanted === 'live') return 'live';
  return io.stdout.isTTY === true && io.environment['TERM'] !== 'dumb' ? 'live' : 'plain';
}

export function createReporter(format: Exclude<OutputFormat, 'auto'>, logs: LogPlaces, flags: PrintFlags, io: Io): Reporter {
  switch (format) {
    case 'json':
      return createJsonReporter(io.stdout);
    case 'quiet':
      return createQuietReporter(io.stdout, io.stderr, { paint: io.paintError, logs });
    case 'live':
      return createLiveReporter(io.stdout, { paint: io.paint, logs });
    case 'plain':
      return createPlainReporter(io.stdout, { paint: flags.format ? io.paint : createPaint(false), logs });
  }
}
