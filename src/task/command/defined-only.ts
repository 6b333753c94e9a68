/** A copy without the properties whose value is undefined, an empty list or false: what an author left out stays out of the plan. */
export function definedOnly<T extends object>(properties: { readonly [K in keyof T]-?: T[K] | undefined }): T {
  const kept = Object.entries(properties).filter(([, value]) => value !== undefined && value !== false && !isEmptyList(value));
  return Object.fromEntries(kept) as T;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
