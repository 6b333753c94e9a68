import type { PlanVolume } from '../model/plan.ts';
import { toEngineError } from './engine-api.ts';
import { createContainer, startContainer } from './engine-containers.ts';
import { makeVolume } from './labelled-volume.ts';
import { once } from './once.ts';
import type { RunContext } from './run-context.ts';
import { packEntries } from './tar.ts';

const MIB = 1024 * 1024;

/**
 * The task's secret volumes: exact bytes in memory (tmpfs), files 0444 in a directory 0755 so that a step may read them
 * whatever `user:` it has.
 *
 * The engine unmounts a tmpfs volume, and its content is gone, when no running container has it. So one sleeping
 * container keeps them all mounted for as long as the run lasts, and the files are written through it. Where no holder
 * can run (an architecture without a pause program) the volumes are ordinary ones, removed with the run all the same.
 */
export class SecretVolumes {
  readonly #context: RunContext;
  readonly #volumes: readonly PlanVolume[];
  readonly #made = once(() => this.#make());
  readonly #filled = once(() => this.#fill());

  constructor(context: RunContext, volumes: readonly PlanVolume[]) {
    this.#context = context;
    this.#volumes = volumes;
  }

  warmUp(): void {
    if (this.#volumes.length > 0) void this.#filled().catch(() => undefined);
  }

  nameOf(volume: string): string | undefined {
    return this.#volumes.some(({ name }) => name === volume) ? this.#context.name(`volume-${volume}`) : undefined;
  }

  async exist(): Promise<void> {
    await this.#made();
  }

  async ready(): Promise<void> {
    await this.#filled();
  }

  async #make(): Promise<void> {
    const { runs } = await this.#context.holderImage();
    await Promise.all(
      this.#volumes.map(async (volume) => {
        const name = this.#context.name(`volume-${volume.name}`);
        // Podman takes a size for a disk quota, which few file systems have. Base64 text is a third longer than its bytes; a page or more goes to each file and directory.
        const size = Object.values(volume.files).reduce((sum, text) => sum + text.length + 8192, MIB);
        const options = {
          type: 'tmpfs',
          device: 'tmpfs',
          o: `mode=0755,nosuid,nodev${this.#context.engineKind === 'podman' ? '' : `,size=${size}`}`,
        };
        await makeVolume(this.#context, name, runs ? options : {});
      }),
    );
  }

  async #fill(): Promise<void> {
    const [image, existing] = await Promise.all([this.#context.holderImage(), this.#context.existing(), this.#made()]);
    const found = existing.containers.find(({ name }) => name === this.#context.name('secrets'));
    const Binds = this.#volumes.map(({ name }, index) => `${this.#context.name(`volume-${name}`)}:/secrets/${index}:nocopy`);
    const body = {
      Image: image.reference,
      Labels: this.#context.labels,
      HostConfig: { NetworkMode: 'none', Binds, LogConfig: { Type: 'none' } },
    };
    try {
      const holder =
        found?.id ?? (await this.#context.make(() => createContainer(this.#context.api, [this.#context.name('secrets')], body)));
      // Written again for an adopted run: the holder may have ended, and the content of its volumes with it, or never got all.
      if (image.runs && found?.state !== 'running') await this.#context.make(() => startContainer(this.#context.api, holder));
      await Promise.all(this.#volumes.map((volume, index) => this.#write(holder, `/secrets/${index}`, volume)));
    } catch (error) {
      throw toEngineError(error, 'Making the secret volumes');
    }
  }

  async #write(holder: string, path: string, volume: PlanVolume): Promise<void> {
    const file = await packEntries(
      Object.entries(volume.files).map(([name, text]) => ({ path: name, mode: 0o444, content: Buffer.from(text, 'base64') })),
    );
    await this.#context.make(() => this.#context.api.json({ method: 'PUT', path: `/containers/${holder}/archive`, query: { path }, file }));
  }
}
