import { describe, expect, it } from 'vitest';
import { maskCredentials } from '../../src/git/git-url.ts';
import { contextText } from '../../src/model/context-text.ts';
import { describeImage } from '../../src/model/image-description.ts';
import { withDefaultTag } from '../../src/model/image-reference.ts';
import { cutAliasBlock } from '../../src/task/alias/cut-alias-block.ts';
import { detectVersion, hasAliases } from '../../src/task/alias/detect-version.ts';
import { classifyContext, isAzureDevOpsUrl, isGitUrl, isVisualStudioUrl, parseRemoteUrl } from '../../src/task/build/context.ts';
import { dockerfilePath } from '../../src/task/build/dockerfile-path.ts';
import { parseBuild } from '../../src/task/build/parse-build.ts';
import { prefixTag } from '../../src/task/build/prefix-tag.ts';
import { imageNameForPull } from '../../src/task/command/parse-command.ts';
import { containerWorkdir } from '../../src/task/command/working-directory.ts';
import { stripComments } from '../../src/task/comments.ts';
import { parseCredential, type TaskCredential } from '../../src/task/credential.ts';
import type { MappedText } from '../../src/task/mapped-text.ts';
import { exponentialBackoffMs } from '../../src/util/backoff.ts';
import type { Result } from '../../src/util/result.ts';
import { type Case, difference, loadCases } from './cases.ts';

type Outcome = { readonly ok: boolean; readonly output?: unknown };

/** Ours for one kind of case. `seen` keeps of the recorded output what ours can be compared with. */
interface Kind {
  run(input: Readonly<Record<string, unknown>>): Outcome;
  seen?(output: unknown): unknown;
}

const KINDS: Readonly<Record<string, Kind>> = {
  classify: { run: ({ url }) => given(classify(String(url))) },
  parseRemoteURL: { run: ({ url }) => outcome(parseRemoteUrl(String(url))) },
  imageReference: { run: ({ image }) => outcome(describeImage(String(image))) },
  // The text is never rewritten, so there is nothing to compare `replaced` with.
  parseBuildCmd: { run: ({ build }) => readBuild(String(build)), seen: (output) => without(output, 'replaced') },
  dockerfilePath: {
    run: ({ context, dockerfile, workingDir }) => {
      const fetched = classifyContext(String(context)).kind !== 'local';
      return given(dockerfilePath({ fetched, contextDirectory: String(workingDir), dockerfile: String(dockerfile) }));
    },
  },
  normalizeImageTag: { run: ({ image }) => given(withDefaultTag(String(image))) },
  prefixTags: { run: prefixTags, seen: (output) => without(output, 'build') },
  normalizeWorkDir: { run: ({ dir }) => given(containerWorkdir(String(dir))) },
  imageNameFromCmd: { run: ({ cmd }) => given(imageNameForPull(String(cmd))) },
  censor: { run: ({ text }) => given(maskCredentials(String(text))) },
  findVersion: {
    run: ({ task }) => {
      const version = detectVersion(stripped(String(task)).text);
      return given({ version, aliasSupport: hasAliases(version) });
    },
  },
  separateAlias: {
    run: ({ task }) => {
      const { block, rest } = cutAliasBlock(stripped(String(task)));
      return given({ alias: block.text, rest: rest.text });
    },
  },
  backoff: { run: ({ attempt }) => given(exponentialBackoffMs(Number(attempt))) },
  credential: { run: ({ credential }) => credentialOutcome(parseCredential(String(credential))) },
};

/** What is ours where differences.json has the case. */
const OURS: Readonly<Record<string, unknown>> = {
  'ctx-classify-17': { isGitTransport: true, isGitURL: true, isLocalContext: false, isSourceControlURL: true },
  'ctx-classify-16': { gitSubdirForWorkdir: 'd' },
  'ctx-classify-19': { gitSubdirForWorkdir: 'd' },
  'ctx-classify-40': { gitSubdirForWorkdir: 'b:c' },
  'ctx-parseRemoteURL-14': { remote: 'ssh://git@example.com/o/r.git', ref: '', subdir: '' },
  'ctx-parseRemoteURL-36': undefined,
  'ctx-imageReference-08': { registry: 'localhost', repository: 'app', reference: 'localhost/app:1', tag: '1' },
  'ctx-imageReference-09': { registry: 'localhost:5000', repository: 'app', reference: 'localhost:5000/app' },
  'ctx-parseBuildCmd-06': { dockerfile: 'My Dockerfile', context: '.' },
  'ctx-parseBuildCmd-09': { buildArgs: ['A=1', 'B=x y'], context: 'src' },
  'ctx-parseBuildCmd-16': { buildArgs: ['A=1'], tags: ['b'] },
  'ctx-parseBuildCmd-17': { dockerfile: 'D', tags: ['a:1'] },
  'ctx-parseBuildCmd-20': { context: '-', tags: ['a'] },
  'ctx-parseBuildCmd-22': undefined,
  'ctx-parseBuildCmd-26': { tags: ['a'], context: '.' },
  'ctx-prefixTags-06': { tags: ['r.io/a'] },
  'ctx-prefixTags-11': undefined,
  'ctx-censor-03': 'http://<REDACTED>@h/a',
  'ctx-censor-05': 'https://h/a b@c',
};

