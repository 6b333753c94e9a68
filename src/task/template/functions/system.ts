import { type FunctionTable, fixed } from './signature.ts';

const VARIABLE = /\$(?:\{[^}]*\}|\{|[*#$@!?\-0-9]|[A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * What a template may learn of the machine: nothing. The names exist and answer as on a machine without variables and
 * without a network, so that no task file reads secrets of the engine that renders it.
 */
export const SYSTEM_FUNCTIONS: FunctionTable = {
  env: fixed(['string'], () => ''),
  expandenv: fixed(['string'], (_, text) => text.replaceAll(VARIABLE, '')),
  getHostByName: fixed(['string'], () => ''),
};
