/** `os[/arch[/variant]]` as the API has it; without an architecture ACR's, amd64. */
export function platformOf(text: string): { readonly os: string; readonly architecture: string; readonly variant?: string } {
  const [os = 'linux', architecture = 'amd64', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

export function platformText({
  os,
  architecture,
  variant,
}: {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}
