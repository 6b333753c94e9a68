import { contextText } from '../../model/context-text.ts';
import type { BuildSpec, ContainerSpec, DockerRunFlags, PlanCmdStep, PlanStep } from '../../model/plan.ts';

const WORKSPACE = '/workspace';
const HOME = '/acb/home';

/**
 * The argv of what a step does, in the words of the docker client (a person can paste it; this program itself speaks to the
 * engine's API). A push step has one command an image.
 */
export function commandLines(step: PlanStep, options: { readonly dockerSocket: boolean; readonly workspace: string }): string[][] {
  switch (step.kind) {
    case 'cmd':
      return [[...runWords(step, options), ...imageWords(step.container)]];
    case 'build':
      return [buildWords(step.build)];
    case 'push':
      return step.images.map((image) => ['docker', 'push', image]);
  }
}

function runWords(step: PlanCmdStep, options: { readonly dockerSocket: boolean; readonly workspace: string }): string[] {
  const { container } = step;
  const [entrypoint] = container.entrypoint ?? [];
  return [
    'docker',
    'run',
    ...flag('--rm', !step.keep),
    ...flag('--detach', step.detach),
    ...each('-p', container.ports),
    ...each('--expose', container.expose),
    ...flag('--privileged', container.privileged),
    ...value('--user', container.user),
    ...value('--network', networkName(container)),
    ...value('--isolation', container.isolation),
    ...value('--cpus', container.cpus),
    ...value('--platform', container.platform),
    ...value('--entrypoint', entrypoint),
    ...extraWords(container.extra),
    '--name',
    step.id,
    '--volume',
    `${options.workspace}:${WORKSPACE}`,
    ...(options.dockerSocket ? ['--volume', '/var/run/docker.sock:/var/run/docker.sock'] : []),
    '--volume',
    `home:${HOME}`,
    ...each(
      '--volume',
      container.volumeMounts.map((mount) => `${mount.name}:${mount.mountPath}`),
    ),
    ...each('--env', container.env),
    ...value('--workdir', container.workdir),
  ];
}

function imageWords(container: ContainerSpec): string[] {
  return [container.image, ...(container.entrypoint ?? []).slice(1), ...container.args];
}

function networkName(container: ContainerSpec): string | undefined {
  const { network } = container;
  if (network.kind === 'default') return undefined;
  if (network.kind === 'mode') return network.mode;
  return network.name;
}

function extraWords(extra: DockerRunFlags): string[] {
  return [
    ...flag('--tty', extra.tty),
    ...flag('--interactive', extra.interactive),
    ...flag('--init', extra.init),
    ...flag('--read-only', extra.readOnly),
    ...value('--memory', extra.memory),
    ...value('--memory-swap', extra.memorySwap),
    ...value('--cpu-shares', extra.cpuShares),
    ...value('--cpuset-cpus', extra.cpusetCpus),
    ...value('--pids-limit', extra.pidsLimit),
    ...value('--shm-size', extra.shmSize),
    ...each('--ulimit', extra.ulimits),
    ...each('--cap-add', extra.capAdd),
    ...each('--cap-drop', extra.capDrop),
    ...each('--security-opt', extra.securityOpt),
    ...each('--device', extra.devices),
    ...each('--dns', extra.dns),
    ...each('--add-host', extra.addHost),
    ...value('--hostname', extra.hostname),
    ...each('--label', extra.labels),
    ...each('--mount', extra.mounts),
    ...each('--tmpfs', extra.tmpfs),
    ...each('--volumes-from', extra.volumesFrom),
    ...each('--volume', extra.volumes),
    ...each('--group-add', extra.groupAdd),
    ...each('--sysctl', extra.sysctls),
    ...value('--pid', extra.pid),
    ...value('--ipc', extra.ipc),
    ...value('--stop-signal', extra.stopSignal),
    ...each('--network-alias', extra.networkAlias),
    ...value('--runtime', extra.runtime),
    ...value('--pull', extra.pull),
  ];
}

function buildWords(spec: BuildSpec): string[] {
  return [
    'docker',
    'build',
    ...each('--tag', spec.tags),
    ...value('--file', spec.dockerfile),
    ...each('--build-arg', spec.buildArgs),
    ...value('--target', spec.target),
    ...each('--platform', spec.platforms),
    ...flag('--no-cache', spec.noCache),
    ...(spec.pull === 'auto' ? [] : [spec.pull === 'always' ? '--pull' : '--pull=false']),
    ...each('--label', spec.labels),
    ...value('--network', spec.network),
    ...each('--add-host', spec.addHosts),
    ...cacheWords(spec),
    ...resourceWords(spec),
    ...flag('--squash', spec.squash),
    ...each('--security-opt', spec.securityOpt),
    ...each('--secret', spec.secrets),
    ...each('--ssh', spec.ssh),
    ...each('--output', spec.outputs),
    ...each('--build-context', spec.buildContexts),
    ...value('--iidfile', spec.iidfile),
    ...value('--metadata-file', spec.metadataFile),
    ...flag('--quiet', spec.quiet),
    ...(spec.progress === 'auto' ? [] : [`--progress=${spec.progress}`]),
    contextText(spec.context),
  ];
}

function cacheWords(spec: BuildSpec): string[] {
  const registryCache = spec.cacheRef === undefined ? undefined : `type=registry,ref=${spec.cacheRef}`;
  return [
    ...each('--cache-from', registryCache === undefined ? spec.cacheFrom : [registryCache, ...spec.cacheFrom]),
    ...each('--cache-to', registryCache === undefined ? spec.cacheTo : [`${registryCache},mode=max`, ...spec.cacheTo]),
  ];
}

function resourceWords(spec: BuildSpec): string[] {
  return [
    ...value('--shm-size', spec.shmSize),
    ...each('--ulimit', spec.ulimits),
    ...value('--memory', spec.memory),
    ...value('--memory-swap', spec.memorySwap),
    ...value('--cpu-shares', spec.cpuShares),
    ...value('--cpu-period', spec.cpuPeriod),
    ...value('--cpu-quota', spec.cpuQuota),
    ...value('--cpuset-cpus', spec.cpusetCpus),
    ...value('--cpuset-mems', spec.cpusetMems),
    ...value('--cgroup-parent', spec.cgroupParent),
    ...value('--isolation', spec.isolation),
  ];
}

function flag(name: string, given: boolean | undefined): string[] {
  return given === true ? [name] : [];
}

function value(name: string, given: string | number | undefined): string[] {
  return given === undefined || given === '' ? [] : [name, String(given)];
}

function each(name: string, given: readonly string[] | undefined): string[] {
  return (given ?? []).flatMap((entry) => [name, entry]);
}
