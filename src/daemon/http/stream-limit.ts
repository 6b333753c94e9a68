import { RetryLater } from './problem.ts';

/** Counts open streams, of all and of each principal. */
export interface StreamLimit {
  /** Takes a place, or throws `rate-limited`. The returned function gives it back; it may be called more than once. */
  take(principal: string): () => void;
  open(): number;
}

const RETRY_SECONDS = 10;

export function createStreamLimit(limits: { readonly streams: number; readonly streamsPerPrincipal: number }): StreamLimit {
  const byPrincipal = new Map<string, number>();
  let all = 0;
  return {
    open: () => all,
    take: (principal) => {
      const own = byPrincipal.get(principal) ?? 0;
      if (all >= limits.streams || own >= limits.streamsPerPrincipal) {
        throw new RetryLater(
          'rate-limited',
          `there are ${own} streams of ${principal} and ${all} in all, and that is the most`,
          RETRY_SECONDS,
        );
      }
      all += 1;
      byPrincipal.set(principal, own + 1);
      let taken = true;
      return () => {
        if (!taken) return;
        taken = false;
        all -= 1;
        const left = (byPrincipal.get(principal) ?? 1) - 1;
        if (left === 0) byPrincipal.delete(principal);
        else byPrincipal.set(principal, left);
      };
    },
  };
}
