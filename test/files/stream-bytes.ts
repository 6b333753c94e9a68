/** The bytes of a made-up stream from a place on: every place has its own, so that a lost or doubled byte shows. */
export function streamBytes(name: string, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const seed = name.charCodeAt(name.length - 1);
  for (let index = 0; index < length; index += 1) {
    const place = from + index;
    bytes[index] = (place ^ (place >>> 8) ^ (place >>> 16) ^ (seed * 31)) & 0xff;
  }
  return bytes;
}
