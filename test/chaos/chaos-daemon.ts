import { type DaemonOptions, startDaemon, type TestDaemon } from '../support/daemon.ts';

/** Owner labels of the daemons that faults started since this was last asked for. */
let owners: string[] = [];

/** A daemon of a fault: what it leaves in the engine is counted at the end. */
export async function startChaosDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  const daemon = await startDaemon(options);
  const { body } = await daemon.api<{ daemonId: string }>('GET', '/api/v1/version');
  owners.push(`daemon/${body.daemonId}`);
  return daemon;
}

export function takeOwners(): readonly string[] {
  const taken = owners;
  owners = [];
  return taken;
}
