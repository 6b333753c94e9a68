/** A page whose text between `<!-- generated: NAME -->` and `<!-- end -->` is `content`. */
export function withRegion(page: string, name: string, content: string): string {
  const start = `<!-- generated: ${name} -->\n`;
  const from = page.indexOf(start);
  const to = page.indexOf('<!-- end -->', from);
  if (from === -1 || to === -1) throw new Error(`bug: the page has no region "${name}"`);
  return `${page.slice(0, from + start.length)}\n${content}\n${page.slice(to)}`;
}
