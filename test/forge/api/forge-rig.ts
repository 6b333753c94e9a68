import { createForges } from '../../../src/forge/api/forges.ts';
import { EngineError } from '../../../src/model/engine-error.ts';
import type { ForgeHook } from '../../../src/model/ports/forge.ts';
import type { CommitStatus } from '../../../src/model/ports/status-store.ts';
import type { SourceControlType } from '../../../src/model/trigger-definition.ts';
import { createHttpClient } from '../../../src/util/http.ts';
import { azureApi, bitbucketApi } from '../../fakes/cloud-forge-apis.ts';
import { type ForgeState, forgeState, giteaApi, githubApi, gitlabApi } from '../../fakes/forge-apis.ts';
import { type FakeForge, reroute, startForge } from '../../fakes/forges.ts';

export type ApiKind = Exclude<SourceControlType, 'Generic'>;
export const API_KINDS: readonly ApiKind[] = ['Github', 'GitLab', 'Gitea', 'Bitbucket', 'VisualStudioTeamService'];

export const COMMIT = '6dcb09b5b57875f334f61aebed695e2e4193db5e';
export const TOKEN = 'token-of-the-trigger';
const BASIC = `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`;

export interface ForgeRig extends AsyncDisposable {
  readonly fake: FakeForge;
  readonly state: ForgeState;
  readonly repositoryUrl: string;
  readonly access: { readonly token: string; readonly signal: AbortSignal };
  readonly forge: NonNullable<ReturnType<ReturnType<typeof createForges>>>;
  status(changes?: Partial<CommitStatus>): CommitStatus;
  hook(changes?: Partial<ForgeHook>): ForgeHook;
}

/** A forge of the kind, and a client for which it is the whole world. */
export async function forgeRig(kind: ApiKind): Promise<ForgeRig> {
  const state = forgeState(TOKEN, [COMMIT]);
  const fake = await startForge(
    {
      Github: () => githubApi(state),
      GitLab: () => gitlabApi(state),
      Gitea: () => giteaApi(state),
      Bitbucket: () => bitbucketApi(state, `Bearer ${TOKEN}`),
      VisualStudioTeamService: () => azureApi(state, '/acme', BASIC),
    }[kind](),
  );
  const repositoryUrl = {
    Github: 'https://github.com/acme/shop.git',
    GitLab: `${fake.url}/group/sub/shop.git`,
    Gitea: `${fake.url}/acme/shop.git`,
    Bitbucket: 'https://bitbucket.org/acme/shop.git',
    VisualStudioTeamService: 'https://acme@dev.azure.com/acme/Big%20Shop/_git/shop',
  }[kind];
  const client = createHttpClient({ addresses: { allowPrivate: true, allowLoopback: true } });
  const forge = createForges({ http: reroute(client, fake) })(kind);
  if (forge === undefined) throw new Error(`no forge of the kind ${kind}`);
  return {
    fake,
    state,
    repositoryUrl,
    forge,
    access: { token: TOKEN, signal: AbortSignal.timeout(20_000) },
    status: (changes) => ({
      key: 'k',
      forge: kind,
      repositoryUrl,
      commit: COMMIT,
      context: 'slipway/build-shop',
      state: 'running',
      description: 'Running',
      targetUrl: 'https://slipway.example.com/runs/ra001',
      branch: 'main',
      task: 'build-shop',
      trigger: 'commits',
      run: 'ra001',
      ...changes,
    }),
    hook: (changes) => ({
      repositoryUrl,
      url: 'https://slipway.example.com/hooks/AbCdEfGhIjKlMnOpQrStUv',
      secret: 'secret-of-the-hook',
      events: ['push', 'pull-request'],
      ...changes,
    }),
    [Symbol.asyncDispose]: async () => {
      client.close();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** The EngineError of what must fail. */
export async function refusal(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EngineError)) throw new Error(`expected an EngineError, got ${String(error)}`);
  return error;
}