function given(output: unknown): Outcome {
  return { ok: true, output };
}

function outcome(result: Result<unknown, unknown>): Outcome {
  return result.ok ? given(result.value) : { ok: false };
}

function without(output: unknown, key: string): unknown {
  return Object.fromEntries(Object.entries(output as object).filter(([name]) => name !== key));
}

function stripped(text: string): MappedText {
  return stripComments({ name: 'task.yaml', text });
}

function classify(url: string): unknown {
  const context = classifyContext(url);
  const isURL = /^https?:\/\//.test(url);
  const sourceControl = isGitUrl(url) || isAzureDevOpsUrl(url) || isVisualStudioUrl(url);
  return {
    artifact: context.kind === 'oci' && context.reference !== '' ? context.reference : url,
    gitSubdirForWorkdir: context.kind === 'git' && context.subdir !== '' ? context.subdir : '.',
    isAzureDevOpsGitURL: isAzureDevOpsUrl(url),
    isGitTransport: isURL || /^(?:git:\/\/|git@|ssh:\/\/)/.test(url),
    isGitURL: isGitUrl(url),
    isLocalContext: context.kind === 'local' || context.kind === 'stdin' || context.kind === 'none',
    isRegistryArtifact: context.kind === 'oci',
    isSourceControlURL: sourceControl,
    isURL,
    isVstsGitURL: isVisualStudioUrl(url),
  };
}

function parse(text: string): ReturnType<typeof parseBuild> {
  const range = { source: { name: 'task.yaml', text }, start: 0, end: text.length };
  return parseBuild(text, { stepId: 'b', taskName: '', registry: '', cache: '', env: [], workdir: '/workspace', range });
}

function readBuild(text: string): Outcome {
  const result = parse(text);
  if (!result.ok) return { ok: false };
  const { buildArgs, context, dockerfile = '', tags, target = '' } = result.value.value;
  return given({ buildArgs, context: contextText(context), dockerfile, tags, target });
}

function prefixTags(input: Readonly<Record<string, unknown>>): Outcome {
  const result = parse(String(input['build']));
  if (!result.ok) return { ok: false };
  const known = (input['known'] as readonly unknown[]).map(String);
  return given({ tags: result.value.value.tags.map((tag) => prefixTag(tag, String(input['registry']), known)) });
}

/** In the peer's shape: fields that are empty or do not count are left out, types are lower-case. */
function credentialOutcome(result: Result<TaskCredential, string>): Outcome {
  if (!result.ok) return { ok: false };
  const { kind, ...fields } = result.value;
  if (kind === 'identity') return given(fields);
  if (kind === 'opaque') return given({ ...fields, userNameProviderType: kind, passwordProviderType: kind });
  const { registry, identity, username, password } = result.value;
  const typeOf = (part: { readonly from: string }): string => (part.from === 'vault' ? 'vaultsecret' : 'opaque');
  return given({
    registry,
    identity,
    username: username.value,
    userNameProviderType: typeOf(username),
    password: password.value,
    passwordProviderType: typeOf(password),
  });
}

function check(one: Case, kind: Kind): void {
  const actual = kind.run(one.input);
  expect(difference(one.id) !== undefined, 'a case of ours that differs stands in differences.json, and no other').toBe(one.id in OURS);
  if (one.id in OURS) {
    const ours = OURS[one.id];
    if (ours === undefined) expect(actual).toEqual({ ok: false });
    else expect(actual).toMatchObject({ ok: true, output: ours });
  } else if (one.expect.ok === true) {
    const recorded = one.expect.output;
    expect(actual).toEqual({ ok: true, output: kind.seen?.(recorded) ?? recorded });
  } else expect(actual).toEqual({ ok: false });
}

// `download` cases need a git server: download.test.ts has them.
const cases = loadCases('context').filter((one) => one.args[0] !== 'download');

describe('small pure functions', () => {
  it.each(cases.map((one) => [one.id, one] as const))('%s', (_id, one) => {
    const kind = KINDS[one.args[0] ?? ''];
    if (kind === undefined) throw new Error(`no function for ${one.id}`);
    check(one, kind);
  });
});
