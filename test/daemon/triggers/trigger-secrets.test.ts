import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Settings } from '../../../src/config/settings.ts';
import { daemonSettings } from '../../../src/daemon/daemon-settings.ts';
import { createTriggerSecrets } from '../../../src/daemon/triggers/trigger-secrets.ts';
import { EngineError } from '../../../src/model/engine-error.ts';
import { SECRET_FIELDS, taskSecretBinding } from '../../../src/model/ports/secret-box.ts';
import type { SecretRef, TaskDefinition, TaskRecord } from '../../../src/model/task-definition.ts';
import type { BaseImageTrigger, SourceTrigger } from '../../../src/model/trigger-definition.ts';
import { createSecretBox } from '../../../src/service/secret-box.ts';
import type { AddressPolicy } from '../../../src/util/address-policy.ts';
import { taskDefinition } from '../../contract/store-values.ts';
import { startRegistry } from '../../support/registry-server.ts';

const box = createSecretBox(randomBytes(32));
const VALUES: Readonly<Record<string, string>> = { GIT: 'git-token', PW: 'registry-password' };

function sealed(task: string, field: string, value: string): SecretRef {
  return { sealed: Buffer.from(box.seal(value, taskSecretBinding(task, field))).toString('base64') };
}

function recordOf(name: string, parts: Partial<TaskDefinition>): TaskRecord {
  return { id: `id-${name}`, version: 1, createdAt: '', updatedAt: '', definition: taskDefinition(name, parts) };
}

const OPEN: AddressPolicy = { allowPrivate: true, allowLoopback: true };

function secretsOf(tasks: readonly TaskRecord[], refused: readonly string[] = [], addresses = OPEN) {
  return createTriggerSecrets({
    tasks: { get: async (name) => tasks.find(({ definition }) => definition.name === name) },
    secrets: {
      resolveNamed: async (names, { task }) => {
        if (refused.includes(task ?? '')) throw new EngineError('policy-refused', `not for ${task}`);
        return Object.fromEntries(names.map((name) => [name, VALUES[name] ?? '']));
      },
    },
    ...{ box, environment: {}, addresses, insecureRegistries: [], trustedRealms: [] },
    onWarning: () => undefined,
  });
}

function source(repositoryUrl: string, token?: SecretRef): SourceTrigger {
  return {
    ...{ name: 'push', status: 'Enabled', sourceTriggerEvents: ['commit'], branches: [], tags: [], skipCi: false, latestOnly: false },
    ...{ paths: { include: [], exclude: [] }, forks: 'approve', commitStatus: true },
    sourceRepository: {
      ...{ sourceControlType: 'Gitea', repositoryUrl },
      ...(token === undefined ? {} : { sourceControlAuthProperties: { tokenType: 'PAT', token } }),
    },
  };
}

test('a repository is read with the token of its trigger, else with that of the context, which goes to no other host', async () => {
  const step = {
    ...({ type: 'FileTask', taskFilePath: 'acb.yaml', values: [], contextPath: 'https://git.example/me/app.git#main:dir' } as const),
    contextAccessToken: { secret: 'GIT' },
  };
  const task = recordOf('web', { step });
  const secrets = secretsOf([task]);
  const own = sealed('web', SECRET_FIELDS.sourceToken('push'), 'own-token');
  expect(await secrets.sourceToken(task, source('https://elsewhere.example/x.git', own))).toBe('own-token');
  expect(await secrets.sourceToken(task, source('https://git.example/other/lib.git'))).toBe('git-token');
  expect(await secrets.sourceToken(task, source('https://elsewhere.example/me/app.git'))).toBeUndefined();
  expect(await secrets.contextToken(task)).toBe('git-token');
});

