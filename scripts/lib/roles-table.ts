import { ROLES, SCOPES } from '../../src/model/security.ts';
import { scopesOf } from '../../src/service/security/authorisation.ts';
import { tableRow } from './table-row.ts';

/** Which role holds which scope, as the one decision has it; and whether a token for some tasks may hold it. */
export function rolesTable(): string {
  const all = new Map(ROLES.map((role) => [role, new Set(scopesOf({ role }))]));
  const narrowed = new Set(scopesOf({ role: 'admin', tasks: ['x'] }));
  const rows = SCOPES.map((scope) =>
    tableRow([`\`${scope}\``, ...ROLES.map((role) => (all.get(role)?.has(scope) === true ? '✔' : '')), narrowed.has(scope) ? '✔' : '']),
  );
  return `| scope | ${ROLES.join(' | ')} | with \`--task\` |\n| --- | ${ROLES.map(() => ':-:').join(' | ')} | :-: |\n${rows.join('\n')}\n`;
}
