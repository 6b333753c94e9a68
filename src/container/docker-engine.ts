import { homedir } from 'node:os';
import type { Clock } from '../model/ports/clock.ts';
import type {
  CollectedThing,
  ContainerEngine,
  EngineDescription,
  EngineImage,
  RunSpace,
  RunSpaceSpec,
} from '../model/ports/container-engine.ts';
import { systemClock } from '../util/clock.ts';
import { KeyedLock } from '../util/keyed-lock.ts';
import { connect, type EngineConnection } from './connect.ts';
import { describeEngine } from './describe-engine.ts';
import { chooseEndpoint, type EngineEndpoint, socketOnEngineHost } from './endpoint.ts';
import { EngineApi, isRefusal, toEngineError } from './engine-api.ts';
import { ensureHolderImage } from './holder-image.ts';
import type { ImageBuilder } from './image-builder.ts';
import { imagePath } from './image-name.ts';
import { collectLeftovers, collectOwned } from './leftovers.ts';
import { once } from './once.ts';
import { RunContext } from './run-context.ts';
import { DockerRunSpace } from './run-space.ts';
import { StartGate } from './start-gate.ts';

export interface DockerEngineOptions {
  /** `unix:///path`, `tcp://host:port` or `ssh://user@host`; by default what a docker client would choose. */
  readonly endpoint?: string;
  /** Where DOCKER_HOST and its kin are looked up, and variables that a step names without a value. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory?: string;
  readonly clock?: Clock;
}

/**
 * An engine that speaks Docker's API: Docker Engine 20.10 and newer, Podman through its compatible socket.
 * Rejects with EngineError `engine-unreachable` when no endpoint can be chosen; whether one answers shows at the first call.
 */
export async function createDockerEngine(options: DockerEngineOptions = {}): Promise<ContainerEngine> {
  const environment = options.environment ?? process.env;
  const sources = { environment, homeDirectory: options.homeDirectory ?? homedir(), userId: process.getuid?.() ?? 0 };
  const endpoint = await chooseEndpoint(options.endpoint, sources);
  return new DockerEngine(endpoint, await connect(endpoint), environment, options.clock ?? systemClock);
}

const STARTS_PER_CPU = 3;

class DockerEngine implements ContainerEngine {
  readonly #endpoint: EngineEndpoint;
  readonly #connection: EngineConnection;
  readonly #api: EngineApi;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #clock: Clock;
  readonly #tagLocks = new KeyedLock();
  #startGate: StartGate | undefined;
  readonly #description = retryableOnce(() => describeEngine(this.#api, this.#endpoint));
  readonly #builder: () => Promise<ImageBuilder> = retryableOnce(async () => {
    const { createImageBuilder } = await import('./build/build-image.ts');
    return createImageBuilder(this.#connection.transport, await this.describe());
  });

  constructor(
    endpoint: EngineEndpoint,
    connection: EngineConnection,
    environment: Readonly<Record<string, string | undefined>>,
    clock: Clock,
  ) {
    this.#endpoint = endpoint;
    this.#connection = connection;
    this.#api = new EngineApi(connection.transport);
    this.#environment = environment;
    this.#clock = clock;
  }

  async describe(): Promise<EngineDescription> {
    return await this.#description();
  }

  async openRun(spec: RunSpaceSpec): Promise<RunSpace> {
    const description = await this.describe();
    this.#startGate ??= new StartGate(STARTS_PER_CPU * description.cpus);
    const engine = {
      kind: description.kind,
      hasInit: description.init === true,
      // Looked up in each run: somebody may have pruned the engine's images since the last one.
      holderImage: once(() => ensureHolderImage(this.#api, description)),
      startGate: this.#startGate,
    };
    const context = new RunContext(this.#api, spec, engine);
    return new DockerRunSpace(spec, {
      context,
      existing: await context.existing(),
      builder: this.#builder,
      tagLocks: this.#tagLocks,
      pack: async (directory, ignore) => {
        const { packDirectory } = await import('./build/context-tar.ts');
        return packDirectory(directory, ignore);
      },
      socketPath: socketOnEngineHost(this.#endpoint),
      environment: this.#environment,
    });
  }

  async findImage(reference: string): Promise<EngineImage | undefined> {
    try {
      const image = await this.#api.json<{
        Id: string;
        RepoTags?: readonly string[] | null;
        RepoDigests?: readonly string[] | null;
        Os: string;
        Architecture: string;
      }>({ method: 'GET', path: `/images/${imagePath(reference)}/json` });
      return {
        id: image.Id,
        tags: image.RepoTags ?? [],
        repoDigests: image.RepoDigests ?? [],
        os: image.Os,
        architecture: image.Architecture,
      };
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw toEngineError(error, `Looking up image ${reference}`);
    }
  }

  async removeImage(reference: string): Promise<'removed' | 'missing' | 'used'> {
    try {
      await this.#api.json({ method: 'DELETE', path: `/images/${imagePath(reference)}` });
      return 'removed';
    } catch (error) {
      if (isRefusal(error, 404)) return 'missing';
      if (isRefusal(error, 409)) return 'used';
      throw toEngineError(error, `Removing image ${reference}`);
    }
  }

  async collect(options: {
    readonly olderThanMs: number;
    readonly dryRun: boolean;
    readonly signal?: AbortSignal;
  }): Promise<readonly CollectedThing[]> {
    return await collectLeftovers(this.#api, options, this.#clock.now().getTime());
  }

  async collectRuns(options: {
    readonly owner: string;
    live(): ReadonlySet<string> | Promise<ReadonlySet<string>>;
    readonly signal?: AbortSignal;
  }): Promise<readonly CollectedThing[]> {
    return await collectOwned(this.#api, options);
  }

  async close(): Promise<void> {
    this.#connection.close();
  }
}

/** A shared value that is made again after a failure. */
function retryableOnce<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
