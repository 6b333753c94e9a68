import { showCredential } from '../../../api/shown.ts';
import { etagOf, taskResourceOf } from '../../../api/task-resource.ts';
import type { TaskBody, TaskResource } from '../../../api/task-schema.ts';
import { EngineError } from '../../../model/engine-error.ts';
import type { TaskRecord } from '../../../model/task-definition.ts';
import type { TaskInput } from '../../../model/task-input.ts';
import { applyTasks } from '../../../service/tasks/apply.ts';
import type { TaskChange } from '../../../service/tasks/task-change.ts';
import { showDiagnostic } from '../problem.ts';
import type { HttpServices } from '../services.ts';
import type { Handlers } from './call.ts';
import { pageOfItems, textAfter } from './cursor.ts';

type TaskRoute =
  | 'listTasks'
  | 'createTask'
  | 'getTask'
  | 'putTask'
  | 'patchTask'
  | 'deleteTask'
  | 'listCredentials'
  | 'putCredential'
  | 'deleteCredential'
  | 'apply';

export function taskHandlers({ tasks, credentials }: HttpServices): Handlers<TaskRoute> {
  return {
    listTasks: async ({ principal, query: { top, after } }) => {
      const last = textAfter(after);
      const found = await tasks.list(principal, { limit: top + 1, ...(last === undefined ? {} : { after: last }) });
      return { status: 200, body: pageOfItems(found, top, taskResourceOf, ({ definition }) => definition.name) };
    },
    createTask: async ({ principal, body }) => {
      const change = await tasks.create(principal, inputOf(body));
      return { status: 201, body: changedTask(change), headers: { ...etag(change.record), location: `/api/v1/tasks/${body.name}` } };
    },
    getTask: async ({ principal, params }) => {
      const record = await tasks.get(principal, params.name);
      return { status: 200, body: taskResourceOf(record), headers: etag(record) };
    },
    putTask: async ({ principal, params, query, body, version }) => {
      if (body.name !== params.name) {
        throw new EngineError(
          'invalid-request',
          `\`name\` is ${JSON.stringify(body.name)}, and the path names ${JSON.stringify(params.name)}`,
        );
      }
      const change = await tasks.replace(principal, inputOf(body), optionsOf(query, version));
      return { status: change.action === 'created' ? 201 : 200, body: changedTask(change), headers: etag(change.record) };
    },
    patchTask: async ({ principal, params, query, body, version }) => {
      const { unset = [], ...patch } = body;
      const change = await tasks.patch(principal, params.name, patch, { ...optionsOf(query, version), unset });
      return { status: 200, body: changedTask(change), headers: etag(change.record) };
    },
    deleteTask: async ({ principal, params, query, version }) => {
      await tasks.delete(principal, params.name, optionsOf(query, version));
      return { status: 204 };
    },
    listCredentials: async ({ principal, params }) => {
      const { definition } = await tasks.get(principal, params.name);
      return { status: 200, body: { items: definition.credentials.map(showCredential) } };
    },
    putCredential: async ({ principal, params: { name, server }, query, body, version }) => {
      const { record, changes } = await credentials.put(principal, name, { loginServer: server, ...body }, optionsOf(query, version));
      const stored = record.definition.credentials.find(({ loginServer }) => loginServer === server);
      if (stored === undefined) throw new EngineError('internal', `the credential for ${server} was not stored`);
      return { status: changes.length > 0 ? 201 : 200, body: showCredential(stored), headers: etag(record) };
    },
    deleteCredential: async ({ principal, params, query, version }) => {
      await credentials.remove(principal, params.name, params.server, optionsOf(query, version));
      return { status: 204 };
    },
    apply: async ({ principal, body: { tasks: bodies, managedBy, ...options } }) => {
      const documents = bodies.map((body) => ({ input: inputOf(body) }));
      const source = managedBy === undefined ? {} : { source: managedBy };
      const applied = await applyTasks(tasks, principal, documents, { ...options, ...source });
      const shown = applied.tasks.map((task) => ({ ...task, warnings: task.warnings.map(showDiagnostic) }));
      return { status: 200, body: { dryRun: applied.dryRun, tasks: shown } };
    },
  };
}

/** Without the fields that only the daemon sets. */
function inputOf({
  id: _id,
  version: _version,
  creationDate: _made,
  lastUpdatedTime: _changed,
  managedBy: _owner,
  ...input
}: TaskBody): TaskInput {
  return input;
}

function optionsOf(
  { force }: { readonly force: boolean },
  version: number | undefined,
): { readonly force: boolean; readonly version?: number } {
  return { force, ...(version === undefined ? {} : { version }) };
}

function changedTask({ record, warnings }: TaskChange): TaskResource {
  return { ...taskResourceOf(record), ...(warnings.length === 0 ? {} : { warnings: warnings.map(showDiagnostic) }) };
}

function etag({ version }: TaskRecord): { readonly etag: string } {
  return { etag: etagOf(version) };
}
