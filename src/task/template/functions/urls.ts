import { FunctionFailure } from '../failure.ts';
import { formatUrl, hostname, parseUrl } from '../url.ts';
import { GoMap, kindOf, type Value } from '../value.ts';
import { type FunctionTable, fixed } from './signature.ts';

function parse(text: string): GoMap {
  const url = parseUrl(text);
  const parts: readonly [string, string][] = [
    ['scheme', url.scheme],
    ['host', url.host],
    ['hostname', hostname(url)],
    ['path', url.path],
    ['query', url.query],
    ['opaque', url.opaque],
    ['fragment', url.fragment],
    ['userinfo', url.userinfo ?? ''],
  ];
  return new GoMap(new Map<string, Value>(parts));
}

function textAt(map: GoMap, key: string): string {
  if (!map.entries.has(key)) return '';
  const value = map.get(key);
  if (typeof value === 'string') return value;
  throw new FunctionFailure(`unable to parse ${key} key, must be of type string, but ${kindOf(value)} found`);
}

function join(map: GoMap): string {
  const userinfo = textAt(map, 'userinfo');
  return formatUrl({
    scheme: textAt(map, 'scheme'),
    host: textAt(map, 'host'),
    path: textAt(map, 'path'),
    rawPath: '',
    query: textAt(map, 'query'),
    forceQuery: false,
    opaque: textAt(map, 'opaque'),
    fragment: textAt(map, 'fragment'),
    userinfo: userinfo === '' ? undefined : parseUrl(`proto://${userinfo}@host`).userinfo,
  });
}

export const URL_FUNCTIONS: FunctionTable = {
  urlParse: fixed(['string'], (_, text) => parse(text)),
  urlJoin: fixed(['map'], (_, map) => join(map)),
};
