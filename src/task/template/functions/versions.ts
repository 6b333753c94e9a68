import { parseVersion, satisfies } from '../version.ts';
import { type FunctionTable, fixed } from './signature.ts';

export const VERSION_FUNCTIONS: FunctionTable = {
  semver: fixed(['string'], (_, text) => parseVersion(text)),
  semverCompare: fixed(['string', 'string'], (_, constraints, text) => satisfies(constraints, () => parseVersion(text))),
};
