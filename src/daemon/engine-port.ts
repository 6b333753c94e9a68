import type { ContainerEngine } from '../model/ports/container-engine.ts';

/** Variables that say where the engine is. Nothing else of the daemon's environment is within reach of a step. */
const ENGINE_VARIABLES = [
  ...['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'],
  ...['HOME', 'XDG_RUNTIME_DIR', 'CONTAINER_HOST'],
];

export function engineEnvironment(environment: NodeJS.ProcessEnv): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(ENGINE_VARIABLES.map((name) => [name, environment[name]]));
}

/** An engine that need not be there yet: it is looked for at the first call, and again after a failure. */
export function createEnginePort(options: {
  readonly endpoint: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
}): ContainerEngine {
  let opening: Promise<ContainerEngine> | undefined;
  const open = async (): Promise<ContainerEngine> => {
    const { createDockerEngine } = await import('../container/docker-engine.ts');
    return createDockerEngine({
      environment: engineEnvironment(options.environment),
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    });
  };
  const engine = (): Promise<ContainerEngine> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    describe: async () => (await engine()).describe(),
    openRun: async (spec) => (await engine()).openRun(spec),
    findImage: async (reference) => (await engine()).findImage(reference),
    removeImage: async (reference) => (await engine()).removeImage(reference),
    collect: async (request) => (await engine()).collect(request),
    collectRuns: async (request) => (await engine()).collectRuns(request),
    close: async () => {
      if (opening !== undefined) await (await opening).close();
    },
  };
}
