import type { Io } from '../io.ts';
import type { TablePlace } from '../tables/run-table.ts';

export function tablePlace(io: Io): TablePlace {
  return { stream: io.stdout, paint: io.paint, now: new Date() };
}
