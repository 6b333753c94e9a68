import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Fault, FaultOptions, FaultReport } from '../fault.ts';
import { mountSmall, unmount } from '../small-disk.ts';
import { TriggerWorld } from '../trigger-world.ts';

/** SIGKILL while deliveries, pushes, base images and runs that start runs come in; the senders do not give up. */
export const triggersKilled: Fault = {
  name: 'triggers: kill -9',
  about: 'SIGKILL of the daemon at random instants while everything that starts runs happens, a tenth of it told twice',
  run: (options) =>
    inWorld(options, async (world, { random, brief }) => {
      const { daemon } = world;
      const happening = [
        ...Array.from({ length: brief ? 12 : 30 }, () => () => world.pushAndTell()),
        ...Array.from({ length: brief ? 4 : 10 }, () => () => world.pushAlone()),
        ...Array.from({ length: brief ? 1 : 3 }, () => () => world.pushBase()),
        ...Array.from({ length: 3 }, () => () => world.look().catch(() => undefined)),
      ];
      const all = Promise.all(happening.map(async (happen) => pause(random.between(0, 3000)).then(happen)));
      for (let kills = brief ? 2 : 3; kills > 0; kills -= 1) {
        await pause(random.between(0, 1200));
        await daemon.kill();
        await daemon.start();
      }
      await all;
    }),
};

/** The repositories and the registry answer 503 for a while: what was taken before is decided on when they are back. */
export const triggersAlone: Fault = {
  name: 'triggers: sources',
  about: 'git servers and registries that are away while deliveries come in, over a kill of the daemon',
  run: (options) =>
    inWorld(
      options,
      async (world, { random, brief }) => {
        const tell = (count: number): Promise<unknown> => Promise.all(Array.from({ length: count }, () => world.pushAndTell()));
        await tell(brief ? 2 : 5);
        world.git.down = true;
        world.registryDown = true;
        await tell(brief ? 4 : 10);
        await world.pushAlone();
        await world.pushBase();
        const looking = world.look().catch(() => undefined);
        await pause(random.between(0, brief ? 500 : 5000));
        await world.daemon.kill();
        await Promise.all([looking, world.daemon.start()]);
        await tell(brief ? 2 : 5);
        world.git.down = false;
        world.registryDown = false;
      },
      { mayFail: true },
    ),
};

const SIZE_MIB = 64;
const MOST_ON_FULL_DISK = 150;

/** A full disk takes no delivery, tells its sender to come again, and loses none. */
export const triggersDiskFull: Fault = {
  name: 'triggers: disk full',
  about: `deliveries to a data directory of ${SIZE_MIB} MiB that is full, and then is not`,
  run: async (options) => {
    const disk = await mkdtemp(join(tmpdir(), 'slipway-disk-'));
    mountSmall(disk, SIZE_MIB);
    try {
      return await inWorld(
        options,
        async (world) => {
          await world.pushAndTell();
          const { bavail, bsize } = await statfs(disk);
          // What goes on writes too, and may be first to take the last of the room.
          await writeFile(join(disk, 'filler'), Buffer.alloc(bavail * bsize)).catch(() => undefined);
          const before = world.counts.retries;
          const telling: Promise<void>[] = [];
          // There is some room in the files that are there already.
          while (telling.length < MOST_ON_FULL_DISK && world.counts.retries < before + 3) {
            telling.push(world.pushAndTell());
            await pause(20);
          }
          const { status } = await world.daemon.api('GET', '/healthz');
          if (status !== 200) throw new Error(`the daemon answered ${status} on a full disk`);
          await rm(join(disk, 'filler'));
          await Promise.all(telling);
        },
        { data: disk, mayFail: true },
      );
    } finally {
      unmount(disk);
      await rm(disk, { recursive: true, force: true });
    }
  },
};

/** Another program holds the database for a while. */
export const triggersBusy: Fault = {
  name: 'triggers: busy store',
  about: 'deliveries, some of them the same at the same instant, while another program writes to the database for a second at a time',
  run: (options) =>
    inWorld(options, async (world, { random, brief }) => {
      const other = new Database(join(world.daemon.data, 'slipway.db'), { timeout: 10_000 });
      try {
        for (let turn = brief ? 2 : 5; turn > 0; turn -= 1) {
          other.exec('BEGIN IMMEDIATE');
          const telling = Promise.all(Array.from({ length: 5 }, () => world.pushAndTell()));
          await pause(random.between(200, 1500));
          other.exec('COMMIT');
          await telling;
          await world.tellAtOnce();
        }
      } finally {
        other.close();
      }
    }),
};

async function inWorld(
  options: FaultOptions,
  round: (world: TriggerWorld, options: FaultOptions) => Promise<void>,
  { data, mayFail = false }: { readonly data?: string; readonly mayFail?: boolean } = {},
): Promise<FaultReport> {
  const { rounds, random } = options;
  await using world = await TriggerWorld.start(random, data === undefined ? {} : { data });
  const [lost, doubled]: [string[], string[]] = [[], []];
  for (let number = 0; number < rounds; number += 1) {
    await round(world, options);
    const verdict = await world.judge(mayFail);
    lost.push(...verdict.lost);
    doubled.push(...verdict.doubled);
    if (lost.length + doubled.length > 0) break;
  }
  const { told, repeats, retries, runs } = world.counts;
  return { runs, lost, doubled, notes: `${told} deliveries, ${repeats} sent twice, ${retries} sent again` };
}
