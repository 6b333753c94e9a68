import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startRegistry } from '../../support/registry-server.ts';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { endOf, startText } from '../workload.ts';

/** Uploads meet 503, 429 and cut connections; the push gets through, and nothing is built twice. */
export const registryOutage: Fault = {
  name: 'registry outage',
  about: 'a registry that refuses, throttles and cuts off pushes for a while',
  run: async ({ rounds, random }) => {
    await using registry = await startRegistry();
    await using daemon = await startChaosDaemon();
    const lost: string[] = [];
    const doubled: string[] = [];
    let faults = 0;
    for (let round = 0; round < rounds; round += 1) {
      let left = Math.ceil(random.between(1, 3));
      const proxy = await startFaultProxy(registry.host, ({ method }) => {
        if (method === 'GET' || method === 'HEAD' || left <= 0 || random.next() < 0.5) return undefined;
        left -= 1;
        const kind = random.next();
        if (kind < 0.34) return 'cut';
        return kind < 0.67 ? { status: 503 } : { status: 429, headers: { 'retry-after': '1' } };
      });
      try {
        const name = `${proxy.host}/chaos/image:${round}`;
        const text = `steps:\n  - id: build\n    build: -t ${name} - < Dockerfile\n`;
        const dockerfile = `FROM busybox:local\\nRUN echo ${random.next()} > /x\\n`;
        const run = await startText(
          daemon,
          text.replace(/build: .*/, `cmd: busybox:local sh -c 'printf "${dockerfile}" > /workspace/Dockerfile'`) +
            `  - id: image\n    build: -t ${name} .\n    when: [build]\n  - id: push\n    push: [${name}]\n    when: [image]\n`,
        );
        const ended = await endOf(daemon, run);
        if (ended?.status !== 'Succeeded') lost.push(`${run} ended as ${ended?.status}: ${ended?.runErrorMessage ?? ''}`);
        const events = await daemon.api<{ items: { type: string }[] }>('GET', `/api/v1/runs/${run}/events?after=0`);
        const built = events.body.items.filter(({ type }) => type === 'image-built').length;
        if (built > 1) doubled.push(`${run} was built ${built} times`);
        faults += proxy.faults.length;
      } finally {
        await proxy.stop();
      }
    }
    return { runs: rounds, lost, doubled, notes: `${faults} faults met` };
  },
};
