import type { RunSpaceSpec, WorkspaceSpec } from '../model/ports/container-engine.ts';
import type { CredentialSource } from '../model/ports/credential-source.ts';
import { dockerConfigJson } from './docker-config-file.ts';
import { toEngineError } from './engine-api.ts';
import { createContainer } from './engine-containers.ts';
import { makeVolume } from './labelled-volume.ts';
import { once } from './once.ts';
import type { RunContext } from './run-context.ts';
import { SecretVolumes } from './secret-volumes.ts';
import { packEntries } from './tar.ts';
import { type PackWorkspace, workspaceSeed } from './workspace-seed.ts';

export const WORKSPACE_PATH = '/workspace';
export const HOME_PATH = '/acb/home';

type Mount = readonly [source: string, target: string, options?: string];

/**
 * The volumes of one run: the workspace (seeded from a directory), the home that steps share (with the run's registry
 * credentials, so that `docker push` works inside a step) and the secret volumes. All are made at the first need.
 *
 * Modes are docker's for a new volume, root's and 0755, as task files know them.
 */
export class RunVolumes {
  readonly #context: RunContext;
  readonly #workspace: WorkspaceSpec;
  readonly #credentials: CredentialSource;
  readonly #secrets: SecretVolumes;
  readonly #pack: PackWorkspace;
  readonly #isDurable: boolean;
  #marked: Promise<void> = Promise.resolve();
  readonly #volumes = once(() => this.#makeVolumes());
  readonly #contents = once(() => this.#fill());
  /** A container that is never started: a door to the volumes for copying in and out. */
  readonly fileDoor = once(() => this.#makeDoor());

  constructor(context: RunContext, spec: Pick<RunSpaceSpec, 'workspace' | 'volumes' | 'credentials' | 'durableLogs'>, pack: PackWorkspace) {
    this.#context = context;
    this.#workspace = spec.workspace;
    this.#credentials = spec.credentials;
    this.#secrets = new SecretVolumes(context, spec.volumes);
    this.#pack = pack;
    this.#isDurable = spec.durableLogs;
  }

  /** Begins with everything that takes time. Failures show when a step asks. */
  warmUp(): void {
    void this.#contents().catch(() => undefined);
    this.#secrets.warmUp();
  }

  /** Mounts of every step; the volumes exist (creating a container with unknown ones would make them without labels). */
  async mounts(): Promise<readonly Mount[]> {
    await this.#volumes();
    return [this.#workspaceMount(), [this.#context.name('home'), HOME_PATH, 'nocopy']];
  }

  /** Waits until what a step will read is in place: the seed, the credentials, the secret volumes it mounts. */
  async ready(secretVolumes: readonly string[]): Promise<void> {
    await Promise.all([this.#contents(), secretVolumes.length > 0 ? this.#secrets.ready() : undefined]);
  }

  /** Resolves when containers of steps may go: whoever adopts the run knows without them that the content is in place. */
  async marked(): Promise<void> {
    await this.#marked;
  }

  /** Waits until the secret volumes exist, empty or not. */
  async secretsExist(secretVolumes: readonly string[]): Promise<void> {
    if (secretVolumes.length > 0) await this.#secrets.exist();
  }

  /** The engine's name of a volume of the task; names of other volumes stay. */
  volumeName(name: string): string {
    return this.#secrets.nameOf(name) ?? name;
  }

  /**
   * Docker copies what the image has at a mount point into an empty volume. A seeded workspace is not empty for acb, so
   * there the copy is switched off: it would race with the seed.
   */
  #workspaceMount(): Mount {
    if (this.#workspace.kind === 'external') return [this.#workspace.source, WORKSPACE_PATH];
    return this.#workspace.seed === undefined ? [this.#workspace.name, WORKSPACE_PATH] : [this.#workspace.name, WORKSPACE_PATH, 'nocopy'];
  }

  async #makeVolumes(): Promise<void> {
    const names = [this.#context.name('home'), ...(this.#workspace.kind === 'volume' ? [this.#workspace.name] : [])];
    await Promise.all(names.map((name) => makeVolume(this.#context, name)));
  }

  async #fill(): Promise<void> {
    const mark = this.#context.name('filled');
    const { volumes, containers } = await this.#context.existing();
    if (volumes.has(mark) || containers.some(({ step, state }) => step !== undefined && state !== 'created')) return;
    await Promise.all([this.#volumes(), this.#seedWorkspace(), this.#writeCredentials()]);
    // A mark for whoever adopts the run: from now on steps may have changed the content, so it is never written again. No step waits
    // for it (14 ms): until it is there, the container of the first step says the same.
    if (this.#isDurable) this.#marked = makeVolume(this.#context, mark);
    this.#marked.catch(() => undefined);
  }

  async #seedWorkspace(): Promise<void> {
    if (this.#workspace.kind !== 'volume' || this.#workspace.seed === undefined) return;
    const { seed } = this.#workspace;
    const door = await this.fileDoor();
    const archive = await workspaceSeed(seed, this.#pack);
    try {
      await this.#context.make(() =>
        this.#context.api.json({ method: 'PUT', path: `/containers/${door}/archive`, query: { path: WORKSPACE_PATH }, file: archive }),
      );
    } catch (error) {
      throw toEngineError(error, `Copying ${seed} into the workspace`);
    }
  }

  async #writeCredentials(): Promise<void> {
    const config = await dockerConfigJson(this.#credentials);
    if (config === undefined) return;
    const entries = [
      { path: '.docker', mode: 0o755 },
      // Readable for steps that run as another user: whoever is in the run may push for the run.
      { path: '.docker/config.json', mode: 0o644, content: config },
    ];
    const [door, file] = await Promise.all([this.fileDoor(), packEntries(entries)]);
    await this.#context.make(() =>
      this.#context.api.json({ method: 'PUT', path: `/containers/${door}/archive`, query: { path: HOME_PATH }, file }),
    );
  }

  async #makeDoor(): Promise<string> {
    const [image, mounts] = await Promise.all([this.#context.holderImage(), this.mounts()]);
    const Binds = mounts.map(([source, target]) => `${source}:${target}:nocopy`);
    const HostConfig = { NetworkMode: 'none', Binds: Binds.map((bind) => bind.replace(/^(\/[^:]*:[^:]*):nocopy$/, '$1')) };
    const existing = (await this.#context.existing()).containers.find(({ name }) => name === this.#context.name('files'));
    if (existing !== undefined) return existing.id;
    const body = { Image: image.reference, Labels: this.#context.labels, HostConfig };
    try {
      return await this.#context.make(() => createContainer(this.#context.api, [this.#context.name('files')], body));
    } catch (error) {
      throw toEngineError(error, 'Making the door to the workspace');
    }
  }
}
