import { containerEngineContract, type EngineUnderTest } from '../contract/container-engine.ts';
import { durableEngineContract } from '../contract/durable-engine.ts';
import { request } from '../contract/run-spec.ts';
import { createFakeEngine } from '../fakes/fake-engine.ts';

const subject: EngineUnderTest = {
  open: async () => createFakeEngine(),
  request: (step, behaviour, overrides) =>
    request(
      step,
      {
        env: [
          ...(behaviour.stdout === undefined ? [] : [`FAKE_OUTPUT=${behaviour.stdout}`]),
          ...(behaviour.stderr === undefined ? [] : [`FAKE_STDERR=${behaviour.stderr}`]),
          ...(behaviour.exitCode === undefined ? [] : [`FAKE_EXIT_CODE=${behaviour.exitCode}`]),
          ...(behaviour.forever === true ? ['FAKE_SLEEP_MS=600000'] : []),
          ...(behaviour.ignoresTerm === true ? ['FAKE_IGNORE_TERM=1'] : []),
          ...(behaviour.noSuchCommand === true ? ['FAKE_START_FAIL=no such command'] : []),
        ],
      },
      overrides,
    ),
};
containerEngineContract('fake', subject);
durableEngineContract('fake', subject);
