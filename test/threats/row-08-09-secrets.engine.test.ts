import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProcess } from '../../src/util/process.ts';
import { makeTar } from '../archive/tar-maker.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { waitFor } from '../support/wait-for.ts';
import { begin, ended, filesWith, inlineRun, runToEnd, upload } from './threat-rig.ts';

const canary = (name: string): string => `${name}/+?&"'${randomBytes(9).toString('hex')}`;
const SECRETS = {
  named: canary('named'),
  sealed: canary('sealed'),
  password: canary('password'),
  token: canary('token'),
  run: canary('run'),
};
const LINES = [canary('first'), canary('second')];
const MULTI = `${LINES.join('\n')}\n`;
const ALL = [...Object.values(SECRETS), ...LINES];

/** The texts that stand for a secret wherever somebody looks for it. */
const forms = (secret: string): readonly string[] => [
  secret,
  secret.slice(-18),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('base64url'),
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
];
const FORMS = ALL.flatMap(forms);

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
  for (const [name, value] of [
    ['named', SECRETS.named],
    ['multi', MULTI],
  ] as const) {
    expect((await daemon.api('PUT', `/api/v1/secrets/${name}`, { value })).status).toBe(200);
  }
});
afterAll(() => daemon[Symbol.asyncDispose]());

const docker = (...args: string[]) =>
  runProcess({ file: 'docker', args, env: { PATH: process.env['PATH'] ?? '' }, maxOutput: 64 * 2 ** 20 });

/** Everything that the API shows of runs, tasks and what was done. */
async function shown(): Promise<string> {
  const { body: list } = await daemon.api<{ items: { runId: string }[] }>('GET', '/api/v1/runs?top=100');
  const sse = { headers: { accept: 'text/event-stream' } };
  const ofRuns = list.items.flatMap(({ runId }) => [
    daemon.api('GET', `/api/v1/runs/${runId}`),
    daemon.api('GET', `/api/v1/runs/${runId}/log`),
    daemon.api('GET', `/api/v1/runs/${runId}/events?top=1000`),
    daemon.api('GET', `/api/v1/runs/${runId}/events?logs=true`, undefined, sse),
  ]);
  const paths = [
    'tasks',
    'tasks/with-secrets',
    'tasks/with-secrets/credentials',
    'secrets',
    'audit?top=1000',
    'tokens',
    'queue',
    'agents',
    'me',
  ];
  const answers = await Promise.all([
    ...ofRuns,
    ...paths.map((path) => daemon.api('GET', `/api/v1/${path}`)),
    daemon.api('GET', '/metrics'),
  ]);
  return answers.map(({ body }) => (typeof body === 'string' ? body : JSON.stringify(body))).join('\n');
}

/** Raw, and as it stands inside JSON. */
function expectNoneIn(text: string): void {
  expect(FORMS.filter((form) => text.includes(form) || text.includes(JSON.stringify(form).slice(1, -1)))).toStrictEqual([]);
}

const withFile = (script: string): string =>
  `version: v1.1.0
secrets:
  - id: named
    keyvault: secret://named
  - id: multi
    keyvault: secret://multi
volumes:
  - name: keys
    secret:
      named: '{{ .Secrets.named | b64enc }}'
      multi: '{{ .Secrets.multi | b64enc }}'
steps:
  - id: one
    cmd: busybox:local sh /keys-reader/script
    volumeMounts:
      - {name: keys, mountPath: /keys}
      - {name: script, mountPath: /keys-reader}
`.replace('steps:', `  - name: script\n    secret:\n      script: ${Buffer.from(script).toString('base64')}\nsteps:`);

/** How people leak: whole, encoded, cut in pieces, line by line, on both streams, in what tells of a failure. */
const LEAKS = `
for f in named multi; do
  cat /keys/$f; echo
  cat /keys/$f >&2; echo >&2
  echo "in the middle of $(cat /keys/$f) a line"
  base64 -w 0 < /keys/$f; echo
  printf 'x%s' "$(cat /keys/$f)" | base64 -w 0; echo
  printf 'xy%s' "$(cat /keys/$f)" | base64 -w 0; echo
  od -An -v -tx1 < /keys/$f | tr -d ' \\n'; echo
  dd if=/keys/$f bs=1 2>/dev/null
  echo
done
while read -r line; do printf '%s' "$line"; usleep 30000 2>/dev/null; printf ' tail\\n'; done < /keys/multi
half=$(head -c 12 /keys/named); rest=$(tail -c +13 /keys/named)
printf '%s' "$half"; usleep 500000; printf '%s\\n' "$rest"
exit 3
`;

