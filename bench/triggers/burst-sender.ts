import { Agent } from 'node:http';
import { performance } from 'node:perf_hooks';
import { randomNumbers, shuffled } from '../lib/random.ts';
import { deliver, type Hook, type Push, type SignedDelivery, signedPush } from './github.ts';
import { passed } from './stored.ts';

export interface HookedPush {
  readonly push: Push;
  readonly hook: Hook;
}

export interface BurstOrder {
  readonly pushes: readonly HookedPush[];
  /** How many in all: so many more than pushes are repetitions. */
  readonly deliveries: number;
  readonly perSecond: number;
  readonly seed: number;
}

/** How far behind the first delivery of a push the second one comes, at most: deliveries. */
const LATEST_REPEAT = 800;

process.once('message', (order: BurstOrder) => void send(withRepeats(order), order.perSecond).then((sent) => process.send?.(sent)));

/** One in nine comes again soon after: half of those as the same delivery, half as another one of the same push. */
function withRepeats({ pushes, deliveries: total, seed }: BurstOrder): readonly SignedDelivery[] {
  const random = randomNumbers(seed);
  const deliveries = pushes.map(({ push, hook }, index) => ({ at: index, delivery: signedPush(push, hook, `${seed}-${index}`) }));
  const repeats = total - pushes.length;
  const chosen = shuffled(deliveries, random).slice(0, repeats);
  const again = chosen.map(({ at, delivery }, index) => ({
    at: at + random() * LATEST_REPEAT,
    delivery: index % 2 === 0 ? delivery : { ...delivery, id: `${delivery.id}-again` },
  }));
  return [...deliveries, ...again].sort((left, right) => left.at - right.at).map(({ delivery }) => delivery);
}

export interface Sent {
  /** Milliseconds of the answers. */
  readonly times: readonly number[];
  readonly refused: number;
  /** Moment of the first delivery of each push, by what it is about. */
  readonly firstMs: readonly (readonly [string, number])[];
  /** Deliveries with an id of their own. */
  readonly distinct: number;
}

/** At this rate whether or not earlier ones have been answered. */
async function send(deliveries: readonly SignedDelivery[], perSecond: number): Promise<Sent> {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const times: number[] = [];
  const firstMs = new Map<string, number>();
  const answers: Promise<void>[] = [];
  let refused = 0;
  const startMs = performance.now();
  const one = async (delivery: SignedDelivery): Promise<void> => {
    const sentMs = performance.now();
    if (!firstMs.has(delivery.about)) firstMs.set(delivery.about, Date.now());
    const { status } = await deliver(delivery, agent);
    times.push(performance.now() - sentMs);
    if (status !== 200 && status !== 202) refused += 1;
  };
  for (let next = 0; next < deliveries.length; await passed(2)) {
    const due = Math.min(deliveries.length, Math.floor(((performance.now() - startMs) / 1000) * perSecond) + 1);
    for (; next < due; next += 1) {
      const delivery = deliveries[next];
      if (delivery !== undefined) answers.push(one(delivery));
    }
  }
  await Promise.all(answers);
  agent.destroy();
  return { times, refused, firstMs: [...firstMs], distinct: new Set(deliveries.map(({ id }) => id)).size };
}
