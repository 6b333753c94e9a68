import { describe, expect, test } from 'vitest';
import { checkArguments, checkFrontend, checkImages } from '../../src/service/untrusted-dockerfile.ts';

const PINNED = `r.io/base@sha256:${'1'.repeat(64)}`;
const check = (text: string) => (): void => checkImages({ name: 'Dockerfile', text }, [PINNED, 'scratch']);

describe('a pinned Dockerfile of an untrusted run', () => {
  test.each([
    `FROM ${PINNED}\nRUN make\n`,
    `FROM --platform=$BUILDPLATFORM ${PINNED} AS Build\nFROM scratch\nCOPY --from=build --chown=1:1 /a /b\nCOPY --from=0 /a /b\n`,
    `FROM ${PINNED}\nRUN --mount=type=cache,target="/root/.cache" --mount=type=bind,from=${PINNED},target=/x ls --from=elsewhere\n`,
    `# escape=\`\nFROM ${PINNED} \`\n  AS build\nRUN dir c:\\\nFROM build\n`,
    `FROM ${PINNED}\nRUN <<EOF\nfrom flask import Flask\necho --from=x\nEOF\nCOPY a \\\n  # a comment\n  b /\n`,
    `\ufefffrom ${PINNED}\r\nrun echo from nowhere\r\n`,
  ])('may name what was looked up: %j', (text) => {
    expect(check(text)).not.toThrow();
  });

  test.each([
    'FROM private/app:1\n',
    `FROM ${PINNED}\nCOPY --from=private/app:1 /secret /\n`,
    `FROM ${PINNED}\nCOPY --"from"=private/app:1 /secret /\n`,
    `FROM ${PINNED}\nCOPY --fr\\om=private/app:1 /secret /\n`,
    `FROM ${PINNED}\nCOPY --chown=1 --from="private/app:1" /secret /\n`,
    `FROM ${PINNED}\nCOPY \\\n\n  # comment\n  --fr\\\nom=private/app:1 /secret /\n`,
    `FROM ${PINNED}\nCO\\\nPY --from=private/app:1 /secret /\n`,
    `FROM ${PINNED}\nRUN --mount=type=bind,target=/x,FROM=private/app:1 cat /x/secret\n`,
    `FROM ${PINNED}\nRUN --mount=type=bind,\\"from=private/app:1\\",target=/x cat /x/secret\n`,
    `FROM ${PINNED}\nRUN --network=none --mount=from=private/app:1,target=/x cat /x/secret\n`,
    `FROM ${PINNED}\nRUN <<EOF\nCOPY --from=private/app:1 /secret /\nEOF\n`,
    `FROM ${PINNED}\nRUN <<EOF\nFROM private/app:1\nEOF\n`,
    `FROM ${PINNED}\nRUN <<EOF\nFROM scratch AS private\nEOF\nCOPY --from=private /secret /\n`,
    `FROM ${PINNED}\nONBUILD COPY --from=private/app:1 /secret /\n`,
    'ARG BASE=private/app:1\nFROM ${BASE}\n',
    'FROM "private/app:1"\n',
  ])('may name nothing else, however a builder reads it: %j', (text) => {
    expect(check(text)).toThrow(/^an untrusted run does not build Dockerfile: /);
  });

  test('costs no more time than its length, whatever it is', () => {
    const lines = 40_000;
    const began = performance.now();
    for (const line of ['RUN \\\n', '\\\n', 'RUN --x \\\n', 'FROM \\\n', 'onbuild \\\n', 'a \\\n', 'r\\\n'])
      try {
        check(`FROM ${PINNED}\n${line.repeat(lines)}`)();
      } catch {
        // Refused or not: the time counts.
      }
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

test.each([
  '# syntax=docker/dockerfile:1\nFROM scratch\n',
  '\n#escape=\\\n#Syntax = x\nFROM scratch\n',
  '#!syntax=x\n',
  '// syntax=evil\nFROM scratch',
])('a frontend of its own is refused: %j', (text) => {
  expect(() => checkFrontend({ name: 'Dockerfile', text })).toThrow(/# syntax=/);
});

test('a comment below the first instruction chooses nothing', () => {
  expect(() => checkFrontend({ name: 'Dockerfile', text: 'FROM scratch\n# syntax=x\n' })).not.toThrow();
});

test('no build argument chooses a frontend', () => {
  expect(() => checkArguments({ buildArgs: ['A=1', 'BUILDKIT_SYNTAX=evil/frontend'] })).toThrow(/BUILDKIT_SYNTAX/);
  expect(() => checkArguments({ buildArgs: ['BUILDKIT_SYNTAX'] })).toThrow(/BUILDKIT_SYNTAX/);
  expect(() => checkArguments({ buildArgs: ['BUILDKIT_SYNTAX_NOTE=1'] })).not.toThrow();
});
