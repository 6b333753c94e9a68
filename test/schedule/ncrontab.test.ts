import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CronFields, nextCronTime, parseCronFields } from '../../src/schedule/ncrontab.ts';
import { formatScheduleProblem } from '../../src/schedule/schedule-problem.ts';
import { NCRONTAB_FACTS } from './ncrontab-facts.ts';

const MINUTE_MS = 60_000;

function fieldsOf(text: string): CronFields {
  const fields = parseCronFields(text);
  if (!fields.ok) throw new Error(formatScheduleProblem(fields.error));
  return fields.value;
}

function problemOf(text: string): string {
  const fields = parseCronFields(text);
  if (fields.ok) throw new Error(`${JSON.stringify(text)} was read`);
  return formatScheduleProblem(fields.error);
}

function nextOf(text: string, after: string): string | undefined {
  const next = nextCronTime(fieldsOf(text), Date.parse(after));
  return next === undefined ? undefined : new Date(next).toISOString().replace('.000', '');
}

describe('NCrontab', () => {
  it.each(NCRONTAB_FACTS)('%j after %s is %s', (text, after, next) => {
    expect(nextOf(text, after)).toBe(next);
  });

  // From the same tests: what differently written schedules mean, and what is refused.
  it.each([
    ['* 1-3 * * *', '* 1-2,3 * * *'],
    ['* * * 1,3,5,7,9,11 *', '* * * */2 *'],
    ['10,25,40 * * * *', '10-40/15 * * * *'],
    ['* * * 1,3,8 1-2,5', '* * * Mar,Jan,Aug Fri,Mon-Tue'],
    ['* * * * 1-5', '* * * * FRI-MON'],
    ['* * * * *', '*/0 */1 */-3 * *'],
    ['7,22,37,52 * * * *', '7/15 * * * *'],
    ['59 * * * *', '59/5 * * * *'],
    ['0 * * * *', '*/100 * * * *'],
    ['2,5,8 * * * *', '10-2/3 * * * *'],
    ['* * * 1,3 0', '* * * J,Marc S'],
    ['5 * * * *', '05,5 * * * *'],
    ['* * * * *', ' *  * *   * *  '],
  ])('%j is %j', (plain, written) => {
    expect(fieldsOf(written)).toEqual(fieldsOf(plain));
  });

  it.each([
    ['bad * * * *', 'the minute field has "bad", which is no value of it (column 1)'],
    ['* bad * * *', 'the hour field has "bad", which is no value of it (column 3)'],
    ['* * bad * *', 'the day field has "bad", which is no value of it (column 5)'],
    ['* * * bad *', 'the month field has "bad", which is no value of it (column 7)'],
    ['* * * * mon,bad,wed', 'the day of week field has "bad", which is no value of it (column 13)'],
    ['* 1,2,3,456,7,8,9 * * *', 'the hour field has "456", which is not from 0 to 23 (column 9)'],
    ['* 1,Z,3,4 * * *', 'the hour field has "Z", which is no value of it (column 5)'],
    ['* 1/Z * * *', 'the hour field has "Z" as a step (column 5)'],
    ['* 3-l2 * * *', 'the hour field has "l2", which is no value of it (column 5)'],
    ['* * * Marchx *', 'the month field has "Marchx", which is no value of it (column 7)'],
    ['* * * * 7', 'the day of week field has "7", which is not from 0 to 6 (column 9)'],
    ['* * 0 * *', 'the day field has "0", which is not from 1 to 31 (column 5)'],
    ['60 * * * *', 'the minute field has "60", which is not from 0 to 59 (column 1)'],
    ['1, * * * *', 'the minute field lacks a value (column 3)'],
    ['1- * * * *', 'the minute field lacks a value (column 3)'],
    ['-1 * * * *', 'the minute field has "-1", which is no value of it (column 1)'],
    ['/5 * * * *', 'the minute field has "/5", which is no value of it (column 1)'],
    ['0/5 * 0/5 * *', 'the day field has "0", which is not from 1 to 31 (column 7)'],
    ['* * ? * *', 'the day field has "?", which is no value of it (column 5)'],
    ['* * L * *', 'the day field has "L", which is no value of it (column 5)'],
    ['', 'the schedule is empty (column 1)'],
    ['* * * *', 'the schedule has 4 of 5 fields (column 1)'],
    ['0 * * * * *', 'the schedule has 6 fields (column 11)'],
    ['@daily', 'words such as `@daily` are not known (column 1)'],
  ])('refuses %j: %s', (text, message) => {
    expect(problemOf(text)).toContain(`${message}; expected `);
  });

  it('says what was expected and how to mend it', () => {
    expect(problemOf('0 3 * * 7')).toBe(
      'the day of week field has "7", which is not from 0 to 6 (column 9); expected `*`, numbers from 0 to 6, or a name or its beginning' +
        ' (Sunday … Saturday), with `,` `-` `/` between them. Sunday is 0.',
    );
  });

  it('never fires on dates that cannot be, and ends with the year 9999', () => {
    expect(nextOf('* * 31 Feb *', '2001-01-01T00:00:00Z')).toBeUndefined();
    expect(nextOf('0 0 31 4,6,9,11 *', '2001-01-01T00:00:00Z')).toBeUndefined();
    expect(nextOf('0 0 30,31 2 *', '2001-01-01T00:00:00Z')).toBeUndefined();
    expect(nextOf('0 0 29 Feb Mon', '9988-01-01T00:00:00Z')).toBe('9988-02-29T00:00:00Z');
    expect(nextOf('0 0 29 Feb Mon', '9988-02-29T00:00:00Z')).toBeUndefined();
    expect(nextOf('* * * * *', '9999-12-31T23:59:00Z')).toBeUndefined();
  });

  it('finds rare dates without walking to them', () => {
    const fields = fieldsOf('59 23 29 2 1');
    const began = performance.now();
    for (let from = Date.UTC(2001, 0, 1), index = 0; index < 2000; index += 1) from = nextCronTime(fields, from) ?? Date.UTC(2001, 0, 1);
    // Walking minutes would take minutes.
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('reads any text without throwing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'*/,-0159 JSmonZ?#+') })), (text) => {
        const fields = parseCronFields(text);
        if (!fields.ok) expect(fields.error.column).toBeLessThanOrEqual(text.length + 1);
      }),
    );
  });

  it('agrees with asking every minute', () => {
    fc.assert(
      fc.property(
        schedules(),
        fc.date({ min: new Date('2023-12-20'), max: new Date('2024-12-31'), noInvalidDate: true }),
        (text, after) => {
          const found = nextCronTime(fieldsOf(text), after.getTime());
          const days = 40;
          expect(found === undefined || found > after.getTime() + days * 86_400_000 ? undefined : found).toBe(
            walk(text, after.getTime(), days),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Fields as sets of texts, so that the oracle below need not parse. */
function schedules(): fc.Arbitrary<string> {
  const list = (least: number, most: number): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 2, arbitrary: fc.constant('*') },
      {
        weight: 3,
        arbitrary: fc.array(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 4 }).map((values) => values.join(',')),
      },
    );
  return fc.tuple(list(0, 59), list(0, 23), list(1, 31), list(1, 12), list(0, 6)).map((fields) => fields.join(' '));
}

function walk(text: string, afterMs: number, days: number): number | undefined {
  const sets = text.split(' ').map((field) => (field === '*' ? undefined : new Set(field.split(',').map(Number))));
  const last = afterMs + days * 86_400_000;
  for (let at = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS; at <= last; at += MINUTE_MS) {
    const date = new Date(at);
    const values = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay()];
    if (values.every((value, index) => sets[index]?.has(value) ?? true)) return at;
  }
  return undefined;
}
