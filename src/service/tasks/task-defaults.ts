/** What a daemon gives to tasks and runs that do not say it, and the limits that it sets. */
export interface TaskDefaults {
  /** Of the daemon's machine: Go names. */
  readonly platform: { readonly os: string; readonly architecture: string };
  /** `.Run.Registry`; empty for none. */
  readonly registry: string;
  readonly agentPoolName: string;
  readonly cpu: number;
  /** Of a run, in seconds. ACR: 3600, from 300 to 28800. */
  readonly timeout: { readonly standard: number; readonly least: number; readonly most: number };
  /** Exit conditions have their evident meaning in runs that do not say. */
  readonly extended: boolean;
  /** Repositories of the daemon's own machine (`file://`) may be contexts and be followed; false unless given. */
  readonly allowFileGit?: boolean;
}

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** ACR's defaults, with the architecture of this machine. */
export function standardTaskDefaults(nodeArchitecture: string): TaskDefaults {
  return {
    platform: { os: 'linux', architecture: GO_ARCHITECTURES[nodeArchitecture] ?? nodeArchitecture },
    registry: '',
    agentPoolName: 'default',
    cpu: 2,
    timeout: { standard: 3600, least: 300, most: 28_800 },
    extended: false,
  };
}
