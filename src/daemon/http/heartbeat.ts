/** A comment of a server-sent event stream: keeps proxies and readers from giving up. */
export const HEARTBEAT = ': \n\n';

/** Beats while somebody waits for something else. */
export interface Heartbeat {
  next(): Promise<'beat'>;
  stop(): void;
}

export function createHeartbeat(ms: number): Heartbeat {
  let timer: NodeJS.Timeout | undefined;
  return {
    next: () =>
      new Promise((resolve) => {
        timer = setTimeout(() => resolve('beat'), ms);
      }),
    stop: () => clearTimeout(timer),
  };
}