describe('threat 8: secrets that steps print', () => {
  it('are masked before they are anywhere: log, events, files, errors', async () => {
    const { run, log } = await runToEnd(daemon, inlineRun(withFile(LEAKS)));
    expect([run.status, log.includes('in the middle of')]).toStrictEqual(['Failed', true]);
    expectNoneIn(await shown());
    expect(await filesWith(daemon.data, FORMS)).toStrictEqual([]);
    expectNoneIn(daemon.stderr);
  });

  it('are masked in what a broken task, a missing image and a bad flag say of themselves', async () => {
    const head = 'version: v1.1.0\nsecrets:\n  - id: named\n    keyvault: secret://named\n';
    const bad = [
      `${head}steps:\n  - cmdx: {{ .Secrets.named | quote }}\n`,
      `${head}steps:\n  - id: {{ .Secrets.named | quote }}\n    cmd: busybox:local true\n`,
      `${head}steps:\n  - cmd: {{ printf "localhost:1/%s" .Secrets.named | quote }}\n`,
      `${head}steps:\n  - cmd: {{ printf "--memory %s busybox:local" .Secrets.named | quote }}\n`,
      `${head}steps:\n  - cmd: busybox:local true\n    workingDirectory: {{ .Secrets.named | quote }}\n`,
      `${head}{{ fail .Secrets.named }}\nsteps: []\n`,
      `${head}steps: {{ .Secrets.named }}: [}\n`,
    ];
    for (const text of bad) await runToEnd(daemon, inlineRun(text));
    expectNoneIn(await shown());
    expectNoneIn(daemon.stderr);
    expect(await filesWith(daemon.data, FORMS)).toStrictEqual([]);
  });
});

describe('threat 9: secrets at rest and in sight of others', () => {
  it('are in no file, no row and no answer of the daemon, whichever way they came', async () => {
    const task = {
      name: 'with-secrets',
      step: {
        encodedTaskContent: Buffer.from(
          [
            'version: v1.1.0',
            'steps:',
            '  - id: one',
            "    cmd: busybox:local sh -c 'echo has ${#SEALED} of it; echo $SEALED | base64 -d; echo; echo $RUN | base64 -d; echo'",
            '    env:',
            '      - {{ printf "SEALED=%s" (b64enc .Values.sealed) | quote }}',
            '      - {{ printf "RUN=%s" (b64enc .Values.run) | quote }}',
            '',
          ].join('\n'),
        ).toString('base64'),
        values: [{ name: 'sealed', isSecret: true, value: { plain: SECRETS.sealed } }],
        contextAccessToken: { plain: SECRETS.token },
      },
      credentials: [{ loginServer: 'registry.example:5000', userName: 'user', password: { plain: SECRETS.password } }],
    };
    expect((await daemon.api('POST', '/api/v1/tasks', task)).status).toBe(201);
    const overrides = { values: [{ name: 'run', isSecret: true, value: { plain: SECRETS.run } }] };
    const { run, log } = await runToEnd(daemon, { type: 'TaskRunRequest', task: 'with-secrets', overrideTaskStepProperties: overrides });
    expect([run.status, log]).toStrictEqual(['Succeeded', expect.stringMatching(/^has \d\d of it/)]);
    expectNoneIn(await shown());
    await daemon.stop();
    // Everything is on the disk now, what the database has in its journal too.
    expect(await filesWith(daemon.data, FORMS)).toStrictEqual([]);
    await daemon.start();
  });

  it('are in no description of a container and on no command line while a step has them as a file', async () => {
    const id = await begin(
      daemon,
      inlineRun(withFile('cat /keys/named > /dev/null; echo has it; while [ ! -e /tmp/end ]; do usleep 100000; done')),
    );
    const container = await waitFor(async () => {
      const { body } = await daemon.api<{ steps: { container?: string }[] }>('GET', `/api/v1/runs/${id}`);
      const { body: log } = await daemon.api<string>('GET', `/api/v1/runs/${id}/log`);
      return log.includes('has it') ? body.steps[0]?.container : undefined;
    }, 60_000);
    const inspected = await docker('inspect', container);
    expect(inspected.kind === 'exited' && inspected.stdout.length > 100).toBe(true);
    expectNoneIn(inspected.stdout.toString());
    const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const words = await Promise.all(processes.map((name) => readFile(join('/proc', name, 'cmdline'), 'utf8').catch(() => '')));
    expect(words.join('\0')).toContain('/keys-reader/script');
    expectNoneIn(words.join('\n').replaceAll('\0', ' '));
    expect(await filesWith(daemon.data, FORMS)).toStrictEqual([]);
    await daemon.api('POST', `/api/v1/runs/${id}/cancel`);
    await ended(daemon, id);
  });

  it('of a build are in no layer and no history of its image', async () => {
    const tag = `slipway-threat-9:${randomBytes(4).toString('hex')}`;
    const text = `version: v1.1.0\nsecrets:\n  - id: named\n    keyvault: secret://named\nsteps:\n  - build: --secret id=named -t ${tag} .\n`;
    const dockerfile =
      '# syntax-free\nFROM busybox:local\nRUN --mount=type=secret,id=named grep -q named /run/secrets/named && cat /run/secrets/named && echo done > /proof\n';
    const { sha256 } = await upload(daemon, makeTar([{ name: 'Dockerfile', body: dockerfile }]));
    try {
      const { run } = await runToEnd(daemon, inlineRun(text, { sourceLocation: `upload:${sha256}` }));
      expect(run.status).toBe('Succeeded');
      const history = await docker('history', '--no-trunc', tag);
      const saved = await docker('save', tag);
      expect(saved.stdout.includes('proof')).toBe(true);
      expectNoneIn(history.stdout.toString());
      expect(FORMS.filter((form) => saved.stdout.includes(form))).toStrictEqual([]);
      expectNoneIn(await shown());
    } finally {
      await docker('rmi', '-f', tag);
    }
  });
});
