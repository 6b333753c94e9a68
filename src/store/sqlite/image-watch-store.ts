import type { ImageWatchStore } from '../../model/ports/image-watch-store.ts';
import type { Database } from './database.ts';
import type { EventWrites } from './event-writes.ts';
import { createImageDependencyStore } from './image-dependency-store.ts';
import { createImageTargetStore } from './image-target-store.ts';

export function createImageWatchStore(database: Database, writes: EventWrites, now: () => string): ImageWatchStore {
  return { ...createImageDependencyStore(database, now), ...createImageTargetStore(database, writes, now) };
}
