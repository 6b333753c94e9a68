import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { RunEvent } from '../../src/model/run-event.ts';
import type { FinishedProgram } from '../support/task-program.ts';

/** What expected.json says of a run of task.yaml. `{registry}` stands for the registry of the test. */
export interface Expectation {
  readonly title: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly exit: number;
  readonly run: string;
  /** Every step of the task, each with some fields of its `step-finished` event; `because` is a part of it. */
  readonly steps: Readonly<Record<string, { readonly status: string; readonly because?: string } & Record<string, unknown>>>;
  /** Whole standard output by step, as lines. */
  readonly output?: Readonly<Record<string, readonly string[]>>;
  readonly errors?: Readonly<Record<string, readonly string[]>>;
  readonly lineCount?: Readonly<Record<string, number>>;
  /** The first ended before the second started. */
  readonly before?: readonly (readonly [string, string])[];
  readonly images?: readonly string[];
  readonly baseImages?: readonly Record<string, unknown>[];
  /** Texts that appear nowhere in what the program printed. */
  readonly never?: readonly string[];
}

export interface Scenario {
  readonly name: string;
  readonly file: string;
  readonly expected: Expectation;
}

/** The scenarios beside this file; a new one is two files and no code. */
export function loadScenarios(registry: string): Scenario[] {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({
      name,
      file: join(folder, name, 'task.yaml'),
      expected: JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8').replaceAll('{registry}', registry)) as Expectation,
    }));
}

export function checkScenario(expected: Expectation, result: FinishedProgram): void {
  const told = `${result.stdout}\n${result.stderr}`;
  expect(result.exitCode, told.slice(-4000)).toBe(expected.exit);
  // Lines that left the step together carry the number of one event; a line in several parts carries the last number.
  expect(result.events.every(({ seq }, index) => seq >= (result.events[index - 1]?.seq ?? 1))).toBe(true);
  checkSteps(expected, result.events);
  checkOutput(expected, result.events);
  for (const [first, second] of expected.before ?? []) {
    expect(position(result.events, 'step-finished', first), `${first} ends before ${second} starts`).toBeLessThan(
      position(result.events, 'step-started', second),
    );
  }
  for (const text of expected.never ?? []) expect(told.includes(text), text).toBe(false);
  const last = result.events.at(-1);
  if (last?.type !== 'run-finished') throw new Error(`the last event is ${last?.type}`);
  expect(last.status).toBe(expected.run);
  expect(last.images.map((image) => image.reference)).toEqual(expected.images ?? []);
  for (const image of last.images) expect(image.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  if (expected.baseImages !== undefined) expect(last.baseImages).toMatchObject(expected.baseImages);
}

function checkSteps(expected: Expectation, events: readonly RunEvent[]): void {
  const finished = events.filter((event) => event.type === 'step-finished');
  expect(Object.fromEntries(finished.map((event) => [event.step, event.status]))).toEqual(
    Object.fromEntries(Object.entries(expected.steps).map(([id, step]) => [id, step.status])),
  );
  expect(finished).toHaveLength(Object.keys(expected.steps).length);
  for (const event of finished) {
    const { because, ...fields } = expected.steps[event.step] ?? { status: '' };
    expect(event).toMatchObject(fields);
    if (because !== undefined) expect(event.because).toContain(because);
  }
}

function checkOutput(expected: Expectation, events: readonly RunEvent[]): void {
  const linesOf = (step: string, stream: string): string[] =>
    events.flatMap((event) =>
      event.type === 'step-output' && event.step === step && event.stream === stream ? event.text.split('\n') : [],
    );
  for (const [step, lines] of Object.entries(expected.output ?? {})) expect(linesOf(step, 'stdout')).toEqual(lines);
  for (const [step, lines] of Object.entries(expected.errors ?? {})) expect(linesOf(step, 'stderr')).toEqual(lines);
  for (const [step, count] of Object.entries(expected.lineCount ?? {})) expect(linesOf(step, 'stdout').length).toBe(count);
}

function position(events: readonly RunEvent[], type: RunEvent['type'], step: string): number {
  return events.findIndex((event) => event.type === type && 'step' in event && event.step === step);
}
