/** node:crypto, loaded when a template first asks for it: most task files never do. */
export function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}
