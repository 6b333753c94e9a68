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
  'forge-failed': {
    exitCode: 3,
    httpStatus: 502,
    title: 'A forge (GitHub, GitLab, Gitea, Bitbucket, Azure DevOps) answered with an error, or not at all.',
    help: 'Read the message of the forge; a 5xx or 429 may pass when tried again.',
  },
  'forge-denied': {
    exitCode: 3,
    httpStatus: 403,
    title: 'A forge refused the token.',
    help: 'Give the trigger a token with the rights that `task trigger webhook` lists for the forge.',
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
  'invalid-request': {
    exitCode: 2,
    httpStatus: 422,
    title: 'A request has a field that cannot be.',
    help: 'The message names the field, what it holds and what was expected; `/api/openapi.json` describes every request.',
  },
  unauthenticated: {
    exitCode: 3,
    httpStatus: 401,
    title: 'A daemon asks who you are.',
    help: 'Log in with `task login URL`, or set SLIPWAY_TOKEN. `task token create` on the machine of the daemon makes a token.',
  },
  forbidden: {
    exitCode: 3,
    httpStatus: 403,
    title: 'The token may not do this.',
    help: 'Use a token with the role that the message names, or ask an admin of the daemon.',
  },
  'host-refused': {
    exitCode: 3,
    httpStatus: 421,
    title: 'A daemon was addressed by a name that it does not answer to.',
    help: 'Use the address of `--listen` or `--public-url`, or add the name to `allowedHosts`.',
  },
  'origin-refused': {
    exitCode: 3,
    httpStatus: 403,
    title: 'A web page of another origin asked a daemon for something.',
    help: 'The API is not for web pages of other places; a page of `--public-url` may ask.',
  },
  'unsupported-media-type': {
    exitCode: 2,
    httpStatus: 415,
    title: 'A request has a body of a kind that its route does not take.',
    help: 'Send `Content-Type: application/json`; contexts are sent as `application/x-tar` or `application/octet-stream`.',
  },
  'not-found': {
    exitCode: 2,
    httpStatus: 404,
    title: 'There is nothing of that name.',
    help: 'The list commands (`task list`, `task list-runs`, …) show what there is.',
  },
  'already-exists': {
    exitCode: 2,
    httpStatus: 409,
    title: 'Something of that name is there already.',
    help: 'Choose another name, or update what is there.',
  },
  conflict: {
    exitCode: 2,
    httpStatus: 409,
    title: 'The state of a thing does not allow this.',
    help: 'The message says which state that is.',
  },
  'version-conflict': {
    exitCode: 2,
    httpStatus: 412,
    title: 'A task was changed by somebody else meanwhile.',
    help: 'Look at it again (`task show`), and repeat the change on what it is now.',
  },
  'managed-by-file': {
    exitCode: 2,
    httpStatus: 409,
    title: 'A task is managed by a file.',
    help: 'Change the file, or pass `--force`; the file wins again when it is next applied.',
  },
  'too-large': {
    exitCode: 2,
    httpStatus: 413,
    title: 'Something sent to a daemon is larger than it takes.',
    help: 'Leave out what is not needed (`.dockerignore`), or let an admin raise the limit that the message names.',
  },
  'rate-limited': {
    exitCode: 3,
    httpStatus: 429,
    title: 'Too many requests in a short time.',
    help: 'Wait as long as `Retry-After` says.',
  },
  'idempotency-mismatch': {
    exitCode: 2,
    httpStatus: 422,
    title: 'An idempotency key was used before for another request.',
    help: 'Use a new key for a new request.',
  },
  'stale-attempt': {
    exitCode: 3,
    httpStatus: 409,
    title: 'A run has been taken over by another attempt, or has ended.',
    help: 'Nothing needs to be done: the newer attempt goes on.',
  },
  'agent-lost': {
    exitCode: 3,
    httpStatus: 502,
    title: 'A step was running when its agent was lost, and its container is gone.',
    help: 'Run the task again; a step is never repeated silently, because it may have had effects.',
  },
  'run-quarantined': {
    exitCode: 3,
    httpStatus: 500,
    title: 'A run broke its agent several times and is not tried again.',
    help: 'Read the log of the run and of the daemon; report what broke.',
  },
  'queue-full': {
    exitCode: 3,
    httpStatus: 429,
    title: 'As many runs wait as may.',
    help: 'Try again when some have started, cancel some, or let an admin raise the limit (`maxQueued`).',
  },
  'queue-timeout': {
    exitCode: 124,
    httpStatus: 504,
    title: 'A run waited longer in the queue than it may.',
    help: '`task list-runs --status Queued` says what runs wait for; raise `--queue-timeout` or the limit that is full.',
  },
  'bad-task': {
    exitCode: 2,
    httpStatus: 422,
    title: 'The task file of a run has errors.',
    help: 'The log of the run shows each with its place; `task lint` finds them without a run.',
  },
  overloaded: {
    exitCode: 3,
    httpStatus: 503,
    title: 'A daemon has too much to do at this moment.',
    help: 'Send it again when `Retry-After` says.',
  },
  draining: {
    exitCode: 3,
    httpStatus: 503,
    title: 'A daemon is ending and takes nothing new.',
    help: 'Try again when it is back.',
  },
  'daemon-unreachable': {
    exitCode: 3,
    httpStatus: 503,
    title: 'No daemon answered.',
    help: 'Start one with `task serve`, or name one with `--server URL` or `task login URL`.',
  },
  'store-failed': {
    exitCode: 3,
    httpStatus: 503,
    title: 'The database of a daemon cannot be read or written.',
    help: 'Read the message: the disk may be full, or the file may belong to another user or a newer version.',
  },
  'data-directory': {
    exitCode: 2,
    httpStatus: 500,
    title: 'The data directory of a daemon cannot be used.',
    help: 'It must belong to the user of the daemon, be open to nobody else (0700), and be used by one daemon at a time.',
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
