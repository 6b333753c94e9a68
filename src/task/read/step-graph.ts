import type { SourceRange } from '../../model/diagnostic.ts';
import { nearestName } from '../../util/nearest-name.ts';
import type { LocatedItem } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import { IMMEDIATE, ROOT_ID, type StepMapping } from './check-step.ts';

/** Looking for the most similar of n ids costs n: only the first few unknown ids get a suggestion. */
const MOST_SUGGESTIONS = 20;

/** The edges of the steps as they are read in file order: a step may only wait for steps above it, so there are no cycles. */
export class StepGraph {
  readonly #ids: readonly string[];
  readonly #firstById: ReadonlyMap<string, number>;
  readonly #problems: Problems;
  #suggestions = 0;
  #count = 0;

  /** `ids`: the id of every step, in file order. */
  constructor(ids: readonly string[], problems: Problems) {
    this.#ids = ids;
    this.#firstById = firstPositions(ids);
    this.#problems = problems;
  }

  /** Adds the next step and says which steps it waits for, in file order. */
  add({ fields, node }: StepMapping, id: string): readonly string[] {
    const position = this.#count;
    this.#count += 1;
    const needs = this.#needs(fields.when?.value ?? [], id, position);
    if (this.#isAbove(id, position)) this.#duplicate(id, fields.id?.node.range ?? node.range);
    return needs;
  }

  #needs(when: readonly LocatedItem<string>[], id: string, position: number): readonly string[] {
    if (when.length === 0) {
      const before = this.#ids[position - 1];
      return before === undefined ? [] : [before];
    }
    const needed = new Set<string>();
    for (const item of when) {
      if (item.value === IMMEDIATE || item.value === ROOT_ID || item.value === id) continue;
      if (this.#isAbove(item.value, position)) needed.add(item.value);
      else this.#unknown(item, id);
    }
    if (needed.size < 2) return [...needed];
    return [...needed].sort((left, right) => this.#positionOf(left) - this.#positionOf(right));
  }

  /** A step of this id stands above the position. */
  #isAbove(id: string, position: number): boolean {
    const first = this.#firstById.get(id);
    return first !== undefined && first < position;
  }

  #positionOf(id: string): number {
    return this.#firstById.get(id) ?? 0;
  }

  #duplicate(id: string, range: SourceRange | undefined): void {
    const first = this.#positionOf(id);
    const generated = id === `acb_step_${first}` ? ' A step without an id is named after its position, from 0.' : '';
    this.#problems.error('step-duplicate-id', `Two steps have the id \`${id}\`: the one at position ${first} and this one.${generated}`, {
      range,
    });
  }

  #unknown(item: LocatedItem<string>, id: string): void {
    const { range } = item.node;
    if (item.value === '') {
      this.#problems.error('when-empty', 'An entry of `when` is empty.', { range, expected: 'the id of an earlier step' });
    } else if (this.#firstById.has(item.value)) {
      this.#problems.error('when-later', `The step \`${id}\` waits for \`${item.value}\`, which stands below it.`, {
        range,
        expected: 'the id of a step above this one',
        help: `Move the step \`${item.value}\` above this one.`,
      });
    } else {
      this.#problems.error('when-unknown', `The step \`${id}\` waits for \`${item.value}\`, but no step has that id.`, {
        range,
        expected: 'the id of a step above this one',
        help: this.#suggest(item.value),
      });
    }
  }

  #suggest(name: string): string | undefined {
    this.#suggestions += 1;
    const near = this.#suggestions > MOST_SUGGESTIONS ? undefined : nearestName(name, this.#ids.slice(0, this.#count - 1));
    return near === undefined ? undefined : `Did you mean \`${near}\`?`;
  }
}

function firstPositions(ids: readonly string[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const [position, id] of ids.entries()) {
    if (!first.has(id)) first.set(id, position);
  }
  return first;
}
