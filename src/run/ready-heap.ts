/** A binary heap of step indices: the largest weight first, the earlier step of the file among equals. */
export class ReadyHeap {
  readonly #weights: ArrayLike<number>;
  readonly #items: number[] = [];

  constructor(weights: ArrayLike<number>) {
    this.#weights = weights;
  }

  push(index: number): void {
    const items = this.#items;
    let at = items.length;
    items.push(index);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(index, items[parent] as number)) break;
      items[at] = items[parent] as number;
      at = parent;
    }
    items[at] = index;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#before(items[child + 1] as number, items[child] as number)) child += 1;
      if (!this.#before(items[child] as number, last)) break;
      items[at] = items[child] as number;
      at = child;
    }
    items[at] = last;
    return top;
  }

  #before(a: number, b: number): boolean {
    const difference = (this.#weights[a] as number) - (this.#weights[b] as number);
    return difference > 0 || (difference === 0 && a < b);
  }
}
