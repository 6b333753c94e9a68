import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configSchema } from './config-schema.ts';
import { decisionsTable } from './decisions-table.ts';
import { errorsPage } from './errors-page.ts';
import { withRegion } from './page-region.ts';
import { rightsTable } from './rights-table.ts';
import { rolesTable } from './roles-table.ts';
import { routesTable } from './routes-table.ts';
import { settingsPage } from './settings-page.ts';
import { taskDefinitionSchema } from './task-definition-schema.ts';
import { taskReference } from './task-reference.ts';
import { taskSchema } from './task-schema.ts';

const DOCS = join(import.meta.dirname, '../../docs');

function page(name: string): string {
  return readFileSync(join(DOCS, name), 'utf8');
}

/** Every generated file of the project: its path from the root, and its content. Of some pages a region is generated. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['schemas/task.schema.json', `${JSON.stringify(taskSchema(), undefined, 2)}\n`],
    ['schemas/config.schema.json', `${JSON.stringify(configSchema(), undefined, 2)}\n`],
    ['schemas/task-definition.schema.json', `${JSON.stringify(taskDefinitionSchema(), undefined, 2)}\n`],
    ['docs/task-reference.md', taskReference()],
    ['docs/errors.md', errorsPage()],
    ['docs/settings.md', settingsPage()],
    ['docs/api.md', withRegion(page('api.md'), 'routes', routesTable())],
    ['docs/triggers.md', withRegion(withRegion(page('triggers.md'), 'rights', rightsTable()), 'decisions', decisionsTable())],
    ['docs/security.md', withRegion(page('security.md'), 'roles', rolesTable())],
  ]);
}
