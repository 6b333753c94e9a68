import { expect, test } from 'vitest';
import { render } from './render.ts';

test('now is the clock that was given, in UTC', () => {
  expect(render('{{now}}')).toBe('2026-01-02 03:04:05 +0000 UTC');
  expect(render('{{now | date "2006-01-02T15:04:05Z07:00"}} {{htmlDate now}} {{date "2006" "x"}} {{unixEpoch now}}')).toBe(
    '2026-01-02T03:04:05Z 2026-01-02 2026 1767323045',
  );
  expect(render('{{now.Year}} {{now.Month}} {{now.Weekday}} {{now.YearDay}} {{(now.Format "2006")}} {{now.UTC.Unix}}')).toBe(
    '2026 January Friday 2 2026 1767323045',
  );
});

test('relative dates', () => {
  expect(render('{{ago (dateModify "-90m3.4s" now)}} {{now | dateModify "24h" | htmlDate}} {{ago 0 | hasSuffix "h4m5s"}}')).toBe(
    '1h30m3s 2026-01-03 true',
  );
  expect(
    render('{{((now.AddDate 0 1 30).Sub now).Hours}} {{(now.Add 1500000000).Nanosecond}} {{(now.Truncate 3600000000000).Minute}}'),
  ).toBe('1464 500000000 0');
});

test('zones have the names of the time zone database', () => {
  const show = (zone: string): string => `{{dateInZone "15:04 MST -0700" 1768478400 "${zone}"}}`;
  expect(
    render(
      ['America/New_York', 'Europe/Warsaw', 'Asia/Tokyo', 'America/Sao_Paulo', 'Asia/Kolkata', 'Europe/Moscow', 'GMT', 'No/Such']
        .map(show)
        .join('|'),
    ),
  ).toBe('07:00 EST -0500|13:00 CET +0100|21:00 JST +0900|09:00 -03 -0300|17:30 IST +0530|15:00 MSK +0300|12:00 GMT +0000|12:00 UTC +0000');
});

test('a time outside of what a date of JavaScript holds', () => {
  expect(render('{{toDate "2006" "x"}} {{(toDate "2006-01-02" "0001-01-01").IsZero}} {{date "2006-01-02" 253402300800}}')).toBe(
    '0001-01-01 00:00:00 +0000 UTC true 10000-01-01',
  );
});
