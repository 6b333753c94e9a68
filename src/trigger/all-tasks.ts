import type { TaskStore } from '../model/ports/store.ts';
import type { TaskRecord } from '../model/task-definition.ts';

const PAGE = 500;

/** Every task, in pages. */
export async function* allTasks(tasks: Pick<TaskStore, 'list'>): AsyncGenerator<readonly TaskRecord[]> {
  let after: string | undefined;
  for (;;) {
    const page = await tasks.list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    if (page.length > 0) yield page;
    after = page.at(-1)?.definition.name;
    if (page.length < PAGE) return;
  }
}
