import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatScheduleProblem } from '../../src/schedule/schedule-problem.ts';
import { newestBetween, parseSchedule, type Schedule, upcoming } from '../../src/schedule/zoned-schedule.ts';

function scheduleOf(text: string): Schedule {
  const schedule = parseSchedule(text);
  if (!schedule.ok) throw new Error(formatScheduleProblem(schedule.error));
  return schedule.value;
}

function next(text: string, after: string, count: number): readonly string[] {
  return upcoming(scheduleOf(text), new Date(after), count).map((date) => date.toISOString().slice(0, 16));
}

describe('schedules', () => {
  it('are in UTC unless they say otherwise', () => {
    expect(scheduleOf('0 3 * * *')).toMatchObject({ text: '0 3 * * *', zone: 'UTC' });
    expect(next('0 3 * * *', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T03:00', '2026-03-30T03:00']);
    expect(scheduleOf('CRON_TZ=Europe/Berlin 0 3 * * *').zone).toBe('Europe/Berlin');
    expect(next('CRON_TZ=Asia/Kolkata 0 3 * * *', '2026-03-28T12:00:00Z', 1)).toEqual(['2026-03-28T21:30']);
    expect(next('CRON_TZ=Europe/Berlin 0 3 1 7 *', '2026-03-28T12:00:00Z', 1)).toEqual(['2026-07-01T01:00']);
    expect(next('CRON_TZ=Europe/Berlin 0 3 1 12 *', '2026-03-28T12:00:00Z', 1)).toEqual(['2026-12-01T02:00']);
  });

  it('what a clock that is put forward skips fires once, at the first instant after', () => {
    // 29 March 2026: 2:00 to 3:00 is skipped in Berlin at 1:00 UTC.
    expect(next('CRON_TZ=Europe/Berlin 30 2 * * *', '2026-03-28T02:00:00Z', 2)).toEqual(['2026-03-29T01:00', '2026-03-30T00:30']);
    expect(next('CRON_TZ=Europe/Berlin */20 * * * *', '2026-03-29T00:30:00Z', 4)).toEqual([
      ...['2026-03-29T00:40', '2026-03-29T01:00', '2026-03-29T01:20', '2026-03-29T01:40'],
    ]);
    expect(next('CRON_TZ=Europe/Berlin 30 2,3 * * *', '2026-03-29T00:30:00Z', 3)).toEqual([
      ...['2026-03-29T01:00', '2026-03-29T01:30', '2026-03-30T00:30'],
    ]);
    // Half an hour, on Lord Howe Island; a whole day, on Samoa.
    expect(next('CRON_TZ=Australia/Lord_Howe 15 2 * * *', '2026-10-03T12:00:00Z', 1)).toEqual(['2026-10-03T15:30']);
    expect(next('CRON_TZ=Pacific/Apia 0 12 * * *', '2011-12-29T23:00:00Z', 2)).toEqual(['2011-12-30T10:00', '2011-12-30T22:00']);
  });

  it('what a clock that is put back shows twice fires the first time', () => {
    // 25 October 2026: 2:00 to 3:00 comes twice in Berlin, at 0:00 and at 1:00 UTC.
    expect(next('CRON_TZ=Europe/Berlin 30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
    expect(next('CRON_TZ=Europe/Berlin 30 2 * * *', '2026-10-25T00:45:00Z', 1)).toEqual(['2026-10-26T01:30']);
    expect(next('CRON_TZ=Europe/Berlin 30 2 * * *', '2026-10-25T01:15:00Z', 1)).toEqual(['2026-10-26T01:30']);
    expect(next('CRON_TZ=America/New_York 0 3 * * *', '2026-11-01T05:30:00Z', 1)).toEqual(['2026-11-01T08:00']);
  });

  it.each([
    ['CRON_TZ=Europe/Berln 0 3 * * *', '"Europe/Berln" is no time zone (column 9)'],
    ['CRON_TZ= 0 3 * * *', '"" is no time zone (column 9)'],
    ['CRON_TZ=Europe/Berlin', 'the schedule is empty (column 22)'],
    ['CRON_TZ=Europe/Berlin 0 24 * * *', 'the hour field has "24", which is not from 0 to 23 (column 25)'],
  ])('refuses %j: %s', (text, message) => {
    const schedule = parseSchedule(text);
    expect(schedule.ok ? 'read' : formatScheduleProblem(schedule.error)).toContain(`${message}; expected `);
  });

  it('in any zone and season: after the start, ascending, and each wall time that is shown once comes once', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago', 'Africa/Casablanca', 'Asia/Kathmandu'];
    const minutes = fc.integer({ min: 0, max: 59 });
    const hours = fc.integer({ min: 0, max: 23 });
    const start = fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.constantFrom(...zones), minutes, hours, start, (zone, minute, hour, after) => {
        const dates = upcoming(scheduleOf(`CRON_TZ=${zone} ${minute} ${hour} * * *`), after, 10);
        expect(dates).toHaveLength(10);
        let last = after;
        const days = dates.map((date) => {
          expect(date > last).toBe(true);
          expect(date.getTime() - last.getTime()).toBeLessThanOrEqual(26 * 3_600_000);
          last = date;
          return new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(date);
        });
        expect(new Set(days).size).toBe(10);
      }),
      { numRuns: 200 },
    );
  });

  it('newestBetween finds what walking finds', () => {
    const texts = ['* * * * *', '*/7 3 * * *', '0 0 29 2 *', '5 4 * * 1', 'CRON_TZ=Europe/Berlin */15 2 * 3 *'];
    const spans = fc.integer({ min: 0, max: 30 * 24 * 60 }).map((minutes) => minutes * 60_000 + 30_000);
    fc.assert(
      fc.property(fc.constantFrom(...texts), spans, fc.integer({ min: 1, max: 20 }), (text, span, count) => {
        const schedule = scheduleOf(text);
        const from = schedule.next(new Date('2024-02-25T00:00:00Z'));
        if (from === undefined) throw new Error('no occurrence');
        const until = new Date(from.getTime() + span);
        const walked = [from];
        for (let at = schedule.next(from); at !== undefined && at <= until; at = schedule.next(at)) walked.push(at);
        expect(newestBetween(schedule, from, until, count)).toEqual(walked.slice(-count));
      }),
      { numRuns: 60 },
    );
  });

  it('newestBetween does not walk years of minutes', () => {
    const began = performance.now();
    const found = newestBetween(scheduleOf('* * * * *'), new Date('2000-01-01T00:00:00Z'), new Date('2026-01-01T00:00:30Z'), 2);
    expect(found.map((date) => date.toISOString())).toEqual(['2025-12-31T23:59:00.000Z', '2026-01-01T00:00:00.000Z']);
    expect(performance.now() - began).toBeLessThan(200);
  });
});
