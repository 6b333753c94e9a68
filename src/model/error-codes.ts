interface ErrorCodeEntry {
  readonly exitCode: 1 | 2 | 3 | 124 | 130;
  readonly httpStatus: number;
  readonly title: string;
  readonly help: string;
}

/** Every code an EngineError can carry: its exit code, HTTP status and the line that docs/errors.md prints. */
export const ERROR_CODES = {
  'engine-unreachable': {
    exitCode: 3,
    httpStatus: 503,
    title: 'No container engine answered.',
    help: 'Start Docker or Podman, or point DOCKER_HOST at one. `task doctor` shows what was tried.',
  },
  'engine-failed': {
    exitCode: 3,
    httpStatus: 502,
    title: 'The container engine refused a request or broke while doing it.',
    help: 'Read the message of the engine; `task doctor` checks the engine.',
  },
  'engine-too-old': {
    exitCode: 3,
    httpStatus: 502,
    title: 'The container engine lacks something this step needs.',
    help: 'Leave out the option the message names, or use an engine that knows it.',
  },
  'image-not-found': {
    exitCode: 3,
    httpStatus: 404,
    title: 'An image is neither in the engine nor in its registry.',
    help: 'Check the name and the tag, and whether the registry needs credentials.',
  },
  'registry-unreachable': {
    exitCode: 3,
    httpStatus: 502,
    title: 'A registry did not answer.',
    help: 'Check the host name, the network and whether the registry speaks HTTPS (`--insecure-registry HOST` for plain HTTP).',
  },
  'registry-denied': {
    exitCode: 3,
    httpStatus: 403,
    title: 'A registry refused the credentials.',
    help: 'Log in (`docker login HOST`) or pass `--registry-credential HOST=USER:env:NAME`; `--trusted-realm HOST` allows a token server of another domain.',
  },
  'registry-failed': {
    exitCode: 3,
    httpStatus: 502,
    title: 'A registry answered with an error.',
    help: 'Read the message of the registry; a 5xx or 429 may pass when tried again.',
  },
  'context-failed': {
    exitCode: 3,
    httpStatus: 502,
    title: 'A build context could not be fetched.',
    help: 'Check the URL, the reference and the credentials.',
  },
  'context-rejected': {
    exitCode: 2,
    httpStatus: 422,
    title: 'A context cannot be used: it is malformed, leads out of its place, is not there, or breaks a limit.',
    help: 'The message says what of it is wrong. Local paths stay below the workspace; URLs name a git repository or an archive.',
  },
  'dockerfile-missing': {
    exitCode: 1,
    httpStatus: 422,
    title: 'A build has no Dockerfile where it looks for one.',
    help: '`-f` of a local context starts in the working directory of the step, `-f` of a fetched one in the fetched directory.',
  },
  'secret-unavailable': {
    exitCode: 3,
    httpStatus: 502,
    title: 'A secret could not be resolved.',
    help: 'Check the provider named by the secret; map vault URLs with `--secret-map URL=env://NAME`.',
  },
  'policy-refused': {
    exitCode: 2,
    httpStatus: 403,
    title: 'The policy of this machine does not allow what the step asks for.',
    help: 'Ask an administrator, or leave out what the message names.',
  },
  'disk-full': {
    exitCode: 3,
    httpStatus: 507,
    title: 'No space is left on a disk.',
    help: 'Free space; `task doctor` shows which disk is full.',
  },
  internal: {
    exitCode: 3,
    httpStatus: 500,
    title: 'A defect of this program.',
    help: 'Report it with the message and the command that led to it.',
  },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
