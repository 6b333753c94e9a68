import type { EngineUnderTest } from './container-engine.ts';
import { request, script } from './run-spec.ts';

/** Makes containers of a real engine behave by scripts of the image's shell. */
export const shellBehaviour: EngineUnderTest['request'] = (step, behaviour, overrides) => {
  if (behaviour.noSuchCommand === true) return request(step, { args: ['no-such-command'] }, overrides);
  const lines = [
    // A process 1 without a handler never gets SIGTERM, so what shall end by it has one.
    // Likewise what shall survive it: an engine may kill at once a process that the signal cannot reach.
    behaviour.ignoresTerm === true ? 'trap ":" TERM' : 'trap "exit 143" TERM',
    ...(behaviour.stdout === undefined ? [] : [`printf %s '${behaviour.stdout}'`]),
    ...(behaviour.stderr === undefined ? [] : [`printf %s '${behaviour.stderr}' >&2`]),
    ...(behaviour.forever === true ? ['while :; do sleep 1000 & wait; done'] : []),
    `exit ${behaviour.exitCode ?? 0}`,
  ];
  return script(step, lines.join('\n'), {}, overrides);
};
