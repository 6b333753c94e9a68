import { randomUUID } from 'node:crypto';
import type { TaskStore } from '../../src/model/ports/store.ts';
import type { TaskRecord } from '../../src/model/task-definition.ts';

/** The tasks of a memory store. */
export function createMemoryTasks(now: () => string): TaskStore {
  const tasks = new Map<string, TaskRecord>();
  return {
    get: async (name) => tasks.get(name),
    async list({ limit, after = '' }) {
      const names = [...tasks.keys()].filter((name) => name > after).sort();
      return names.slice(0, limit).map((name) => tasks.get(name) as TaskRecord);
    },
    async create(definition, managedBy) {
      if (tasks.has(definition.name)) return { ok: false, because: 'exists' };
      const at = now();
      const record: TaskRecord = {
        definition: structuredClone(definition),
        id: randomUUID(),
        version: 1,
        createdAt: at,
        updatedAt: at,
        ...(managedBy === undefined ? {} : { managedBy }),
      };
      tasks.set(definition.name, record);
      return { ok: true, value: record };
    },
    async replace(definition, { version, managedBy }) {
      const known = tasks.get(definition.name);
      if (known === undefined) return { ok: false, because: 'missing' };
      if (version !== undefined && known.version !== version) return { ok: false, because: 'version' };
      const { managedBy: owner, ...rest } = known;
      const next = managedBy === undefined ? owner : managedBy;
      const record: TaskRecord = {
        ...rest,
        definition: structuredClone(definition),
        version: known.version + 1,
        updatedAt: now(),
        ...(next === undefined || next === null ? {} : { managedBy: next }),
      };
      tasks.set(definition.name, record);
      return { ok: true, value: record };
    },
    async delete(name, { version }) {
      const known = tasks.get(name);
      if (known === undefined) return { ok: false, because: 'missing' };
      if (version !== undefined && known.version !== version) return { ok: false, because: 'version' };
      tasks.delete(name);
      return { ok: true, value: known };
    },
  };
}
