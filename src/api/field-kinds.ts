import { z } from 'zod';
import { manyOf } from './common.ts';

/** Every field may be left out. */
export function optional<Shape extends z.core.$ZodShape>(shape: Shape): { [Field in keyof Shape]: z.ZodExactOptional<Shape[Field]> } {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, z.exactOptional(field)])) as {
    [Field in keyof Shape]: z.ZodExactOptional<Shape[Field]>;
  };
}

/** Every field may be left out, or be null to unset it. */
export function patchable<Shape extends z.core.$ZodShape>(
  shape: Shape,
): { [Field in keyof Shape]: z.ZodExactOptional<z.ZodNullable<Shape[Field]>> } {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, z.exactOptional(z.nullable(field))])) as {
    [Field in keyof Shape]: z.ZodExactOptional<z.ZodNullable<Shape[Field]>>;
  };
}

/** A list in a patch: as a whole, or by the names of its entries. */
export function listPatch<Item extends z.ZodType, Key extends z.ZodType>(item: Item, key: Key) {
  return z.union([manyOf(item), z.strictObject({ set: manyOf(item).exactOptional(), unset: manyOf(key).exactOptional() }).readonly()]);
}
