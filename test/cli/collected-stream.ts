/** A stream that keeps what is written to it. */
export function collected(isTTY = false) {
  const chunks: string[] = [];
  return {
    isTTY,
    columns: undefined,
    rows: undefined,
    write: (text: string): boolean => {
      chunks.push(text);
      return true;
    },
    once: () => undefined,
    on: () => undefined,
    off: () => undefined,
    text: () => chunks.join(''),
  };
}
