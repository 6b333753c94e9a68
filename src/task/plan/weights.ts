interface Node {
  readonly id: string;
  readonly needs: readonly string[];
}

/** For each step the length of the longest chain from it to the end, itself included. Steps come in topological order. */
export function chainWeights(steps: readonly Node[]): readonly number[] {
  const positions = new Map(steps.map(({ id }, position) => [id, position]));
  const weights = steps.map(() => 1);
  for (let position = steps.length - 1; position >= 0; position -= 1) {
    const atLeast = (weights[position] ?? 1) + 1;
    for (const need of steps[position]?.needs ?? []) {
      const before = positions.get(need);
      if (before !== undefined && (weights[before] ?? 1) < atLeast) weights[before] = atLeast;
    }
  }
  return weights;
}
