import { positionOf } from '../model/diagnostic.ts';
import { EngineError } from '../model/engine-error.ts';
import { mountFields } from '../model/mount-fields.ts';
import type { BuildSpec, ContainerSpec, DockerRunFlags, Plan, PlanStep } from '../model/plan.ts';
import type { RunRequest } from '../model/run-record.ts';
import type { Task } from '../model/task.ts';
import type { TaskPolicy } from '../model/task-definition.ts';

/** Something that gives a step power over the machine, and what would allow it. */
interface Demand {
  readonly what: string;
  readonly needs: keyof TaskPolicy | 'trusted';
}

/** Options of `--security-opt` that take rights away. */
const HARMLESS_SECURITY = /^no-new-privileges(?:[:=]true)?$/;
const ENGINE_SOCKET = /\/(?:docker|podman|containerd)\.sock$/;

/**
 * Refuses a plan that asks for more of the machine than the request's policy grants (threat 10). Throws EngineError `policy-refused`, which
 * names every step, where it stands, what it asks for and what would allow that. Nothing allows it to an untrusted run.
 */
export function checkPolicy(plan: Plan, request: Pick<RunRequest, 'policy' | 'trust'>, task: Task): void {
  const trusted = request.trust === 'trusted';
  const granted = (needs: Demand['needs']): boolean => trusted && (needs === 'trusted' || request.policy[needs]);
  const refused = plan.steps.flatMap((step) =>
    demandsOf(step, plan.networks)
      .filter(({ needs }) => !granted(needs))
      .map((demand) => ({ step: step.id, ...demand })),
  );
  if (refused.length === 0) return;
  const words = refused.map(({ step, what }) => `the step ${JSON.stringify(step)}${placeOf(task, step)} asks for ${what}`);
  const policies = [...new Set(refused.map(({ needs }) => `\`policy.${needs}: true\``))];
  throw new EngineError('policy-refused', `the policy of this task does not allow it: ${words.join('; ')}`, {
    help: trusted
      ? `An admin can allow it by ${policies.join(' and ')} in the task's definition.`
      : 'The run is untrusted (it comes from a fork), and nothing allows it to such a run.',
  });
}

type Networks = Plan['networks'];

function demandsOf(step: PlanStep, networks: Networks): readonly Demand[] {
  if (step.kind === 'cmd') return containerDemands(step.container, networks);
  return step.kind === 'build' ? buildDemands(step.build, networks) : [];
}

function containerDemands({ privileged, network, extra }: ContainerSpec, networks: Networks): readonly Demand[] {
  return [
    ...when(privileged, 'privileged', '`privileged`'),
    ...networkDemands(network, networks),
    ...each(extra.capAdd, 'privileged', (capability) => `the capability ${capability}`),
    ...each(extra.devices, 'privileged', (device) => `the device ${device}`),
    ...each(extra.sysctls, 'privileged', (sysctl) => `the kernel setting ${sysctl}`),
    ...each(
      extra.securityOpt?.filter((option) => !HARMLESS_SECURITY.test(option)),
      'privileged',
      (option) => `\`--security-opt ${option}\``,
    ),
    ...when(isShared(extra.pid), 'privileged', `\`--pid ${extra.pid}\``),
    ...when(isShared(extra.ipc), 'privileged', `\`--ipc ${extra.ipc}\``),
    ...when(extra.runtime !== undefined, 'privileged', `\`--runtime ${extra.runtime}\``),
    ...mountDemands(extra),
  ];
}

function networkDemands(network: ContainerSpec['network'], networks: Networks): readonly Demand[] {
  if (network.kind === 'mode') return modeDemands(network.mode);
  return network.kind === 'task' ? namedDemands(network.name, networks) : [];
}

