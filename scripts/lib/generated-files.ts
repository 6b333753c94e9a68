import { configSchema } from './config-schema.ts';
import { errorsPage } from './errors-page.ts';
import { taskDefinitionSchema } from './task-definition-schema.ts';
import { taskReference } from './task-reference.ts';
import { taskSchema } from './task-schema.ts';

/** Every generated file of the project: its path from the root, and its content. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['schemas/task.schema.json', `${JSON.stringify(taskSchema(), undefined, 2)}\n`],
    ['schemas/config.schema.json', `${JSON.stringify(configSchema(), undefined, 2)}\n`],
    ['schemas/task-definition.schema.json', `${JSON.stringify(taskDefinitionSchema(), undefined, 2)}\n`],
    ['docs/task-reference.md', taskReference()],
    ['docs/errors.md', errorsPage()],
  ]);
}
