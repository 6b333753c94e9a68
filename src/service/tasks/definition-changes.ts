/** Paths of the fields in which two plain JSON values differ: objects are entered, lists are one field. Empty when they are the same. */
export function changedFields(before: unknown, after: unknown, at = ''): readonly string[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
    return names.flatMap((name) => changedFields(before[name], after[name], at === '' ? name : `${at}.${name}`));
  }
  return canonical(before) === canonical(after) ? [] : [at];
}

/** One text for one meaning: keys in order, absent fields left out. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      isObject(part) ? Object.fromEntries(Object.entries(part).toSorted(([left], [right]) => (left < right ? -1 : 1))) : part,
    ) ?? ''
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
