import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';

/** One recorded case of the peer, as README of the conformance cases describes it. */
export interface Case {
  readonly id: string;
  readonly kind?: string;
  /** Where a published file came from. */
  readonly source?: string;
  readonly args: readonly string[];
  readonly input: { readonly files?: Readonly<Record<string, string>>; readonly now?: string; readonly [key: string]: unknown };
  readonly expect: { readonly ok?: boolean; readonly output?: unknown; readonly error?: string; readonly [key: string]: unknown };
}

/** Why and how our behaviour departs from the recorded one. */
export interface Difference {
  readonly kind: 'FIX' | 'CHOICE';
  /** Section of the language's specification. */
  readonly spec: string;
  readonly ours: string;
}

const HERE = import.meta.dirname;
const TESTDATA = join(HERE, '../../../shared/conformance/testdata.jsonl');

/** The cases of test/conformance/cases/<name>.jsonl. */
export function loadCases(name: string): readonly Case[] {
  return readCases(join(HERE, 'cases', `${name}.jsonl`));
}

/**
 * Runs the cases of one kind over published task files. They are other projects' files, so they are no part of the
 * repository: where the folder `shared` does not stand beside the checkout, the report of the tests says that they did not run.
 */
export function describePublished(kind: string, title: string, check: (one: Case) => void | Promise<void>): void {
  const present = existsSync(TESTDATA);
  const cases = present ? readCases(TESTDATA).filter((one) => one.kind === kind) : [];
  describe(`${title} (../shared)`, () => {
    if (present) it.each(cases.map((one): [string, Case] => [one.id, one]))('%s', (_id, one) => check(one));
    else it.skip('did not run: ../shared/conformance/testdata.jsonl does not exist', () => undefined);
  });
  if (!present) process.stderr.write(`${title}: did not run, ../shared/conformance/testdata.jsonl does not exist\n`);
}

/** The entry of differences.json for a case, if it has one. */
export function difference(id: string): Difference | undefined {
  return Object.hasOwn(DIFFERENCES, id) ? DIFFERENCES[id] : undefined;
}

/** differences.json: by case. */
export const DIFFERENCES = JSON.parse(readFileSync(join(HERE, 'differences.json'), 'utf8')) as Readonly<Record<string, Difference>>;

function readCases(path: string): readonly Case[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Case);
}
