import type { Problems } from '../schema/problems.ts';
import type { YamlMapping, YamlNode } from '../yaml/yaml-node.ts';

/** Warns of keys that are written twice in one mapping: the last one holds, as in Azure Container Registry, and nobody means that. */
export function lintDuplicateKeys(root: YamlNode, problems: Problems): void {
  const seen = new Set<YamlNode>();
  const waiting: YamlNode[] = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    // An anchor is looked at once, in however many places it is used.
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.kind === 'sequence') waiting.push(...node.items);
    if (node.kind !== 'mapping') continue;
    lintMapping(node, problems);
    for (const { value } of node.entries) waiting.push(value);
  }
}

function lintMapping(mapping: YamlMapping, problems: Problems): void {
  const keys = new Map<string, YamlNode>();
  for (const { key } of mapping.entries) {
    // What a merge key brings stands elsewhere, and is there to be replaced.
    if (key.kind !== 'scalar' || key.start < mapping.start || key.start >= mapping.end) continue;
    const first = keys.get(key.text);
    keys.set(key.text, key);
    if (first === undefined) continue;
    problems.warn('duplicate-key', `\`${key.text}\` is written twice here; the last one holds.`, {
      range: key.range,
      help: 'Leave one of them out.',
      related: first.range === undefined ? undefined : [{ message: 'the other one', range: first.range }],
    });
  }
}