/** A network that the task file names is the run's own, unless the file says that it is there already or is made by a driver that reaches further. */
function namedDemands(name: string, networks: Networks): readonly Demand[] {
  const network = networks.find((one) => one.name === name);
  if (network === undefined || network.existing) return modeDemands(name);
  return when(network.driver !== '' && network.driver !== 'bridge', 'privileged', `a network of the driver ${network.driver}`);
}

function modeDemands(mode: string): readonly Demand[] {
  if (mode === '' || mode === 'none') return [];
  if (mode === 'host') return [{ what: 'the network of the host', needs: 'privileged' }];
  if (mode.startsWith('container:')) return [{ what: `the network of another container (${mode})`, needs: 'privileged' }];
  // `bridge` and `default` are what a container has anyway.
  return when(mode !== 'bridge' && mode !== 'default', 'trusted', `the network ${mode}, which does not belong to the run`);
}

/** Of the host or of another container. */
function isShared(mode: string | undefined): boolean {
  return mode === 'host' || mode?.startsWith('container:') === true;
}

/** Volumes by name outlive the run and may be anybody's: like folders of the host they are the machine's. */
function mountDemands(extra: DockerRunFlags): readonly Demand[] {
  const sources = [...(extra.volumes ?? []).flatMap(volumeSource), ...(extra.mounts ?? []).flatMap(mountSource)];
  return [
    ...sources.map(
      (source): Demand =>
        ENGINE_SOCKET.test(source)
          ? { what: `the engine's socket (${source})`, needs: 'dockerSocket' }
          : { what: `the mount ${source}`, needs: 'hostMounts' },
    ),
    ...each(extra.volumesFrom, 'hostMounts', (container) => `the volumes of the container ${container}`),
  ];
}

/** `SOURCE:TARGET[:OPTIONS]`; a target alone is a fresh volume. */
function volumeSource(word: string): readonly string[] {
  const colon = word.indexOf(':');
  return colon <= 0 ? [] : [word.slice(0, colon)];
}

/** Whatever cannot be read as a harmless mount counts as one of the host. */
function mountSource(word: string): readonly string[] {
  const fields = mountFields(word);
  const type = fields.get('type') ?? 'volume';
  if (type === 'tmpfs') return [];
  const source = fields.get('source');
  if (source !== undefined) return [source];
  return type === 'volume' ? [] : [word];
}

function buildDemands(build: BuildSpec, networks: Networks): readonly Demand[] {
  return [
    ...(build.network === undefined ? [] : namedDemands(build.network, networks)),
    ...each(build.securityOpt, 'privileged', (option) => `\`--security-opt ${option}\` for its build`),
    ...when(build.cgroupParent !== undefined, 'privileged', `the control group ${build.cgroupParent} for its build`),
    // Keys by `id=FILE` are files of the workspace.
    ...each(
      build.ssh.filter((ssh) => !ssh.includes('=')),
      'hostMounts',
      (ssh) => `the SSH agent of the machine (\`--ssh ${ssh}\`)`,
    ),
  ];
}

function when(applies: boolean, needs: Demand['needs'], what: string): readonly Demand[] {
  return applies ? [{ what, needs }] : [];
}

function each(words: readonly string[] | undefined, needs: Demand['needs'], what: (word: string) => string): readonly Demand[] {
  return (words ?? []).map((word) => ({ what: what(word), needs }));
}

function placeOf(task: Task, step: string): string {
  const range = task.steps.find(({ id }) => id === step)?.range;
  if (range === undefined) return '';
  const { line } = positionOf(range.source.text, range.start);
  return ` (${range.source.name}:${line})`;
}

/** The plan without variables that would take their values from the environment of this process: that is the daemon's, not the task's. */
export function withoutOwnEnvironment(plan: Plan): Plan {
  const steps = plan.steps.map((step) => {
    if (step.kind !== 'cmd' || step.container.env.every((entry) => entry.includes('='))) return step;
    return { ...step, container: { ...step.container, env: step.container.env.filter((entry) => entry.includes('=')) } };
  });
  return { ...plan, steps };
}
