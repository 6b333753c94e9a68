import type { RouteEntry } from '../../src/api/route-entry.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { tableRow } from './table-row.ts';

/** Every route of the API in the order of its table. */
export function routesTable(): string {
  const rows = ROUTES.map((route: RouteEntry) =>
    tableRow([
      `\`${route.method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}\``,
      route.scope === 'any' ? 'any token' : route.scope === 'none' ? 'no token' : `\`${route.scope}\``,
      [route.ifMatch === true ? '`If-Match`' : '', route.creates ? '`Idempotency-Key`' : ''].filter((word) => word !== '').join(', '),
      route.summary,
    ]),
  );
  return `| route | needs | takes | what it does |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}
