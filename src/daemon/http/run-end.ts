import type { RunHub } from '../../service/runs/hub.ts';

/** Resolves when the run has ended or `signal` aborts. The log of a run that said nothing is never written, so it tells nobody of the end. */
export async function untilRunEnds(
  hub: Pick<RunHub, 'subscribe'>,
  run: string,
  isRunOver: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  let news = hub.subscribe(run);
  try {
    let over = await isRunOver();
    while (!over && !signal.aborted) {
      const told = await news.take(signal);
      if (told === 'closed') return;
      if (told === 'behind') news = hub.subscribe(run);
      if (told === 'behind' || told.some(({ kind }) => kind === 'status')) over = await isRunOver();
    }
  } finally {
    news.close();
  }
}
