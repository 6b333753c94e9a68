/** A value made at the first call and shared by all; a failure is shared too, and never an unhandled rejection. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    if (made === undefined) {
      made = make();
      made.catch(() => undefined);
    }
    return made;
  };
}
