import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** The cases of one kind over published task files; undefined where the folder `shared` does not stand beside the checkout. */
export function loadTestdata(kind: string): readonly Case[] | undefined {
  if (!existsSync(TESTDATA)) return undefined;
  return readCases(TESTDATA).filter((one) => one.kind === kind);
}

/** The entry of differences.json for a case, if it has one. */
export function difference(id: string): Difference | undefined {
  return Object.hasOwn(DIFFERENCES, id) ? DIFFERENCES[id] : undefined;
}

const DIFFERENCES = JSON.parse(readFileSync(join(HERE, 'differences.json'), 'utf8')) as Readonly<Record<string, Difference>>;

function readCases(path: string): readonly Case[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Case);
}
