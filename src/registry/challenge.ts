/** How a registry asks for proof (RFC 9110, the distribution token protocol). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string; readonly scope: string };

const PARAMETER = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,\s*|$)/y;

/** The best challenge of a WWW-Authenticate header: Bearer before Basic; undefined when there is neither. */
export function parseChallenges(header: string | undefined): Challenge | undefined {
  const text = (header ?? '').slice(0, 8192);
  const found: Challenge[] = [];
  for (let position = 0; position < text.length; ) {
    const scheme = /^[\s,]*([A-Za-z][A-Za-z0-9-]*)(?:\s+|$|,)/.exec(text.slice(position));
    if (scheme === null) break;
    position += scheme[0].length;
    const { parameters, end } = readParameters(text, position);
    position = end;
    const challenge = challengeOf((scheme[1] ?? '').toLowerCase(), parameters);
    if (challenge !== undefined) found.push(challenge);
  }
  return found.find(({ scheme }) => scheme === 'bearer') ?? found[0];
}

function readParameters(text: string, start: number): { readonly parameters: ReadonlyMap<string, string>; readonly end: number } {
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = start;
  let end = start;
  for (let match = PARAMETER.exec(text); match !== null; match = PARAMETER.exec(text)) {
    parameters.set((match[1] ?? '').toLowerCase(), match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
    end = PARAMETER.lastIndex;
  }
  return { parameters, end };
}

function challengeOf(scheme: string, parameters: ReadonlyMap<string, string>): Challenge | undefined {
  if (scheme === 'basic') return { scheme };
  const realm = parameters.get('realm');
  if (scheme !== 'bearer' || realm === undefined) return undefined;
  return { scheme, realm, service: parameters.get('service') ?? '', scope: parameters.get('scope') ?? '' };
}