test('tasks that name one credential have one, a sealed one is of its task alone, and others that of the machine', () => {
  const named = { loginServer: 'registry.example', userName: 'ci', password: { secret: 'PW' } };
  const own = (name: string) => ({ ...named, password: sealed(name, SECRET_FIELDS.password('registry.example'), 'own') });
  const [one, two] = [recordOf('one', { credentials: [named] }), recordOf('two', { credentials: [named] })];
  const [three, four] = ['three', 'four'].map((name) => recordOf(name, { credentials: [own(name)] }));
  const secrets = secretsOf([]);
  const name = (task: TaskRecord | undefined, host = 'registry.example'): string => secrets.registryCredential(task as TaskRecord, host);
  expect(name(one)).toBe(name(two));
  expect(new Set([name(one), name(three), name(four), 'default']).size).toBe(4);
  expect(name(one, 'docker.io')).toBe('default');
  const hub = recordOf('hub', { credentials: [{ ...named, loginServer: 'index.docker.io' }] });
  expect(name(hub, 'docker.io')).not.toBe('default');
});

test('a shared credential is opened by a task that still may', async () => {
  const credentials = [{ loginServer: 'registry.example', userName: 'ci', password: { secret: 'PW' } }];
  const [one, two] = [recordOf('one', { credentials }), recordOf('two', { credentials })];
  const name = secretsOf([]).registryCredential(one, 'registry.example');
  const allowed = secretsOf([one, two], ['two']);
  for (const task of [one, two]) allowed.registryCredential(task, 'registry.example');
  await expect(allowed.registry(name, 'registry.example')).resolves.toBeDefined();
  const refused = secretsOf([one, two], ['one', 'two']);
  for (const task of [one, two]) refused.registryCredential(task, 'registry.example');
  await expect(refused.registry(name, 'registry.example')).rejects.toMatchObject({ code: 'policy-refused' });
  await expect(secretsOf([one]).registry(name, 'registry.example')).rejects.toMatchObject({ code: 'secret-unavailable', transient: true });
});

test('the endpoint of updates is opened for its task', async () => {
  const endpoint = sealed('web', SECRET_FIELDS.updateTriggerEndpoint, 'https://hooks.example/x');
  const baseImageTrigger: BaseImageTrigger = {
    ...{ name: 'base', status: 'Enabled', baseImageTriggerType: 'Runtime', updateTriggerPayloadType: 'Default', trackIndex: false },
    ...{ tracks: [], updateTriggerEndpoint: endpoint },
  };
  const trigger = { sourceTriggers: [], timerTriggers: [], afterTriggers: [], baseImageTrigger };
  const secrets = secretsOf([]);
  expect(await secrets.updateEndpoint(recordOf('web', { trigger }))).toBe('https://hooks.example/x');
  await expect(secrets.updateEndpoint(recordOf('other', { trigger }))).rejects.toMatchObject({ code: 'secret-unavailable' });
});

test('registries of triggers are asked at allowed addresses only, with every credential', async () => {
  await using server = await startRegistry();
  const credentials = [{ loginServer: server.host, userName: 'ci', password: { secret: 'PW' } }];
  const task = recordOf('app', { credentials });
  const settings = (parts: Settings): AddressPolicy => daemonSettings(parts, { directory: '/', environment: {} }).registryAddresses;
  const ask = async (addresses: AddressPolicy): Promise<readonly string[]> => {
    const secrets = secretsOf([task], [], addresses);
    const registries = [
      await secrets.registryOf(task),
      await secrets.registry('default', server.host),
      await secrets.registry(secrets.registryCredential(task, server.host), server.host),
    ];
    const looks = registries.map((registry) => registry.look(`${server.host}/nothing:1`, { platforms: [] }));
    return Promise.all(
      looks.map((look) =>
        look.then(
          () => 'asked',
          (error: unknown) => (error instanceof EngineError ? error.code : 'other'),
        ),
      ),
    );
  };
  const [asked, refused] = ['asked', 'policy-refused'].map((word) => [word, word, word]);
  expect(await ask(settings({}))).toEqual(asked);
  expect(await ask(settings({ allowPrivateAddresses: false }))).toEqual(refused);
  expect(await ask(settings({ allowPrivateAddresses: false, allowLoopbackAddresses: true }))).toEqual(asked);
});
