import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import { CANCELED, resultOfError } from '../../src/run/work-result.ts';

const going = new AbortController().signal;

describe('resultOfError', () => {
  it("tells the user's mistakes from broken environments", () => {
    expect(resultOfError(new EngineError('dockerfile-missing', 'no Dockerfile'), going)).toEqual({
      status: 'failed',
      because: 'no Dockerfile',
      timedOut: false,
    });
    expect(resultOfError(new EngineError('context-rejected', 'leads out'), going)).toMatchObject({
      status: 'failed',
      because: 'leads out',
    });
    expect(resultOfError(new EngineError('registry-unreachable', 'gone'), going)).toEqual({
      status: 'errored',
      because: 'gone',
      errorCode: 'registry-unreachable',
    });
    expect(resultOfError(new TypeError('x is undefined'), going)).toMatchObject({ status: 'errored', errorCode: 'internal' });
  });

  it('takes any error for the cancellation once there is one', () => {
    expect(resultOfError(new EngineError('engine-failed', 'cut off'), AbortSignal.abort())).toEqual(CANCELED);
  });
});
