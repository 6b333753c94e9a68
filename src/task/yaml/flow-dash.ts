/**
 * A dash that is a whole entry of a flow sequence (`when: [-]`) is a plain scalar to go-yaml and a syntax error to js-yaml.
 * It is parsed as a stand-in: a private-use character, one UTF-16 unit as the dash is, so that all offsets stay.
 */
const STAND_IN = '\u{E02D}';

/** Looks behind only from dashes that fit: the cost stays linear in long runs of blanks. */
const FLOW_DASH = /-(?=[,\]])(?<=[[,][ \t]*-)/g;

/** A text that contains the stand-in already is returned as it is. */
export function withStandIns(text: string): string {
  return text.includes(STAND_IN) ? text : text.replace(FLOW_DASH, STAND_IN);
}

/** Undoes `withStandIns` in a value; call it only for values of a text that it changed. */
export function withoutStandIns(value: string): string {
  return value.replaceAll(STAND_IN, '-');
}
