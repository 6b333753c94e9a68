import type { TriggersShown } from '../../api/task-trigger-schema.ts';
import type { TimerResource } from '../../api/timer-schema.ts';
import { parseSchedule, upcoming } from '../../schedule/zoned-schedule.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { fitTable } from './fit-table.ts';
import type { TablePlace } from './run-table.ts';
import { timeText, utcMinute } from './time-text.ts';

const SHOWN = 5;

/** When enabled timers are due next, a line each; empty without any. */
export function timersText(timers: TriggersShown['timerTriggers'], now: Date): string {
  return timers
    .filter(({ status }) => status === 'Enabled')
    .map(({ name, schedule }) => {
      const parsed = parseSchedule(schedule);
      const next = parsed.ok ? upcoming(parsed.value, now, SHOWN) : [];
      return firingsText(name, schedule, next);
    })
    .join('');
}

/** One line: a timer and its next firings. */
export function firingsText(name: string, schedule: string, next: readonly Date[]): string {
  const times = next.length === 0 ? 'never' : next.map(utcMinute).join(', ');
  return `timer ${printable(name)} (${printable(schedule)}): ${times}\n`;
}

export function timerTable(timers: readonly TimerResource[], { stream, paint, now }: TablePlace): string {
  return fitTable(
    [
      { title: 'NAME', cell: (timer: TimerResource) => timer.name },
      { title: 'SCHEDULE', cell: (timer) => timer.schedule },
      { title: 'STATUS', cell: (timer) => timer.status, style: (timer) => (timer.status === 'Enabled' ? 'green' : 'yellow') },
      {
        title: 'NEXT',
        cell: ({ next: [next], status }) => (status === 'Disabled' ? '' : next === undefined ? 'never' : timeText(next, now)),
      },
      { title: 'LAST', cell: (timer) => timeText(timer.last, now), optional: true },
      { title: 'ON MISSED', cell: (timer) => (timer.onMissed === 'all' ? `all:${timer.mostMissed}` : timer.onMissed) },
      { title: 'OVERLAP', cell: (timer) => timer.overlap },
      { title: 'JITTER', cell: (timer) => (timer.jitter === 0 ? '' : formatDuration(timer.jitter * 1000)), optional: true },
    ],
    timers,
    stream,
    paint,
  );
}
